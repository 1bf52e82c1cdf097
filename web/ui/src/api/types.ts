// The objects of docs/internals/control-link.md, as the pages get them. The test of the web server compares them with
// what a real broker answers.

export interface Whoami {
  user: string;
  admin: boolean;
}

export type DesktopState = "off" | "starting" | "running" | "stopping" | "failed";

export interface Desktop {
  name: string;
  template: string;
  state: DesktopState;
  reason: string;
  assigned: string | null;
  user: string | null;
  domain: string | null;
}

/** The connection that holds a desktop now. */
export interface Holder {
  id: number | string;
  protocol: string;
  since: string;
}

export interface MyDesktop extends Desktop {
  connected: boolean;
  connection?: Holder | null;
}

export interface Ticket {
  url: string;
  ticket: string;
}

export interface Certificate {
  fingerprint_sha256: string;
  ca: boolean;
}

export interface User {
  name: string;
  admin: boolean;
  disabled: boolean;
}

export interface Template {
  name: string;
  kind: "vm" | "pattern";
  image: string;
  kernel: string;
  initrd: string;
  cmdline: string;
  firmware: string;
  memory_mib: number;
  vcpus: number;
  width: number;
  height: number;
  xkb_layout: string;
  xkb_variant: string;
  video: string;
}

export interface Session {
  id: number | string;
  user: string;
  desktop: string;
  protocol: string;
  address: string;
  since: string;
}

export interface Encoder {
  element: string;
  usable: boolean;
  hardware: boolean;
  chosen: boolean;
  fps: number;
  reason: string;
}

export interface AuditEntry {
  id: number;
  time: string;
  actor: string;
  action: string;
  object: string;
  result: string;
}

export interface NodeProcess {
  kind: string;
  id: number;
  pid: number;
  user: string;
  desktop: string;
}

export interface Status {
  version: string;
  instance: string;
  libvirt: string;
  virt: string;
  processes: NodeProcess[];
}

export type PowerAction = "start" | "stop" | "restart" | "reset";
