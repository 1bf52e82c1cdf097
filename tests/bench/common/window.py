"""A real client's window on a Framebuffer."""

import os
import re
import shutil
import subprocess
import tempfile
import time

import processes
from lib.wait import until

WIDTH, HEIGHT = 1920, 1080
ROOM = 80  # px that a screen has beyond that, for what viewers put around a picture
# Where the clients' pictures begin; no window manager moves them. xfreerdp3 needs /window-position:0x0 for it.
XFREERDP_AT, TIGERVNC_AT = (0, 0), (1, 20)
ESTABLISHED = "01"


def connected(port):
    """Whether somebody has a TCP connection to this port of 127.0.0.1."""
    with open("/proc/net/tcp") as file:
        return any(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == ESTABLISHED for line in file)


class Libraries:
    """Copies of a client's libraries for it to use: pages shared with it would lessen what the server seems to need."""

    def __init__(self, *programs):
        self.folder = tempfile.mkdtemp(prefix="fernwerk-bench-lib-")
        for program in programs:
            listing = subprocess.run(["ldd", shutil.which(program)], capture_output=True, text=True, check=True).stdout
            for path in re.findall(r"=> (/\S+)", listing):
                if not os.path.exists(f"{self.folder}/{os.path.basename(path)}"):
                    shutil.copy(path, self.folder)

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


class Window:
    """A viewer (lib.clients) on a Framebuffer; `left` and `top` are where its picture begins there. `alone`: no other
    client uses the port."""

    def __init__(self, port, client, left, top, alone=True):
        self.port, self.client, self.alone = port, client, alone
        self.screen = client.screen
        self.left, self.top = left, top

    def __enter__(self):
        until(lambda: not self.screen.picture(64, 64).any() and not (self.alone and connected(self.port)), 20,
              "the last client's end")
        self.client.__enter__()
        try:
            until(lambda: connected(self.port), 60, self.client.output, pause=0.0005)
        except BaseException:
            self.client.close()
            raise
        self.since = time.monotonic()
        self.spent = processes.processor_seconds(self.client.process.pid)
        return self

    def __exit__(self, *_):
        self.client.close()
        shutil.rmtree(self.client.home, ignore_errors=True)

    def picture(self):
        return self.screen.picture()[self.top:self.top + HEIGHT, self.left:self.left + WIDTH]

    def check(self):
        """Fails when the client has ended."""
        if self.client.process.poll() is not None:
            raise AssertionError(f"the client has ended:\n{self.client.output()}")

    def output(self):
        """What the client says."""
        return self.client.output()

