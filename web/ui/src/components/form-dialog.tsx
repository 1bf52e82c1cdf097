// A dialog with a form: fields in, one call out, its error shown where the user is looking.
import { Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { useState, type FormEvent, type ReactNode } from "react";
import { ApiError, asApiError } from "../api/client";
import { Problem } from "./problem";

interface Props {
  title: string;
  action: string;
  ready: boolean;
  submit: () => Promise<unknown>;
  onClose: (done: boolean) => void;
  children: ReactNode;
}

export function FormDialog({ title, action, ready, submit, onClose, children }: Props) {
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    try {
      await submit();
      onClose(true);
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
    }
  };
  return (
    <Modal variant="small" isOpen onClose={() => onClose(false)} aria-labelledby="form-title">
      <ModalHeader title={title} labelId="form-title" />
      <ModalBody>
        <Form id="dialog-form" onSubmit={(event) => void run(event)}>
          {children}
          <Problem error={error} />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="dialog-form" isDisabled={!ready || busy} isLoading={busy}>{action}</Button>
        <Button variant="link" onClick={() => onClose(false)}>Cancel</Button>
      </ModalFooter>
    </Modal>
  );
}
