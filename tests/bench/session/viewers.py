"""The clients as a bench needs them: connect, tell when the first picture stood, stop and start the card."""

import time

import processes
from lib import card
from lib.browser import Browser
from lib.clients import TigerVnc, XFreeRdp
from lib.wait import until
from window import HEIGHT, WIDTH, XFREERDP_AT, TIGERVNC_AT, Window

GREETER_GROUND = (18, 22, 27)
F8 = "\ue038"


class CardWindow(Window):
    """One that shows the test card."""

    def _milliseconds_until(self, shown, what, seconds=120):
        def look():
            self.check()
            return shown()
        until(look, seconds, lambda: f"{what}; the log ends:\n{self.client.demo.log_tail(20)}", pause=0.001)
        return (time.monotonic() - self.since) * 1000

    def card_ms(self):
        """From the TCP connection to the whole test card."""
        return self._milliseconds_until(lambda: card.is_card(self.picture()), "the card")

    def client_ms(self):
        """The client's own processor time since the TCP connection."""
        return (processes.processor_seconds(self.client.process.pid) - self.spent) * 1000

    def vm_ms(self):
        """From the TCP connection to the first picture that is the VM's and not a greeter's."""
        def greeter(picture):  # wherever the viewer puts it, and however large
            some = picture[::8, ::8].astype(int)
            return (abs(some - GREETER_GROUND).max(axis=2) < 6).mean() > 0.2

        def shown():  # a VM that is quick comes before any greeter
            picture = self.picture()
            return picture.any() and not greeter(picture)
        return self._milliseconds_until(shown, "the VM's picture")

    def frame(self):
        """The number of the frame that is shown; None: no card is."""
        picture = self.picture()
        return card.frame_number(picture) if card.is_card(picture) else None

    def press_f8(self):
        self.client.screen.focus_at(WIDTH // 2, HEIGHT // 2)
        self.client.key("F8")


def rdp(screen, demo):
    return CardWindow(demo.json["rdp"], XFreeRdp(screen, demo, XFreeRdp.AVC420, width=WIDTH, height=HEIGHT,
                                                 extra=["/window-position:0x0"]), *XFREERDP_AT)


def vnc(screen, demo):
    return CardWindow(demo.json["vnc"], TigerVnc(screen, demo, width=WIDTH, height=HEIGHT), *TIGERVNC_AT)


# Notes inside the page when the button was pressed, the WebSocket opened, the card on the viewer's canvas.
WATCH = """
self.bench = {};
addEventListener("click", () => { bench.login ??= performance.now(); }, true);
self.WebSocket = new Proxy(WebSocket, {
  construct(Real, rest) { bench.connect ??= performance.now(); return new Real(...rest); }
});
const bars = [[255,255,255],[255,255,0],[0,255,255],[0,255,0],[255,0,255],[255,0,0],[0,0,255],[0,0,0]];
function readCard() {
  const canvas = document.querySelector("canvas");
  if (!canvas || canvas.width < 512) return null;
  const picture = canvas.getContext("2d");
  const row = picture.getImageData(0, 112, canvas.width, 1).data;
  const isCard = bars.every((bar, i) => bar.every((level, c) =>
      Math.abs(row[4 * Math.floor((2 * i + 1) * canvas.width / 16) + c] - level) < 48));
  const cells = picture.getImageData(0, 8, 512, 1).data;
  let number = 0;
  for (let i = 0; i < 32; i++) number = 2 * number + (cells[4 * (16 * i + 8)] >= 128);
  return isCard ? number : null;
}
function look() {
  if (readCard() !== null) bench.card = performance.now();
  else requestAnimationFrame(look);
}
requestAnimationFrame(look);
"""


class Page:
    """Chromium at the portal, logged in by its form."""

    def __init__(self, demo):
        self.demo = demo
        self.browser = Browser(demo, WIDTH, HEIGHT)

    def __enter__(self):
        self.browser.__enter__()
        try:
            self.browser.call("POST", "/goog/cdp/execute", {"cmd": "Page.addScriptToEvaluateOnNewDocument",
                                                            "params": {"source": WATCH}})
            self.browser.log_in(self.demo.user()["name"], self.demo.user()["password"])
        except BaseException:
            self.browser.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.browser.__exit__()

    def times(self):
        """Milliseconds to the card: from the WebSocket, and from the press of "Log in"."""
        seen = until(lambda: self.browser.script("return bench.card && bench"), 120,
                     lambda: f"the card; the page says {self.browser.text()!r}\n{self.demo.log_tail(20)}")
        return seen["card"] - seen["connect"], seen["card"] - seen["login"]

    def frame(self):
        """The number of the frame that is shown; None: no card is. Read in the page: a whole picture takes long."""
        return self.browser.script("return readCard()")

    def press_f8(self):
        self.browser.pointer(WIDTH // 2, HEIGHT // 2)
        self.browser.press(F8)
