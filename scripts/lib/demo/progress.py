"""What the demo tells its user: one line a step, with the time it took."""

import contextlib
import os
import subprocess
import sys
import time


class DemoError(Exception):
    """Something the user has to know; the text is for him."""


def show(text, end="\n"):
    """Prints to whoever looks; a terminal that was closed must not keep the demo from ending what it started."""
    with contextlib.suppress(OSError):
        print(text, end=end, file=sys.stderr, flush=True)


def say(text):
    show(text)


def tail(path, lines=20):
    """The last lines of a log, empty when there is none."""
    try:
        with open(path, errors="replace") as log:
            return "".join(log.readlines()[-lines:]).rstrip()
    except OSError:
        return ""


class Step:
    """`with Step("building"):` prints the text at once, and the seconds once done, also every few on a terminal."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        self.began = time.monotonic()
        self.shown = self.began
        show(f"{self.text} ... ", "")
        return self

    def tick(self, detail=""):
        """Shows that the step goes on; call it while waiting."""
        now = time.monotonic()
        if now - self.shown < 1:
            return
        if sys.stderr.isatty():
            show(f"\r\033[K{self.text} ... {now - self.began:.0f} s {detail}", "")
            self.shown = now
        elif now - self.shown >= 10:
            show(f"{now - self.began:.0f} s ... ", "")
            self.shown = now

    def __exit__(self, kind, value, traceback):
        took = time.monotonic() - self.began
        if sys.stderr.isatty():
            show(f"\r\033[K{self.text} ... ", "")
        say("failed" if kind else f"{took:.1f} s")


def run_logged(text, command, log, env=None):
    """Runs a command of some length as one step; its output goes to `log`, whose end is shown on failure."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as output, Step(text) as step:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env)
        try:
            while process.poll() is None:
                step.tick()
                time.sleep(0.1)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            raise DemoError(f"{' '.join(command)} failed with status {process.returncode}; the end of {log}:\n{tail(log)}")
