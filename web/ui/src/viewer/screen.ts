// One connection to a desktop's screen: ticket, WebSocket, noVNC. Knows nothing of React or of reconnecting.
import RFB from "@novnc/novnc";
import { api } from "../api/client";
import { guessLayout, keys, keysymOf, type KeyName } from "./keys";
import { Meter, type Stats } from "./stats";

export type Scaling = "remote" | "fit" | "one";
export const QUALITIES = { low: 2, medium: 6, high: 9 } as const;
export type Quality = keyof typeof QUALITIES;

export interface Ended {
  /** The server closed the connection on purpose; else it broke. */
  byServer: boolean;
  code: number;
  /** fernwerk-web's own words, "" mostly. */
  reason: string;
  /** What the desktop's side said about it: an EndReason and a sentence. */
  end: { why: number; text: string } | null;
}

/** Before it ends a connection on purpose, the server renames the desktop to "fernwerk:end=REASON:sentence". */
const END_NAME = /^fernwerk:end=(\d+):([^]*)$/;

const HEAR_OUT_MS = 6000; // eight pictures may be on their way

interface Events {
  connected: () => void;
  ended: (how: Ended) => void;
}

const noStats: Stats = { encoding: "", frames: 0, bytes: 0, rttMs: null, rectangles: {} };

/** Also what fernwerk.css shows `fw-touch-only` for. */
export const hasTouch = (): boolean => matchMedia("(any-pointer: coarse)").matches;

/** Keeps the last picture in sight while there is no new one; null takes it away. */
function showBehind(target: HTMLElement, picture: Blob | null): void {
  const old = /blob:[^"]+/.exec(target.style.backgroundImage)?.[0];
  if (old) URL.revokeObjectURL(old);
  target.style.backgroundImage = picture ? `url("${URL.createObjectURL(picture)}")` : "";
}

export class Screen {
  private rfb: RFB | null = null;
  private readonly meter = new Meter();
  private closed = false;
  private cursorHost: HTMLElement | null = null;
  private canvas: HTMLCanvasElement | null = null;
  private target: HTMLElement | null = null;

  /** Connects inside `target`; throws an ApiError when the server gives no ticket. */
  static async open(target: HTMLElement, desktop: string, scaling: Scaling, quality: Quality, events: Events): Promise<Screen> {
    const [{ url, ticket }, layout] = await Promise.all([api.connect(desktop), guessLayout()]);
    const screen = new Screen();
    screen.start(target, Screen.address(target, url, layout, scaling), ticket, scaling, quality, events);
    return screen;
  }

  private static address(target: HTMLElement, path: string, layout: string, scaling: Scaling): string {
    const query = new URLSearchParams({ layout });
    if (scaling === "remote") {
      query.set("width", String(target.clientWidth));
      query.set("height", String(target.clientHeight));
    }
    return `wss://${location.host}${path}?${query}`;
  }

  private start(target: HTMLElement, address: string, ticket: string, scaling: Scaling, quality: Quality, events: Events): void {
    const channel = new WebSocket(address, ["binary", `ticket.${ticket}`]);
    const how: Ended = { byServer: false, code: 1006, reason: "", end: null };
    this.target = target;
    channel.addEventListener("close", ({ code, reason }) => {
      how.byServer = code !== 1006;
      how.code = code;
      how.reason = reason;
    });
    const rfb = new RFB(target, channel, { shared: true });
    this.rfb = rfb;
    rfb.focusOnClick = true;
    rfb.showDotCursor = false;
    rfb.background = "transparent";
    rfb.qualityLevel = QUALITIES[quality];
    this.scale(scaling);
    this.meter.watch(rfb, channel);
    this.hideCursorCanvas(rfb);
    this.hearOut(rfb, channel, how);
    rfb.addEventListener("connect", () => {
      this.canvas = target.querySelector("canvas");
      showBehind(target, null);
      rfb.focus({ preventScroll: true });
      events.connected();
    });
    rfb.addEventListener("desktopname", (event) => {
      const [, why, text] = END_NAME.exec((event as CustomEvent<{ name: string }>).detail.name) ?? [];
      if (why) how.end = { why: Number(why), text: text ?? "" };
    });
    rfb.addEventListener("disconnect", () => {
      this.meter.stop();
      this.cursorHost?.remove();
      if (this.closed) return;
      this.keepPicture();
      events.ended(how);
    });
    rfb.addEventListener("clipboard", (event) => {
      const { text } = (event as CustomEvent<{ text: string }>).detail;
      void navigator.clipboard?.writeText(text).catch(() => undefined);
    });
  }

  /** noVNC throws away what it has not got to when the socket closes, and its decoder may be behind: the last words,
   * which say why, are in there. A connection that broke has none. */
  private hearOut(rfb: RFB, channel: WebSocket, how: Ended): void {
    const closed = channel.onclose;
    channel.onclose = (event) => {
      const until = performance.now() + HEAR_OUT_MS;
      const wait = () => {
        if (how.byServer && !how.end && rfb._sock.rQlen() > 0 && performance.now() < until) setTimeout(wait, 50);
        else closed?.call(channel, event);
      };
      wait();
    };
  }

  /** On touch screens noVNC draws the pointer on a canvas of its own in the body. It belongs to the pointer, not to the
   * page: it goes where neither styles nor scripts of the page find it. */
  private hideCursorCanvas(rfb: RFB): void {
    const canvas = rfb._cursor._canvas;
    if (canvas.parentNode !== document.body) return;
    this.cursorHost = document.createElement("div");
    this.cursorHost.attachShadow({ mode: "closed" }).append(canvas);
    document.body.append(this.cursorHost);
  }

  private keepPicture(): void {
    const { target } = this;
    if (target) this.canvas?.toBlob((picture) => showBehind(target, picture));
  }

  /** Nothing comes any more: the last picture stays in sight while another connection is made. */
  abandon(): void {
    this.keepPicture();
    this.close();
  }

  close(): void {
    this.closed = true;
    this.meter.stop();
    this.rfb?.disconnect();
    this.rfb = null;
    this.cursorHost?.remove();
  }

  /** At 1:1 the browser's own scroll bars move over a larger desktop; fingers find none, they drag the picture. */
  scale(scaling: Scaling): void {
    if (!this.rfb) return;
    this.rfb.clipViewport = scaling === "one" && hasTouch();
    this.rfb.scaleViewport = scaling !== "one";
    this.rfb.resizeSession = scaling === "remote";
  }

  /** Dragging moves the picture, instead of the mouse. */
  drag(on: boolean): void {
    if (this.rfb) this.rfb.dragViewport = on;
  }

  /** Asks whether the other side is there; silent() tells. */
  probe(): void {
    if (this.rfb) this.meter.probe(this.rfb);
  }

  silent(): boolean {
    return this.rfb !== null && this.meter.silent();
  }

  quality(quality: Quality): void {
    if (this.rfb) this.rfb.qualityLevel = QUALITIES[quality];
  }

  key(name: KeyName, down?: boolean): void {
    const [keysym, code] = keys[name];
    this.rfb?.sendKey(keysym, code, down);
  }

  type(text: string): void {
    for (const character of text) this.rfb?.sendKey(keysymOf(character), null);
  }

  ctrlAltDel(): void {
    this.rfb?.sendCtrlAltDel();
  }

  focus(): void {
    this.rfb?.focus({ preventScroll: true });
  }

  stats(): Stats {
    return this.rfb ? this.meter.stats() : noStats;
  }
}
