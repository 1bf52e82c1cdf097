// Loading and refreshing of what a page shows.
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, asApiError } from "../api/client";

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | null;
  reload: () => Promise<void>;
}

/** Loads at once and every `everyMs` while the tab is visible. `load` must be stable. */
export function useLoaded<T>(load: () => Promise<T>, everyMs = 5000): Loaded<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<ApiError | null>(null);
  const turns = useRef({ newest: 0, pending: 0 });

  const reload = useCallback(async () => {
    const { current } = turns;
    const turn = ++current.newest;
    current.pending++;
    try {
      const answer = await load();
      if (turn === current.newest) {
        setData(answer);
        setError(null);
      }
    } catch (reason) {
      if (turn === current.newest) setError(asApiError(reason));
    } finally {
      current.pending--;
    }
  }, [load]);

  useEffect(() => {
    const { current } = turns;
    void reload();
    const tick = () => {
      if (!document.hidden && current.pending === 0) void reload();
    };
    const timer = setInterval(tick, everyMs);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
      current.newest++;
    };
  }, [reload, everyMs]);

  return { data, error, reload };
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – Fernwerk`;
  }, [title]);
}
