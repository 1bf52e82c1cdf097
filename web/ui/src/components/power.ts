// Switching desktops: what is asked before each action.
import type { PowerAction } from "../api/types";
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
    title: "Reset", body: "The desktop's disk becomes a fresh copy of its template. Everything stored on it is lost.",
    action: "Reset", danger: true,
  },
};

export function powerQuestion(desktop: string, action: PowerAction, run: () => Promise<unknown>): Question {
  const { title, body, action: label, danger } = words[action];
  return { title: `${title} ${desktop}?`, body, action: label, danger, run };
}
