// Logging in, and the certificate by which a careful person knows the server.
import { Alert, Button, Card, CardBody, ExpandableSection, Form, FormGroup, TextInput } from "@patternfly/react-core";
import { useCallback, useEffect, useState, type FormEvent } from "react";
import { Navigate, useLocation } from "react-router-dom";
import { ApiError, api, asApiError } from "../api/client";
import { useLoaded, useTitle } from "../components/hooks";
import { Problem } from "../components/problem";
import { useSession } from "../session";

function useCountdown(): [number, (ms: number) => void] {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (until <= Date.now()) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until, now]);
  const start = useCallback((ms: number) => {
    setNow(Date.now());
    setUntil(Date.now() + ms);
  }, []);
  return [Math.max(0, Math.ceil((until - now) / 1000)), start];
}

function Certificate() {
  const { data } = useLoaded(api.certificate, 600_000);
  const [open, setOpen] = useState(false);
  if (!data) return null;
  return (
    <ExpandableSection toggleText="About this server's certificate" isExpanded={open} onToggle={(_, now) => setOpen(now)}
      className="fw-certificate">
      <p>The certificate&apos;s SHA-256 fingerprint:</p>
      <code className="fw-fingerprint">{data.fingerprint_sha256}</code>
      {data.ca && (
        <>
          <p>
            It was made by this server itself. <a href="/api/v1/ca.pem" download>Download its certificate authority</a> and
            install it as trusted, and browsers stop warning.
          </p>
          <p>The authority&apos;s SHA-256 fingerprint, for comparing with the administrator&apos;s:</p>
          <code className="fw-fingerprint">{data.ca_fingerprint_sha256}</code>
        </>
      )}
    </ExpandableSection>
  );
}

/** Where the person was before; only a path of our own. */
function useFrom(): string {
  const { from } = (useLocation().state ?? {}) as { from?: unknown };
  return typeof from === "string" && /^\/(?![/\\])/.test(from) ? from : "/";
}

export function LoginPage() {
  const { who, expired, login } = useSession();
  const from = useFrom();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [wait, startWait] = useCountdown();
  useTitle("Log in");
  if (who) return <Navigate to={from} replace />;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    try {
      await login(username.trim(), password);
    } catch (reason) {
      const problem = asApiError(reason);
      setError(problem);
      if (problem.retryAfterMs) startWait(problem.retryAfterMs);
      if (problem.status === 401) setPassword("");
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="fw-login">
      <Card className="fw-login-card" isLarge>
        <CardBody>
          <div className="fw-login-brand">
            <img src="/icon.svg" alt="" width="48" height="48" />
            <div>
              <h1>Fernwerk</h1>
              <p>Your desktop, anywhere</p>
            </div>
          </div>
          <Form onSubmit={(event) => void submit(event)} aria-label="Log in">
            {wait > 0 ? (
              <Alert variant="warning" isInline title={error?.message ?? "Too many attempts."}>
                Try again in {wait} s.
              </Alert>
            ) : (
              error && error.code !== "wait" && <Problem error={error} />
            )}
            {expired && !error && <Alert variant="info" isInline title="Your session has ended. Log in again." />}
            <FormGroup label="Username" fieldId="username">
              <TextInput id="username" name="username" value={username} autoComplete="username" autoCapitalize="none"
                spellCheck={false} autoFocus onChange={(_, value) => setUsername(value)} />
            </FormGroup>
            <FormGroup label="Password" fieldId="password">
              <TextInput id="password" name="password" type="password" value={password} autoComplete="current-password"
                onChange={(_, value) => setPassword(value)} />
            </FormGroup>
            <Button type="submit" isBlock isLoading={busy} isDisabled={busy || wait > 0}>
              Log in
            </Button>
          </Form>
          <Certificate />
        </CardBody>
      </Card>
    </main>
  );
}
