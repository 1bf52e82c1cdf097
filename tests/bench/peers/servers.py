"""The servers that are compared: what they have in common, and Fernwerk by its three ways. Its peers: peers.py.

A server is a context manager for one session of a workload: once entered it shows the recording. `opened(screen)` is
the window of a client that connects to `target` when it is entered, `port` the server's own, `pids()` are all the
server's processes, `of_session()` those of Fernwerk that serve this session alone, each with its program, `played()`
tells when each frame appeared.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import processes
from lib.clients import TigerVnc, XFreeRdp
from lib.page import Page
from lib.wait import until
from window import HEIGHT, TIGERVNC_AT, WIDTH, XFREERDP_AT, Window

# TigerVNC's viewer with its own defaults, but fixed: it would choose by what it believes of the network.
# Without a menu it does not write over the picture for five seconds which key opens it.
TIGHT = ["-AutoSelect=0", "-PreferredEncoding=Tight", "-FullColor=1", "-QualityLevel=8", "-CompressLevel=2",
         "-NoJPEG=0", "-MenuKey=", "-Shared=1"]
LISTENS = "0A"
AT_TOP_LEFT = ["/window-position:0x0"]


def rdp_window(screen, target, user, password, graphics=XFreeRdp.AVC420):
    client = XFreeRdp(screen, target, graphics, user=user, password=password, width=WIDTH, height=HEIGHT,
                      extra=AT_TOP_LEFT)
    return Window(target.json["rdp"], client, *XFREERDP_AT, alone=False)


def vnc_window(screen, target, security, user, password):
    client = TigerVnc(screen, target, user=user, password=password, security=security, width=WIDTH, height=HEIGHT,
                      extra=TIGHT)
    return Window(target.json["vnc"], client, *TIGERVNC_AT, alone=False)


def listens(port):
    with open("/proc/net/tcp") as file:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == LISTENS for line in file)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Appeared:
    """When frames appeared: `at[i]` is the time of the i-th since the source began, s of CLOCK_MONOTONIC, `drawing[i]`
    the processor time in s that drawing it took inside the server's processes: a VM's or an application's work."""

    def __init__(self):
        self.at, self.drawing = [], []


class Relayed:
    """What clients connect to, seen through a slow link (relay.py). later: Mbit/s after step(), or None."""

    def __init__(self, server, rtt_ms, mbit_s, later=None):
        self.target = server.target
        relay = f"{os.path.dirname(os.path.realpath(__file__))}/relay.py"
        numbers = [server.port, rtt_ms, mbit_s, *([later] if later else [])]
        self.relay = subprocess.Popen([sys.executable, relay, *map(str, numbers)], stdout=subprocess.PIPE, text=True)
        port = int(self.relay.stdout.readline())
        self.json = {**self.target.json, **{name: port for name in ("rdp", "vnc", "https")
                                            if self.target.json.get(name) == server.port}}

    def __getattr__(self, name):
        return getattr(self.target, name)

    def step(self):
        """The link's rate changes now."""
        self.relay.send_signal(signal.SIGUSR1)

    def close(self):
        self.relay.kill()
        self.relay.wait()
        self.relay.stdout.close()


class Desktops:
    """A demo whose desktops show recordings."""

    def __init__(self, demo):
        self.demo, self.users = demo, {}

    def user(self, name, template, recording, video):
        """The user of the desktop of that name, made when it is first asked for."""
        if name not in self.users:
            # Below the demo's folder every process can reach it.
            path = f"{self.demo.directory}/{os.path.basename(recording)}"
            if not os.path.exists(path):
                try:
                    os.link(recording, path)
                except OSError:  # another file system
                    shutil.copy(recording, path)
            self.users[name] = self.demo.add_pattern_user(f"u-{name}", name, template=template, image=path,
                                                          video=video, width=WIDTH, height=HEIGHT)
        return self.users[name]


