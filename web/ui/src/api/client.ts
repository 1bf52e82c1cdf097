// Every call to the server goes through here: one place for errors, and for noticing that the login has ended.
import type {
  AuditEntry, Certificate, Desktop, Encoder, MyDesktop, PowerAction, Session, Status, Template, Ticket, User, Whoami,
} from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** Fired on window when a call finds that nobody is logged in any more. */
export const LOGGED_OUT = "fernwerk:logged-out";

interface ErrorBody {
  error?: { code?: string; message?: string; hint?: string | null; retry_after_ms?: number };
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const { code, message, hint, retry_after_ms } = body.error ?? {};
  return new ApiError(response.status, code ?? "failed", message || `The server answered ${response.status}.`,
    hint ?? null, retry_after_ms ?? null);
}

const CALL_MS = 15_000; // longer than fernwerk-web waits for the broker

function unreachable(): ApiError {
  return new ApiError(0, "unreachable", "The server cannot be reached.", "Check the connection, then try again.");
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const signal = AbortSignal.timeout(CALL_MS);
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", signal };
  if (method === "POST" || method === "PUT") {
    init.headers = { "content-type": "application/json" };
    init.body = JSON.stringify(body ?? {});
  }
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, init);
  } catch {
    throw unreachable();
  }
  if (!response.ok) {
    const error = await failure(response);
    if (error.status === 401 && path !== "session") window.dispatchEvent(new Event(LOGGED_OUT));
    throw error;
  }
  try {
    return (await response.json()) as T;
  } catch (reason) {
    throw signal.aborted ? unreachable() : reason;
  }
}

const enc = encodeURIComponent;

export const api = {
  login: (username: string, password: string) => call<Whoami>("POST", "session", { username, password }),
  logout: () => call<object>("DELETE", "session"),
  whoami: () => call<Whoami>("GET", "session"),
  certificate: () => call<Certificate>("GET", "certificate"),
  changePassword: (old: string, fresh: string) => call<object>("POST", "password", { old, new: fresh }),

  myDesktops: () => call<MyDesktop[]>("GET", "desktops"),
  connect: (name: string) => call<Ticket>("POST", `desktops/${enc(name)}/connect`),
  power: (name: string, action: PowerAction) => call<MyDesktop>("POST", `desktops/${enc(name)}/power`, { action }),
  thumbnailUrl: (name: string) => `/api/v1/desktops/${enc(name)}/thumbnail`,
  rdpUrl: (name: string) => `/api/v1/desktops/${enc(name)}/rdp`,

  users: () => call<User[]>("GET", "admin/users"),
  addUser: (name: string, password: string, admin: boolean) =>
    call<User>("POST", "admin/users", { name, password, admin }),
  removeUser: (name: string) => call<User>("DELETE", `admin/users/${enc(name)}`),
  setPassword: (name: string, password: string) =>
    call<User>("PUT", `admin/users/${enc(name)}/password`, { password }),
  disableUser: (name: string) => call<User>("POST", `admin/users/${enc(name)}/disable`),
  enableUser: (name: string) => call<User>("POST", `admin/users/${enc(name)}/enable`),

  templates: () => call<Template[]>("GET", "admin/templates"),
  addTemplate: (template: Partial<Template>) => call<Template>("POST", "admin/templates", template),
  removeTemplate: (name: string) => call<Template>("DELETE", `admin/templates/${enc(name)}`),

  desktops: () => call<Desktop[]>("GET", "admin/desktops"),
  createDesktop: (name: string, template: string) => call<Desktop>("POST", "admin/desktops", { name, template }),
  removeDesktop: (name: string) => call<Desktop>("DELETE", `admin/desktops/${enc(name)}`),
  desktopPower: (name: string, action: PowerAction) =>
    call<Desktop>("POST", `admin/desktops/${enc(name)}/${action}`),
  assign: (desktop: string, user: string) =>
    call<Desktop>("PUT", `admin/desktops/${enc(desktop)}/assignment`, { user }),
  unassign: (desktop: string) => call<Desktop>("DELETE", `admin/desktops/${enc(desktop)}/assignment`),

  sessions: () => call<Session[]>("GET", "admin/sessions"),
  killSession: (id: number) => call<Session>("DELETE", `admin/sessions/${enc(String(id))}`),
  encoders: () => call<Encoder[]>("GET", "admin/encoders"),
  audit: (before?: number) =>
    call<AuditEntry[]>("GET", `admin/audit?limit=50${before === undefined ? "" : `&before=${before}`}`),
  status: () => call<Status>("GET", "admin/status"),
};

/** Any thrown value as an ApiError. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, "failed", String(error));
}
