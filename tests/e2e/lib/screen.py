"""An X server of the test's own (Xvfb), what it shows and what one does at it."""

import os
import re
import subprocess

import numpy
from PIL import ImageGrab

from lib.wait import until


class Screen:
    """`with Screen(1280, 1024) as screen:`; .env is the environment of clients that shall appear on it."""

    program, prefix = "Xvfb", ()
    arguments = ()  # further ones for the X server

    def __init__(self, width=1280, height=1024, layout="us"):
        self.width, self.height, self.layout = width, height, layout

    def __enter__(self):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [*self.prefix, self.program, "-displayfd", str(write), *self.size_arguments(), "-nolisten", "tcp", "-noreset",
             "+extension", "RANDR", *self.arguments],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, f"{self.program} did not start"
        self.name = f":{number}"
        self.env = {**os.environ, "DISPLAY": self.name}
        self.env.pop("WAYLAND_DISPLAY", None)
        self.started(number)
        subprocess.run(["setxkbmap", self.layout], env=self.env, check=True)
        return self

    def started(self, number):
        """What has to be done before programs find the X server of that number."""

    def size_arguments(self):
        return ["-screen", "0", f"{self.width}x{self.height}x24"]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def picture(self, width=None, height=None):
        """The top left part of the screen; the cursor is not in it."""
        image = ImageGrab.grab(xdisplay=self.name).convert("RGB")
        return numpy.asarray(image)[:height or self.height, :width or self.width]

    def do(self, *arguments):
        """xdotool, e.g. do("mousemove", 100, 200, "click", 1)."""
        subprocess.run(["xdotool", *map(str, arguments)], env=self.env, check=True, capture_output=True, timeout=20)

    def focus_at(self, x, y):
        """Gives the window under a point the keyboard, as a window manager would: there is none here."""
        self.do("mousemove", x, y)
        place = subprocess.run(["xdotool", "getmouselocation", "--shell"], env=self.env, capture_output=True, text=True)
        self.do("windowfocus", re.search(r"WINDOW=(\d+)", place.stdout)[1])

    def _tree(self):
        return subprocess.run(["xwininfo", "-root", "-tree"], env=self.env, capture_output=True, text=True).stdout

    def named_area(self, title):
        """x, y, width and height of the first window whose title ends with `title`, None when there is none."""
        found = re.search(rf'{title}".* (\d+)x(\d+)[+-]\S+ +\+(-?\d+)\+(-?\d+)$', self._tree(), re.MULTILINE)
        return (int(found[3]), int(found[4]), int(found[1]), int(found[2])) if found else None

    def find_area(self, width, height):
        """Top left of a visible window of exactly this size, None when there is none."""
        tree = self._tree()
        # 0x200003 "title": ("class" "Class")  1024x768+0+0  +1+20
        for found in re.finditer(rf"^ .* {width}x{height}[+-]\S+ +\+(-?\d+)\+(-?\d+)$", tree, re.MULTILINE):
            return int(found[1]), int(found[2])
        return None

    def window(self, name, seconds=20):
        """The id of a visible window whose title contains name."""
        def find():
            done = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", name], env=self.env,
                                  capture_output=True, text=True)
            return done.stdout.split()[-1:]
        return until(find, seconds, f"a window named {name}")[0]
