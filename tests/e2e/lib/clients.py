"""The real clients: RDP and VNC viewers on a Screen. Each is a context manager that ends its process."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from lib import card
from lib.wait import until


class Client:
    """A viewer that shows the desktop in a window of width x height px somewhere on its screen."""

    def __init__(self, screen, demo, width=1024, height=768):
        self.screen, self.demo = screen, demo
        self.width, self.height = width, height
        self.process = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        return self.screen.env

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="fernwerk-client-")
        self.log = open(f"{self.home}/log", "w+")
        self.prepare()
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command(), env={**self.environment(), "HOME": self.home},
                                        stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT)
        self.started()
        return self

    def prepare(self):
        """What has to stand in self.home before the program starts."""

    def started(self):
        """What has to be typed or clicked before it connects."""

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the program; its TCP connection ends with it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.log.closed:
            self.log.close()

    def output(self):
        with open(f"{self.home}/log", errors="replace") as file:
            return file.read()

    def offset(self):
        """Where the desktop's picture begins on the screen."""
        return self.screen.find_area(self.width, self.height) or (0, 0)

    def picture(self):
        x, y = self.offset()
        return self.screen.picture()[y:y + self.height, x:x + self.width]

    def wait_card(self, seconds=30):
        """The first whole test card of the client's own size; returns the seconds since the client's start."""
        def shown():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.command()[0]} ended with {self.process.returncode}:\n{self.output()[-3000:]}")
            return card.is_card(self.picture())
        until(shown, seconds, lambda: f"the card in {type(self).__name__}; it says:\n{self.output()[-2000:]}\n"
                                      f"Fernwerk says:\n{self.demo.log_tail()}")
        return time.monotonic() - self.began

    def wait_end(self, seconds=15):
        """Waits for the client to end by itself; returns its status."""
        return until(lambda: self.process.poll() is not None or None, seconds, "the client's end") and \
            self.process.returncode

    def focus(self):
        x, y = self.offset()
        self.screen.focus_at(x + self.width // 2, y + self.height // 2)

    def key(self, *names):
        self.screen.do("key", *names)

    def type(self, text):
        """Types it as the screen's keyboard has it."""
        self.screen.do("type", "--delay", 30, text)

    def number(self):
        """The card's frame number as shown now, None while no card is."""
        return card.frame_number(self.picture())

    def click(self, x, y, button=1):
        left, top = self.offset()
        self.screen.do("mousemove", left + x, top + y, "sleep", 0.1, "click", button)


class XFreeRdp(Client):
    """xfreerdp3; `graphics` is one of the argument lists below. With user="" it brings no name and no password."""

    AVC420 = ["/gfx:AVC420"]
    AVC444 = ["/gfx:AVC444"]
    GFX = ["/gfx:AVC420:off,AVC444:off"]
    BITMAPS = ["/bpp:24"]  # the pipeline asks for 32 bits

    def __init__(self, screen, demo, graphics, user=None, password=None, extra=(), **size):
        super().__init__(screen, demo, **size)
        self.graphics, self.extra = graphics, list(extra)
        self.user = demo.user()["name"] if user is None else user
        self.password = demo.user()["password"] if password is None else password

    def command(self):
        return ["xfreerdp3", f"/v:{self.demo.host}:{self.demo.json['rdp']}", f"/u:{self.user}", f"/p:{self.password}",
                "/cert:ignore", "/sec:tls", f"/size:{self.width}x{self.height}", "-decorations", "/log-level:WARN",
                *self.graphics, *self.extra]


class Rdesktop(Client):
    """rdesktop: an RDP client without any of FreeRDP's code, graphics pipeline or H.264."""

    def __init__(self, screen, demo, depth=24, **size):
        super().__init__(screen, demo, **size)
        self.depth = depth

    def command(self):
        user = self.demo.user()
        keymap = {"us": "en-us"}.get(self.screen.layout, self.screen.layout)
        return ["rdesktop", "-u", user["name"], "-p", user["password"], "-g", f"{self.width}x{self.height}+0+0", "-a",
                str(self.depth), "-x", "l", "-D", "-k", keymap, f"{self.demo.host}:{self.demo.json['rdp']}"]

    def started(self):
        # It asks whether to trust a certificate of an unknown authority.
        self.process.stdin.write(b"yes\n")
        self.process.stdin.flush()


class TigerVnc(Client):
    """TigerVNC's viewer over VeNCrypt, checking the certificate against the instance's authority. `security` X509None
    brings no account."""

    def __init__(self, screen, demo, user=None, password=None, security="X509Plain", extra=(), **size):
        super().__init__(screen, demo, **size)
        self.security = security
        self.extra = list(extra)
        self.user = user or demo.user()["name"]
        self.password = demo.user()["password"] if password is None else password

    def environment(self):
        return {**self.screen.env, "VNC_USERNAME": self.user, "VNC_PASSWORD": self.password}

    def command(self):
        return ["xtigervncviewer", "-SecurityTypes", self.security, "-X509CA", self.demo.json["ca"], "-RemoteResize=1",
                f"-DesktopSize={self.width}x{self.height}", "-geometry", f"{self.width}x{self.height}+0+0",
                "-ReconnectOnError=0", "-AlertOnFatalError=0", "-NoJPEG=1", "-MenuKey=Pause", *self.extra,
                f"{self.demo.host}::{self.demo.json['vnc']}"]


class GVncViewer(Client):
    """gvncviewer (gtk-vnc): the other viewer. It asks for the account in a dialog and knows ports by display number."""

    def prepare(self):
        os.makedirs(f"{self.home}/.pki/CA")
        shutil.copyfile(self.demo.json["ca"], f"{self.home}/.pki/CA/cacert.pem")

    def command(self):
        # It looks for authorities below the home of the password file and nowhere else: so that home is a mount of ours.
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" ~root && exec gvncviewer "$1"', self.home,
                f"{self.demo.host}:{self.demo.json['vnc'] - 5900}"]

    def offset(self):
        """Its window is as wide as the desktop, under a menu."""
        area = self.screen.named_area("GVncViewer")
        return (area[0], area[1] + area[3] - self.height) if area else (0, 0)

    def started(self):
        user = self.demo.user()
        dialog = self.screen.window("Authentication required")
        self.screen.do("windowfocus", dialog)
        self.screen.do("type", user["name"])
        self.screen.do("key", "Tab")
        self.screen.do("type", user["password"])
        self.screen.do("key", "Tab", "Tab", "space")  # past Cancel to Ok
