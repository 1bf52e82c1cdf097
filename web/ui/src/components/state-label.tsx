// A desktop's state in colour and words.
import { Label } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import type { DesktopState } from "../api/types";

const looks = {
  running: { color: "green", icon: <CheckCircleIcon />, text: "Running" },
  starting: { color: "blue", icon: <InProgressIcon />, text: "Starting" },
  stopping: { color: "blue", icon: <InProgressIcon />, text: "Stopping" },
  off: { color: "grey", icon: <PowerOffIcon />, text: "Off" },
  failed: { color: "red", icon: <ExclamationCircleIcon />, text: "Failed" },
} as const;

export function StateLabel({ state }: { state: DesktopState }) {
  const look = looks[state];
  return <Label color={look.color} icon={look.icon} isCompact>{look.text}</Label>;
}
