"""Input to pixel: a key press at the tiny guest until its answer is on the client's display."""

import contextlib
import ctypes
import random
import time

import numpy

from lib import card
from lib.wait import until
from servers import ByPage, ByRdp, ByVnc, Relayed
from window import HEIGHT, WIDTH

PRESSES = 60
LOOK_S = 0.0005
KEY_AREA = slice(40, 56), slice(8, 200)  # where the card writes the last key (docs/test-card.md)
DIFFERENT = 64                           # levels; less is a lossy codec's
KEYS = ["a", "s"]                        # in turn: each press changes the text
PATIENCE_S = 20


class Keyboard:
    """The keyboard of an X screen, without the time that starting xdotool takes."""

    def __init__(self, screen):
        self.x, self.test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XStringToKeysym.restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(screen.name.encode()))
        assert self.display, f"no X server {screen.name}"

    def close(self):
        self.x.XCloseDisplay(self.display)

    def event(self, key, down):
        """The X server has it when this returns."""
        code = self.x.XKeysymToKeycode(self.display, ctypes.c_ulong(self.x.XStringToKeysym(key.encode())))
        self.test.XTestFakeKeyEvent(self.display, ctypes.c_uint(code), ctypes.c_int(down), ctypes.c_ulong(0))
        self.x.XSync(self.display, 0)


class Tiny:
    """The tiny guest's desktop of a demo."""

    def __init__(self, demo):
        self.demo = self.target = demo
        self.port = demo.json[self.PORT]
        self.account = demo.user()["name"], demo.user()["password"]


class TinyByRdp(ByRdp, Tiny):
    pass


class TinyByVnc(ByVnc, Tiny):
    pass


class TinyByPage(ByPage, Tiny):
    pass


SERVERS = {"fernwerk-rdp": TinyByRdp, "fernwerk-vnc": TinyByVnc, "fernwerk-web": TinyByPage}


class Card:
    """A client's window that shows the card, and the keyboard before it."""

    def __init__(self, window, keyboard):
        self.window, self.keyboard = window, keyboard
        self.area = window.screen.pixels[window.top:window.top + HEIGHT, window.left:window.left + WIDTH]
        self.key_area = self.area[KEY_AREA][..., :3]

    def shown(self):
        self.window.check()
        return card.is_card(self.area[..., 2::-1])

    def answer(self, key, down):
        """Seconds from this event until the card's answer is seen."""
        before = self.key_area.astype(int)
        begin = time.monotonic()
        self.keyboard.event(key, down)
        while not (numpy.abs(self.key_area - before) > DIFFERENT).any():
            if time.monotonic() > begin + PATIENCE_S:
                self.window.check()
                raise AssertionError(f"no answer to a key within {PATIENCE_S} s")
            time.sleep(LOOK_S)
        return time.monotonic() - begin

    def moves(self):
        first = card.frame_number(self.area[..., 2::-1])
        time.sleep(1)
        return card.frame_number(self.area[..., 2::-1]) != first

    def freeze(self):
        """So that nothing but the answer changes."""
        self.window.screen.focus_at(self.window.left + WIDTH // 2, self.window.top + HEIGHT // 2)
        self.window.screen.do("click", 1)
        time.sleep(1)
        if self.moves():
            self.answer("F8", True)
            self.answer("F8", False)
            until(lambda: not self.moves(), 10, "a card that stands still")


def round_of(name, tools, link):
    """The round's figures, as measure.round_of has them."""
    server = SERVERS[name](tools.tiny)
    pause = random.Random(0)
    with contextlib.ExitStack() as stack:
        if link:
            server.target = Relayed(server, *link)
            stack.callback(server.target.close)
        window = stack.enter_context(server.opened(tools.screen(0)))
        keyboard = Keyboard(window.screen)
        stack.callback(keyboard.close)
        seen = Card(window, keyboard)
        until(seen.shown, 120, lambda: f"the card; the client says:\n{window.output()[-2000:]}", pause=0.2)
        seen.freeze()
        answers = []
        for i in range(PRESSES):
            # At any moment of whatever has a rhythm.
            time.sleep(pause.uniform(0.15, 0.35))
            answers.append(seen.answer(KEYS[i % len(KEYS)], True))
            seen.answer(KEYS[i % len(KEYS)], False)
    p50, p95 = numpy.percentile(answers, [50, 95]) * 1000
    return {"lat_p50_ms": float(p50), "lat_p95_ms": float(p95), "presses": PRESSES}
