"""xrdp with xorgxrdp, both of Debian 13, in a root of their own that xrdp-root makes."""

import os
import shutil
import subprocess
import tempfile

from lib.screen import Screen
from lib.wait import until
from peers import Peer
from recording import read_code
from servers import rdp_window
from window import HEIGHT, WIDTH

HERE = os.path.dirname(os.path.realpath(__file__))
SOCKETS = "/tmp/.X11-unix"
# With a port of its own a session needs neither sesman nor PAM: xrdp goes straight to the X server that we started.
CONFIGURATION = """[Globals]
ini_version=1
fork=true
port=tcp://{host}:{port}
tcp_nodelay=true
tcp_keepalive=true
security_layer=tls
certificate=/etc/xrdp/cert.pem
key_file=/etc/xrdp/key.pem
autorun=Xorg
allow_channels=true
bitmap_cache=true
bitmap_compression=true
bulk_compression=true
max_bpp=32
new_cursors=true
use_fastpath=both

[Logging]
LogFile={folder}/xrdp.log
LogLevel=INFO
EnableSyslog=false

[Channels]
drdynvc=true

[Xorg]
name=Xorg
lib=libxup.so
username=bench
password=bench
port={folder}/xrdp_display_{display}
code=20
"""


def install(folder):
    """Makes the root below this folder unless it is there."""
    subprocess.run([f"{HERE}/xrdp-root", folder], check=True)


class XorgScreen(Screen):
    """An X server with xorgxrdp; `folder` is one inside the root, for its sockets."""

    program = "/usr/lib/xorg/Xorg"

    def __init__(self, root, folder):
        super().__init__(WIDTH, HEIGHT)
        self.root, self.link = root, None
        self.prefix = ["env", f"XRDP_SOCKET_PATH={folder}", "chroot", root]
        self.arguments = ["-config", "xrdp/xorg.conf", "-ac", "-logfile", f"{folder}/Xorg.log"]

    def size_arguments(self):
        return []  # as large as its client's

    def started(self, number):
        # Its socket is inside the root. Not every Xlib finds the one without a path.
        link = f"{SOCKETS}/X{number}"
        if not os.path.lexists(link):
            os.makedirs(SOCKETS, mode=0o1777, exist_ok=True)
            os.symlink(f"{self.root}{SOCKETS}/X{number}", link)
            self.link = link

    def __exit__(self, *_):
        super().__exit__(*_)
        if self.link:
            os.unlink(self.link)


class Xrdp(Peer):
    """xrdp before an X server with xorgxrdp, which draws and encodes nothing while nobody looks."""

    MEASURES_DRAWING = True

    def screen(self):
        self.root = f"{self.tools.xrdp}/root"
        inside = tempfile.mkdtemp(prefix="bench-", dir=f"{self.root}/tmp")
        self.stack.callback(shutil.rmtree, inside, ignore_errors=True)
        self.inside = inside.removeprefix(self.root)
        return XorgScreen(self.root, self.inside)

    def start(self):
        configuration = f"{self.inside}/xrdp.ini"
        with open(self.root + configuration, "w") as file:
            file.write(CONFIGURATION.format(host=self.host, port=self.port, folder=self.inside,
                                            display=self.display.name.removeprefix(":")))
        return self.run("xrdp", "chroot", self.root, "xrdp", "--nodaemon", "--config", configuration).process

    def pids(self):
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.server.pid)], capture_output=True, text=True)
        return [self.display.process.pid, self.server.pid, *map(int, children.stdout.split())]

    def draws(self):
        return self.display.process.pid

    def measure_drawing(self):
        # The screen gets its size from its first client.
        with self.opened(self.tools.screen(self.number)) as window:
            until(lambda: read_code(window.picture()) is not None, 30, window.output)
        super().measure_drawing()

    def opened(self, screen):
        return rdp_window(screen, self.target, *self.account)
