// An error, with what to do about it.
import { Alert } from "@patternfly/react-core";
import type { ApiError } from "../api/client";

export function Problem({ error, onClose }: { error: ApiError | null; onClose?: () => void }) {
  if (!error) return null;
  const close = onClose ? (
    <button className="fw-close" aria-label="Close" onClick={onClose} type="button">×</button>
  ) : undefined;
  return (
    <Alert variant={error.code === "unreachable" ? "warning" : "danger"} isInline title={error.message}
      actionClose={close} className="fw-problem">
      {error.hint}
    </Alert>
  );
}
