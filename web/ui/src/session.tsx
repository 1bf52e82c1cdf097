// Who is logged in, for all pages.
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { ApiError, LOGGED_OUT, api, asApiError } from "./api/client";
import type { Whoami } from "./api/types";

interface SessionState {
  /** undefined: not known yet; null: nobody. */
  who: Whoami | null | undefined;
  /** Somebody was there, and the server has ended the session. */
  expired: boolean;
  /** Somebody was there and has logged out: who comes next begins anew. */
  left: boolean;
  error: ApiError | null;
  login: (username: string, password: string) => Promise<void>;
  /** Throws an ApiError when the server may not have heard of it. */
  logout: () => Promise<void>;
  retry: () => void;
}

const Context = createContext<SessionState | null>(null);

export function useSession(): SessionState {
  const state = useContext(Context);
  if (!state) throw new Error("no session provider");
  return state;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [who, setWho] = useState<Whoami | null | undefined>(undefined);
  const [end, setEnd] = useState<"expired" | "left" | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const known = useRef(false);
  known.current = Boolean(who);

  const retry = useCallback(() => {
    api.whoami().then(
      (answer) => {
        setWho(answer);
        setError(null);
      },
      (reason: unknown) => {
        const problem = asApiError(reason);
        if (problem.status === 401 || problem.status === 403) setWho(null);
        else setError(problem);
      },
    );
  }, []);

  useEffect(retry, [retry]);
  useEffect(() => {
    const ended = () => {
      const had = known.current;
      setEnd((now) => now ?? (had ? "expired" : null));
      setWho(null);
    };
    window.addEventListener(LOGGED_OUT, ended);
    return () => window.removeEventListener(LOGGED_OUT, ended);
  }, []);
  useEffect(() => {
    if (!error) return undefined;
    const timer = setTimeout(retry, 2000);
    return () => clearTimeout(timer);
  }, [error, retry]);

  const login = useCallback(async (username: string, password: string) => {
    setWho(await api.login(username, password));
    setEnd(null);
  }, []);
  const logout = useCallback(async () => {
    setEnd("left");
    try {
      await api.logout();
    } catch (reason) {
      const problem = asApiError(reason);
      if (problem.status !== 401) {
        setEnd(null);
        throw problem;
      }
    }
    setWho(null);
  }, []);

  const state = useMemo(
    () => ({ who, expired: end === "expired", left: end === "left", error, login, logout, retry }),
    [who, end, error, login, logout, retry],
  );
  return <Context.Provider value={state}>{children}</Context.Provider>;
}