class Fernwerk:
    """A desktop that shows a recording; HINTS: its damage is exact, else always the whole screen."""

    HINTS = True
    LINE = re.compile(r"fernwerk-seat\S* (\S+): replay: (\d+) frames from (\d+) on, drawn in (\d+) us, "
                      r"appeared at (\d+) us((?: \+\d+)*)")

    def __init__(self, tools, workload, recording, number):
        self.tools, self.demo, self.recording = tools, tools.desktops.demo, recording
        self.template = workload if self.HINTS else f"{workload}-nohints"
        self.desktop = f"{self.template}-{number}"
        self.port = self.demo.json[self.PORT]
        self.target = self.demo

    def __enter__(self):
        user = self.tools.desktops.user(self.desktop, self.template, self.recording,
                                        "virtio" if self.HINTS else "vga")
        self.account = user["name"], user["password"]
        return self

    def __exit__(self, *_):
        until(lambda: not self.demo.cli("session", "list"), 30, "the end of the session", pause=0.2)

    def pids(self):
        """All of the demo's but the seats of other desktops, which stay for a while when their clients have left."""
        found = processes.of_demo(self.demo)
        return [pid for pid, (program, _) in found.items() if program != "fernwerk-seat" or self.is_ours(pid)]

    def is_ours(self, pid):
        return processes.is_of_desktop(pid, self.desktop)

    def of_session(self):
        return {pid: program for pid, (program, warm) in processes.of_demo(self.demo).items()
                if not warm and self.is_ours(pid)}

    def log_tail(self):
        return self.demo.log_tail()

    def played(self):
        appeared = Appeared()
        for desktop, count, first, drawing, base, rest in self.LINE.findall(self.demo.log_text()):
            if desktop != self.desktop:
                continue
            if int(first) == 0:
                appeared = Appeared()  # another seat
            times = [int(base), *(int(base) + int(more) for more in rest.split())]
            assert len(times) == int(count) and len(appeared.at) == int(first), f"frame {first} in the seat's log"
            appeared.at += [us / 1e6 for us in times]
            appeared.drawing += [int(drawing) / int(count) / 1e6] * len(times)
        return appeared


class PageWindow:
    """The portal's page in Chromium, so large that its viewer shows every pixel as one: as a Window."""

    WIDTH, HEIGHT = WIDTH, HEIGHT + 44  # what the toolbar takes
    PLACE = """const canvas = document.querySelector('canvas'), place = canvas && canvas.getBoundingClientRect();
               return place && canvas.width > 300 ? [place.x, place.y, place.width, place.height] : null"""

    def __init__(self, screen, page):
        self.screen, self.page = screen, page

    def __enter__(self):
        self.page.__enter__()
        try:
            self.left, self.top, width, height = map(int, until(lambda: self.page.script(self.PLACE), 30, "the viewer"))
            assert (width, height) == (WIDTH, HEIGHT), f"the page shows the desktop {width} x {height} px large"
        except BaseException:
            self.page.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.page.__exit__()

    def check(self):
        if self.page.driver.poll() is not None:
            raise AssertionError("Chromium has ended")

    def output(self):
        return self.page.text()


class ByRdp:
    """How one looks at Fernwerk by RDP: at `target`, as `account`."""

    PORT = "rdp"
    GRAPHICS = XFreeRdp.AVC420

    def opened(self, screen):
        return rdp_window(screen, self.target, *self.account, self.GRAPHICS)


class ByVnc:
    PORT = "vnc"

    def opened(self, screen):
        return vnc_window(screen, self.target, "X509Plain", *self.account)


class ByPage:
    PORT = "https"

    def opened(self, screen):
        return PageWindow(screen, Page(self.target, *self.account, width=PageWindow.WIDTH,
                                       height=PageWindow.HEIGHT, screen=screen))


class FernwerkRdp(ByRdp, Fernwerk):
    pass


class FernwerkRdp444(FernwerkRdp):
    GRAPHICS = XFreeRdp.AVC444


class FernwerkRdpFx(FernwerkRdp):
    GRAPHICS = XFreeRdp.GFX


class FernwerkVnc(ByVnc, Fernwerk):
    pass


class FernwerkWeb(ByPage, Fernwerk):
    pass


class FernwerkRdpNoHints(FernwerkRdp):
    HINTS = False


class FernwerkVncNoHints(FernwerkVnc):
    HINTS = False
