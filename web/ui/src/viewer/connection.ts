// Keeping a screen connected: reconnecting after a break, and not fighting for it with another device.
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { ApiError, api, asApiError } from "../api/client";
import type { MyDesktop } from "../api/types";
import { Screen, type Ended, type Quality, type Scaling } from "./screen";
import type { Stats } from "./stats";

export type Phase =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "broken"; why: string } // reconnecting by itself; why: what is in the way, "" when it is not worth a word
  | { kind: "taken" } // another device has it; the person decides
  | { kind: "gone" } // not assigned (any more)
  | { kind: "ended"; text: string } // on purpose, e.g. by an administrator
  | { kind: "failed"; error: ApiError };

declare global {
  interface Window {
    fernwerk?: { stats: () => Stats };
  }
}

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5000;
const STEADY_MS = 5000; // a connection that held for so long has ended the row of tries
const WATCH_MS = 500;
const TELL_AFTER = 3; // tries; before that a reason is likely to be gone before it is read
const OPEN_MS = 8000; // a server that has not greeted us by then is asked anew
const NOTE_HOLDER_MS = [200, 1500, 5000];
const LINGER_MS = 1200; // for so long a connection of our own may still be listed after its end
const TRY_AGAIN_LATER = 1013; // fernwerk-web's close code when there is no room
const END = { takenOver: 1, revoked: 2, killed: 3, limit: 7 } as const; // EndReason of base/proto/seat_link.h

interface Options {
  desktop: string;
  scaling: Scaling;
  quality: Quality;
  /** Fingers move a picture that is larger than the window, instead of the mouse. */
  dragging: boolean;
}

/** How long to wait before the next try, so many having failed. */
const pauseAfter = (tries: number): number => Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);

/** Does another connection seem to hold the desktop? `mine`: the holder seen while connected, if there was time. */
export function seemsTaken(desktop: MyDesktop, mine: string | null, how: Ended): boolean {
  if (how.code === TRY_AGAIN_LATER) return false;
  if (desktop.connection === undefined) return desktop.connected && how.byServer;
  if (desktop.connection === null) return false;
  return mine === null ? how.byServer : String(desktop.connection.id) !== mine;
}

/** What follows from an end about which the server has said why. */
function phaseOf(end: Ended["end"]): Phase | null {
  if (end?.why === END.takenOver) return { kind: "taken" };
  if (end?.why === END.revoked) return { kind: "gone" };
  if (end?.why === END.killed || end?.why === END.limit) return { kind: "ended", text: end.text };
  return null;
}

async function lookUp(name: string): Promise<MyDesktop | undefined> {
  return (await api.myDesktops()).find((desktop) => desktop.name === name);
}

/** Asks the server what a connection's end means. */
async function explain(name: string, mine: string | null, how: Ended): Promise<Phase> {
  const told = phaseOf(how.end);
  if (told && told.kind !== "gone") return told;
  let found = await lookUp(name);
  if (found && !told && seemsTaken(found, mine, how) && (mine === null || found.connection === undefined)) {
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    found = await lookUp(name);
  }
  if (!found) return { kind: "gone" };
  return told ?? (seemsTaken(found, mine, how) ? { kind: "taken" } : { kind: "broken", why: how.code === TRY_AGAIN_LATER ? how.reason : "" });
}

