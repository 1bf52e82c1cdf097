// Switching desktops: what each action is called, when it makes sense, what is asked before.
import type { DesktopState, PowerAction } from "../api/types";
import type { Question } from "./confirm";

const words: Record<PowerAction, { title: string; body: string; action: string; danger: boolean }> = {
  start: { title: "Start", body: "The desktop starts now.", action: "Start", danger: false },
  stop: {
    title: "Shut down", body: "The desktop is asked to shut down. What is not saved may be lost.", action: "Shut down",
    danger: true,
  },
  restart: {
    title: "Restart", body: "The desktop is started anew. What is not saved may be lost.", action: "Restart", danger: true,
  },
  reset: {
    title: "Reset",
    body: "Like the reset button of a PC: the desktop reboots at once and unsaved work is lost. Files on its disk stay.",
    action: "Reset", danger: true,
  },
};

/** All actions in the order of menus; what follows the label is said below it. */
export const POWER_ACTIONS: readonly { action: PowerAction; label: string; description?: string }[] = [
  { action: "start", label: "Start" },
  { action: "restart", label: "Restart" },
  { action: "stop", label: "Shut down" },
  { action: "reset", label: "Reset", description: "Reboots at once, unsaved work is lost" },
];

/** undefined: the state is not known, everything may be tried. */
export function powerMakesSense(action: PowerAction, state: DesktopState | undefined): boolean {
  if (state === undefined) return true;
  return action === "start" ? state !== "running" && state !== "starting" : state !== "off" && state !== "failed";
}

export function powerQuestion(desktop: string, action: PowerAction, run: () => Promise<unknown>): Question {
  const { title, body, action: label, danger } = words[action];
  return { title: `${title} ${desktop}?`, body, action: label, danger, run };
}
