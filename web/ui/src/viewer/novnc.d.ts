// What of noVNC 1.7.0 is used here. Members with an underscore are its internals: they are only watched, for
// window.fernwerk.stats(), and the version is pinned.
declare module "@novnc/novnc" {
  interface Sock {
    rQlen(): number;
    rQwait(message: string, count: number, goback?: number): boolean;
    /** A copy. */
    rQpeekBytes(count: number): Uint8Array<ArrayBuffer>;
    rQskipBytes(count: number): void;
    rQshiftStr(count: number): string;
  }

  interface Rectangle {
    x: number;
    y: number;
    width: number;
    height: number;
    encoding: number | null;
  }

  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });
    static messages: { clientFence(sock: Sock, flags: number, payload: string): void };
    viewOnly: boolean;
    focusOnClick: boolean;
    clipViewport: boolean;
    dragViewport: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    showDotCursor: boolean;
    background: string;
    qualityLevel: number;
    compressionLevel: number;
    disconnect(): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    sendCtrlAltDel(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    clipboardPasteFrom(text: string): void;

    _sock: Sock;
    _FBU: Rectangle;
    _supportsFence: boolean;
    _cursor: { _canvas: HTMLCanvasElement };
    _handleDataRect(): boolean;
    _framebufferUpdate(): boolean;
    _handleServerFenceMsg(): boolean;
  }
}
