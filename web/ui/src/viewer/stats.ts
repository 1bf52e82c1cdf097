// What really comes over the wire, watched inside noVNC: encodings, frames, bytes, round trips, and when it falls silent.
import RFB from "@novnc/novnc";

export interface Stats {
  /** The encoding that filled most of the screen lately, e.g. "h264", "tight"; "" before the first picture. */
  encoding: string;
  /** Framebuffer updates with at least one rectangle of pixels. */
  frames: number;
  /** Bytes received over the WebSocket. */
  bytes: number;
  /** Round trip of the newest fence; null when the server does not answer fences. */
  rttMs: number | null;
  /** Rectangles by encoding since the connection began. */
  rectangles: Record<string, number>;
}

const names: Record<number, string> = {
  0: "raw", 1: "copyrect", 2: "rre", 5: "hextile", 6: "zlib", 7: "tight", 16: "zrle", 21: "jpeg", 50: "h264",
  [-260]: "tightpng",
};
const COPYRECT = 1;
const WINDOW_MS = 2000;
const FENCE_EVERY_MS = 2000; // while something passes
const FENCE_QUIET_MS = 30_000; // else: a still picture costs next to nothing
const TICK_MS = 500;
const SILENT_MS = 10_000; // an unanswered fence and not a byte for so long: the connection is dead
const PROBE_MS = 3000; // the same when there is reason to doubt
const FENCE_HEAD = 8; // padding 3, flags 4, length of the payload 1
const FENCE_REQUEST = 0x80000000;
const FENCE_MARK = "fw";

export class Meter {
  private frames = 0;
  private bytes = 0;
  private rtt: number | null = null;
  private rectangles: Record<string, number> = {};
  private recent: { at: number; encoding: string; area: number }[] = [];
  private last = "";
  private fenceSent = 0;
  private lastFence = 0;
  private sends = 0; // messages to the server, the fences' own included
  private passed = 0; // frames and messages up to the last fence
  private heard = false;
  private quietMs = 0;
  private patience = SILENT_MS;
  private timers: ReturnType<typeof setInterval>[] = [];

  watch(rfb: RFB, channel: WebSocket): void {
    channel.addEventListener("message", (event: MessageEvent<ArrayBuffer | string>) => {
      this.heard = true;
      this.patience = SILENT_MS;
      this.bytes += typeof event.data === "string" ? event.data.length : event.data.byteLength;
    });
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      this.sends++;
      send(data);
    };
    this.watchRectangles(rfb);
    this.watchFences(rfb);
    this.timers = [setInterval(() => this.timeFence(rfb), FENCE_EVERY_MS), setInterval(() => this.listen(), TICK_MS)];
  }

  stop(): void {
    this.timers.forEach(clearInterval);
  }

  /** Asks at once, unless an answer is owed already, and waits less long than usual for a sign of life. */
  probe(rfb: RFB): void {
    this.quietMs = 0;
    this.patience = PROBE_MS;
    this.sendFence(rfb);
  }

  /** The other side owes an answer and has said nothing for too long. A slow link that still brings bytes is none. */
  silent(): boolean {
    return this.quietMs > this.patience;
  }

  /** Counted in ticks and not by the clock: a page that slept, or a machine that is too busy, has not listened. */
  private listen(): void {
    if (document.hidden) return;
    this.quietMs = this.fenceSent && !this.heard ? this.quietMs + TICK_MS : 0;
    this.heard = false;
  }

  stats(): Stats {
    const since = performance.now() - WINDOW_MS;
    const areas = new Map<string, number>();
    for (const { at, encoding, area } of this.recent) {
      if (at >= since) areas.set(encoding, (areas.get(encoding) ?? 0) + area);
    }
    const [top] = [...areas].sort((a, b) => b[1] - a[1]);
    return {
      encoding: top?.[0] ?? this.last, frames: this.frames, bytes: this.bytes, rttMs: this.rtt,
      rectangles: { ...this.rectangles },
    };
  }

  private watchRectangles(rfb: RFB): void {
    const rectangle = rfb._handleDataRect.bind(rfb);
    const update = rfb._framebufferUpdate.bind(rfb);
    let pixels = false;
    rfb._handleDataRect = () => {
      const { encoding, width, height } = rfb._FBU;
      const complete = rectangle();
      if (complete && encoding !== null) {
        pixels = true;
        this.count(encoding, width * height);
      }
      return complete;
    };
    rfb._framebufferUpdate = () => {
      const complete = update();
      if (complete && pixels) {
        this.frames++;
        pixels = false;
      }
      return complete;
    };
  }

  private count(encoding: number, area: number): void {
    const name = names[encoding] ?? String(encoding);
    const now = performance.now();
    this.rectangles[name] = (this.rectangles[name] ?? 0) + 1;
    if (encoding === COPYRECT) return;
    this.last = name;
    this.recent.push({ at: now, encoding: name, area });
    if (this.recent.length > 512) this.recent = this.recent.filter(({ at }) => at >= now - WINDOW_MS).slice(-256);
  }

  /** noVNC only answers fences, and takes an answer for an error: answers, which are all to ours, never get to it. */
  private watchFences(rfb: RFB): void {
    const handle = rfb._handleServerFenceMsg.bind(rfb);
    rfb._handleServerFenceMsg = () => {
      const sock = rfb._sock;
      if (sock.rQwait("fence", FENCE_HEAD, 1)) return false;
      const head = new DataView(sock.rQpeekBytes(FENCE_HEAD).buffer);
      const length = head.getUint8(7);
      if (head.getUint32(3) >= FENCE_REQUEST) return handle();
      if (sock.rQwait("fence payload", FENCE_HEAD + length, 1)) return false;
      sock.rQskipBytes(FENCE_HEAD);
      if (sock.rQshiftStr(length) === FENCE_MARK && this.fenceSent) {
        this.rtt = Math.round((performance.now() - this.fenceSent) * 10) / 10;
        this.fenceSent = 0;
      }
      return true;
    };
  }

  private timeFence(rfb: RFB): void {
    const quiet = this.frames + this.sends === this.passed;
    if (!quiet || performance.now() - this.lastFence >= FENCE_QUIET_MS) this.sendFence(rfb);
  }

  private sendFence(rfb: RFB): void {
    if (!rfb._supportsFence || this.fenceSent || document.hidden) return;
    this.fenceSent = this.lastFence = performance.now();
    RFB.messages.clientFence(rfb._sock, FENCE_REQUEST, FENCE_MARK);
    this.passed = this.frames + this.sends;
  }
}
