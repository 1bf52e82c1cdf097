// The objects of the API by short names. They are generated (`npm run api-types`, from the broker's own document in
// openapi.json); here only what that document leaves open is narrowed.
import type { components } from "./schema";

type Schemas = components["schemas"];
type Narrowed<T, N> = Omit<T, keyof N> & N;

export type Whoami = Schemas["Whoami"];
export type Ticket = Schemas["Ticket"];
export type User = Schemas["User"];
export type Session = Schemas["Session"];
export type Encoder = Schemas["Encoder"];
export type Certificate = Schemas["Certificate"];
export type AuditEntry = Schemas["Audit"];
export type Template = Narrowed<Schemas["Template"], { kind: "vm" | "pattern" }>;

export type DesktopState = "off" | "starting" | "running" | "stopping" | "failed";
export type PowerAction = "start" | "stop" | "restart" | "reset";
export type Desktop = Narrowed<Omit<Schemas["Desktop"], "connected" | "connection">, { state: DesktopState }>;

/** The connection that holds a desktop now. */
export interface Holder {
  id: number;
  protocol: string;
  since: string;
}

export type MyDesktop = Desktop & { connected: boolean; connection?: Holder | null };

export interface NodeProcess {
  kind: string;
  id: number;
  pid: number;
  user: string;
  desktop: string;
}

export type Status = Narrowed<Schemas["Status"], { processes: NodeProcess[] }>;
