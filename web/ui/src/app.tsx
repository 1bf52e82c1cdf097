// The routes, and what is shown while it is not known who is there.
import { Bullseye, EmptyState, EmptyStateBody, Spinner } from "@patternfly/react-core";
import { lazy, Suspense, type ReactNode } from "react";
import { BrowserRouter, Navigate, Route, Routes, useLocation } from "react-router-dom";
import { Layout } from "./components/layout";
import { AccountPage } from "./pages/account";
import { DesktopsPage } from "./pages/desktops";
import { HomePage } from "./pages/home";
import { LoginPage } from "./pages/login";
import { SessionProvider, useSession } from "./session";

const ViewerPage = lazy(() => import("./viewer/page"));
const AdminPage = lazy(() => import("./pages/admin"));

function Waiting() {
  return (
    <Bullseye className="fw-full">
      <Spinner aria-label="Loading" />
    </Bullseye>
  );
}

function Guarded({ admin = false, children }: { admin?: boolean; children: ReactNode }) {
  const { who, left, error } = useSession();
  const location = useLocation();
  if (who === undefined) {
    return error ? (
      <Bullseye className="fw-full">
        <EmptyState titleText={error.message} headingLevel="h1" icon={Spinner}>
          <EmptyStateBody>{error.hint ?? "Trying again…"}</EmptyStateBody>
        </EmptyState>
      </Bullseye>
    ) : (
      <Waiting />
    );
  }
  if (who === null) return <Navigate to="/login" replace state={left ? undefined : { from: location.pathname }} />;
  if (admin && !who.admin) return <Navigate to="/desktops" replace />;
  return <>{children}</>;
}

export function App() {
  return (
    <SessionProvider>
      <BrowserRouter>
        <Suspense fallback={<Waiting />}>
          <Routes>
            <Route path="/login" element={<LoginPage />} />
            <Route path="/" element={<Guarded><HomePage /></Guarded>} />
            <Route path="/view/:name" element={<Guarded><ViewerPage /></Guarded>} />
            <Route element={<Guarded><Layout /></Guarded>}>
              <Route path="/desktops" element={<DesktopsPage />} />
              <Route path="/account" element={<AccountPage />} />
            </Route>
            <Route element={<Guarded admin><Layout /></Guarded>}>
              <Route path="/admin/*" element={<AdminPage />} />
            </Route>
            <Route path="*" element={<Navigate to="/" replace />} />
          </Routes>
        </Suspense>
      </BrowserRouter>
    </SessionProvider>
  );
}
