// Asking before something is done that cannot be taken back, and doing it with its error shown.
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";
import { ApiError, asApiError } from "../api/client";
import { place } from "./place";
import { Problem } from "./problem";

export interface Question {
  title: string;
  body: ReactNode;
  action: string;
  danger?: boolean;
  run: () => Promise<unknown>;
}

export function Confirm({ question, onClose }: { question: Question | null; onClose: (done: boolean) => void }) {
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  if (!question) return null;
  const close = (done: boolean) => {
    setError(null);
    onClose(done);
  };
  const run = async () => {
    setBusy(true);
    try {
      await question.run();
      close(true);
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal variant="small" isOpen appendTo={place} onClose={() => close(false)} aria-labelledby="confirm-title">
      <ModalHeader title={question.title} labelId="confirm-title" titleIconVariant={question.danger ? "warning" : undefined} />
      <ModalBody>
        {question.body}
        <div className="fw-confirm-error"><Problem error={error} /></div>
      </ModalBody>
      <ModalFooter>
        <Button variant={question.danger ? "danger" : "primary"} isLoading={busy} isDisabled={busy} onClick={() => void run()}>
          {question.action}
        </Button>
        <Button variant="link" onClick={() => close(false)}>Cancel</Button>
      </ModalFooter>
    </Modal>
  );
}
