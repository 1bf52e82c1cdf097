// Keeping a screen connected: reconnecting after a break, and not fighting for it with another device.
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { ApiError, api, asApiError } from "../api/client";
import type { MyDesktop } from "../api/types";
import { Screen, type Ended, type Quality, type Scaling } from "./screen";
import type { Stats } from "./stats";

export type Phase =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "broken" } // reconnecting by itself
  | { kind: "taken" } // another device has it; the person decides
  | { kind: "gone" } // not assigned (any more)
  | { kind: "failed"; error: ApiError };

declare global {
  interface Window {
    fernwerk?: { stats: () => Stats };
  }
}

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5000;
const NOTE_HOLDER_MS = [1000, 4000];

interface Options {
  desktop: string;
  scaling: Scaling;
  quality: Quality;
}

/** Was the desktop given to another connection? `mine`: the holder seen while connected. */
export function isTaken(desktop: MyDesktop, mine: string | null, how: Ended): boolean {
  if (desktop.connection === undefined) return desktop.connected && how.byServer && how.code === 1000;
  return desktop.connection !== null && String(desktop.connection.id) !== mine && (mine !== null || how.byServer);
}

/** Connects while mounted. Returns the phase, the live screen, and how to try again now. */
export function useConnection(target: RefObject<HTMLElement | null>, options: Options) {
  const { desktop } = options;
  const [phase, setPhase] = useState<Phase>({ kind: "connecting" });
  const [attempt, setAttempt] = useState(0);
  const screen = useRef<Screen | null>(null);
  const wishes = useRef(options);
  wishes.current = options;
  const pause = useRef(FIRST_PAUSE_MS);

  const reconnect = useCallback(() => {
    setPhase({ kind: "connecting" });
    setAttempt((n) => n + 1);
  }, []);

  useEffect(() => {
    let over = false;
    let mine: string | null = null;
    const timers: ReturnType<typeof setTimeout>[] = [];

    const again = () => {
      setPhase({ kind: "broken" });
      timers.push(setTimeout(() => !over && setAttempt((n) => n + 1), pause.current));
      pause.current = Math.min(pause.current * 2, LONGEST_PAUSE_MS);
    };
    const problem = (reason: unknown) => {
      const error = asApiError(reason);
      if (over) return;
      if (error.status === 404) setPhase({ kind: "gone" });
      else if (error.status === 0 || error.status >= 500 || error.status === 429) again();
      else if (error.status !== 401) setPhase({ kind: "failed", error });
    };
    const noteHolder = async () => {
      const list = await api.myDesktops().catch(() => []);
      const holder = list.find(({ name }) => name === desktop)?.connection;
      if (holder && !over && screen.current) mine = String(holder.id);
    };
    const ended = async (how: Ended) => {
      screen.current = null;
      if (over) return;
      setPhase({ kind: "broken" });
      try {
        const found = (await api.myDesktops()).find(({ name }) => name === desktop);
        if (over) return;
        if (!found) setPhase({ kind: "gone" });
        else if (isTaken(found, mine, how)) setPhase({ kind: "taken" });
        else again();
      } catch (reason) {
        problem(reason);
      }
    };
    const connected = () => {
      if (over) return;
      pause.current = FIRST_PAUSE_MS;
      setPhase({ kind: "live" });
      for (const ms of NOTE_HOLDER_MS) timers.push(setTimeout(() => void noteHolder(), ms));
    };
    const open = async () => {
      if (!target.current) return;
      try {
        const opened = await Screen.open(target.current, desktop, wishes.current.scaling, wishes.current.quality, {
          connected, ended: (how) => void ended(how),
        });
        if (over) opened.close();
        else screen.current = opened;
      } catch (reason) {
        problem(reason);
      }
    };
    void open();

    return () => {
      over = true;
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
  useEffect(() => {
    const none: Stats = { encoding: "", frames: 0, bytes: 0, rttMs: null, rectangles: {} };
    window.fernwerk = { stats: () => screen.current?.stats() ?? none };
    return () => {
      delete window.fernwerk;
    };
  }, []);

  return { phase, screen, reconnect };
}
