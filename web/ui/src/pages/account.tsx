// One's own password and files for RDP clients.
import {
  Alert, Button, Card, CardBody, CardTitle, Form, FormGroup, FormHelperText, Gallery, HelperText, HelperTextItem,
  TextInput, Title,
} from "@patternfly/react-core";
import DownloadIcon from "@patternfly/react-icons/dist/esm/icons/download-icon";
import { useState, type FormEvent } from "react";
import { ApiError, api, asApiError } from "../api/client";
import { useLoaded, useTitle } from "../components/hooks";
import { Problem } from "../components/problem";
import { useSession } from "../session";

function PasswordForm() {
  const { who } = useSession();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);
  const differs = again !== "" && again !== fresh;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setDone(false);
    try {
      await api.changePassword(old, fresh);
      setDone(true);
      setError(null);
      setOld("");
      setFresh("");
      setAgain("");
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Form onSubmit={(event) => void submit(event)}>
      {done && <Alert variant="success" isInline title="The password is changed.">Your other sessions have ended.</Alert>}
      <Problem error={error} />
      <input type="text" name="username" autoComplete="username" value={who?.user ?? ""} readOnly hidden />
      <FormGroup label="Current password" fieldId="old">
        <TextInput id="old" type="password" autoComplete="current-password" value={old} onChange={(_, v) => setOld(v)} />
      </FormGroup>
      <FormGroup label="New password" fieldId="new">
        <TextInput id="new" type="password" autoComplete="new-password" value={fresh} onChange={(_, v) => setFresh(v)} />
      </FormGroup>
      <FormGroup label="New password again" fieldId="again">
        <TextInput id="again" type="password" autoComplete="new-password" value={again}
          validated={differs ? "error" : "default"} onChange={(_, v) => setAgain(v)} />
        {differs && (
          <FormHelperText>
            <HelperText><HelperTextItem variant="error">The two are not the same.</HelperTextItem></HelperText>
          </FormHelperText>
        )}
      </FormGroup>
      <div>
        <Button type="submit" isLoading={busy} isDisabled={busy || !old || !fresh || fresh !== again}>Change password</Button>
      </div>
    </Form>
  );
}

function RdpFiles() {
  const { data, error } = useLoaded(api.myDesktops, 10_000);
  return (
    <>
      <p>With these files an RDP client opens the desktop directly. Log in with the same name and password.</p>
      <Problem error={error} />
      <div className="fw-stack">
        {data?.map((desktop) => (
          <Button key={desktop.name} variant="secondary" component="a" icon={<DownloadIcon />}
            href={api.rdpUrl(desktop.name)} download={`${desktop.name}.rdp`}>
            {desktop.name}.rdp
          </Button>
        ))}
        {data?.length === 0 && <span className="fw-dim">No desktop is assigned to you.</span>}
      </div>
    </>
  );
}

export function AccountPage() {
  const { who } = useSession();
  useTitle("Account");
  return (
    <>
      <Title headingLevel="h1" className="fw-title">Account of {who?.user}</Title>
      <Gallery hasGutter minWidths={{ default: "min(100%, 20rem)" }} maxWidths={{ md: "30rem" }}>
        <Card>
          <CardTitle component="h2">Password</CardTitle>
          <CardBody><PasswordForm /></CardBody>
        </Card>
        <Card>
          <CardTitle component="h2">Files for RDP clients</CardTitle>
          <CardBody><RdpFiles /></CardBody>
        </Card>
      </Gallery>
    </>
  );
}
