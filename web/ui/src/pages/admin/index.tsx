// Administration: its parts as tabs, each with an address of its own.
import { Tab, TabTitleText, Tabs, Title } from "@patternfly/react-core";
import { useEffect } from "react";
import { Navigate, Route, Routes, useLocation, useNavigate } from "react-router-dom";
import { useTitle } from "../../components/hooks";
import { AuditPage, EncodersPage, StatusPage } from "./observe";
import { DesktopsAdmin } from "./desktops";
import { SessionsAdmin } from "./sessions";
import { TemplatesAdmin } from "./templates";
import { UsersAdmin } from "./users";

const parts = [
  ["users", "Users", <UsersAdmin key="users" />],
  ["templates", "Templates", <TemplatesAdmin key="templates" />],
  ["desktops", "Desktops", <DesktopsAdmin key="desktops" />],
  ["sessions", "Sessions", <SessionsAdmin key="sessions" />],
  ["encoders", "Encoders", <EncodersPage key="encoders" />],
  ["audit", "Audit", <AuditPage key="audit" />],
  ["status", "Status", <StatusPage key="status" />],
] as const;

export default function AdminPage() {
  const part = useLocation().pathname.split("/")[2] ?? "";
  const navigate = useNavigate();
  useTitle("Administration");
  /* On a phone the tabs scroll; the chosen one is not to be out of sight. */
  useEffect(() => {
    document.querySelector(".pf-v6-c-tabs__item.pf-m-current")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [part]);
  return (
    <>
      <Title headingLevel="h1" className="fw-title">Administration</Title>
      <Tabs activeKey={part} onSelect={(_, key) => navigate(`/admin/${key}`)} aria-label="Administration" component="nav">
        {parts.map(([key, title]) => (
          <Tab key={key} eventKey={key} title={<TabTitleText>{title}</TabTitleText>} href={`/admin/${key}`}
            onClick={(event) => event.preventDefault()} />
        ))}
      </Tabs>
      <div className="fw-part">
        <Routes>
          {parts.map(([key, , page]) => <Route key={key} path={key} element={page} />)}
          <Route path="*" element={<Navigate to="/admin/users" replace />} />
        </Routes>
      </div>
    </>
  );
}