/** Connects while mounted. Returns the phase, the live screen, and how to try again now. */
export function useConnection(target: RefObject<HTMLElement | null>, options: Options) {
  const { desktop } = options;
  const [phase, setPhase] = useState<Phase>({ kind: "connecting" });
  const [attempt, setAttempt] = useState(0);
  const screen = useRef<Screen | null>(null);
  const wishes = useRef(options);
  wishes.current = options;
  const tries = useRef(0);

  const reconnect = useCallback(() => {
    setPhase({ kind: "connecting" });
    setAttempt((n) => n + 1);
  }, []);

  useEffect(() => {
    let over = false;
    let mine: string | null = null;
    let patience: ReturnType<typeof setTimeout> | undefined;
    let steady: ReturnType<typeof setTimeout> | undefined;
    const timers: ReturnType<typeof setTimeout>[] = [];

    const again = (why: string) => {
      setPhase({ kind: "broken", why: ++tries.current < TELL_AFTER ? "" : why });
      timers.push(setTimeout(() => !over && setAttempt((n) => n + 1), pauseAfter(tries.current)));
    };
    const problem = (reason: unknown) => {
      const error = asApiError(reason);
      if (over) return;
      if (error.status === 404) setPhase({ kind: "gone" });
      else if (error.status === 0 || error.status >= 500 || error.status === 429) again(error.message);
      else if (error.status !== 401) setPhase({ kind: "failed", error });
    };
    const noteHolder = async () => {
      const holder = (await lookUp(desktop).catch(() => undefined))?.connection;
      if (holder && !over && screen.current) mine = String(holder.id);
    };
    const ended = async (how: Ended) => {
      screen.current = null;
      clearTimeout(patience);
      clearTimeout(steady);
      if (over) return;
      setPhase((now) => (now.kind === "broken" ? now : { kind: "broken", why: "" }));
      try {
        const next = await explain(desktop, mine, how);
        if (over) return;
        if (next.kind === "broken") again(next.why);
        else setPhase(next);
      } catch (reason) {
        problem(reason);
      }
    };
    const giveUp = () => {
      screen.current?.abandon();
      screen.current = null;
      clearTimeout(steady);
      again("The server does not answer.");
    };
    const doubt = () => {
      if (!document.hidden) screen.current?.probe();
    };
    const watch = () => {
      if (screen.current?.silent()) giveUp();
    };
    const connected = () => {
      if (over) return;
      clearTimeout(patience);
      steady = setTimeout(() => (tries.current = 0), STEADY_MS);
      setPhase({ kind: "live" });
      for (const ms of NOTE_HOLDER_MS) timers.push(setTimeout(() => void noteHolder(), ms));
    };
    const open = async () => {
      if (!target.current) return;
      try {
        const opened = await Screen.open(target.current, desktop, wishes.current.scaling, wishes.current.quality, {
          connected, ended: (how) => void ended(how),
        });
        if (over) {
          opened.close();
          return;
        }
        screen.current = opened;
        opened.drag(wishes.current.dragging);
        patience = setTimeout(giveUp, OPEN_MS);
      } catch (reason) {
        problem(reason);
      }
    };
    void open();
    const watcher = setInterval(watch, WATCH_MS);
    window.addEventListener("online", doubt);
    document.addEventListener("visibilitychange", doubt);

    return () => {
      over = true;
      clearInterval(watcher);
      window.removeEventListener("online", doubt);
      document.removeEventListener("visibilitychange", doubt);
      clearTimeout(patience);
      clearTimeout(steady);
      timers.forEach(clearTimeout);
      screen.current?.close();
      screen.current = null;
    };
  }, [desktop, attempt, target]);

  /* A tab that comes back, or a network that does, need not wait for the next try. */
  useEffect(() => {
    if (phase.kind !== "broken") return undefined;
    const wake = () => {
      if (!document.hidden) setAttempt((n) => n + 1);
    };
    window.addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    return () => {
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [phase.kind]);

  useEffect(() => screen.current?.scale(options.scaling), [options.scaling]);
  useEffect(() => screen.current?.quality(options.quality), [options.quality]);
  useEffect(() => screen.current?.drag(options.dragging), [options.dragging]);
  useEffect(() => {
    const none: Stats = { encoding: "", frames: 0, bytes: 0, rttMs: null, rectangles: {} };
    window.fernwerk = { stats: () => screen.current?.stats() ?? none };
    return () => {
      delete window.fernwerk;
    };
  }, []);

  return { phase, screen, reconnect };
}
