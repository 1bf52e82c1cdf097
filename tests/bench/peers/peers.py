"""Fernwerk's peers that serve an X screen, each as a server as servers.py describes it."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time

import processes
from lib.screen import Screen
from lib.wait import until
from servers import Appeared, free_port, listens, rdp_window, vnc_window
from window import HEIGHT, WIDTH


class Program:
    """A program of a peer, its output in a file of its own."""

    def __init__(self, command, folder, name, env):
        self.name, self.path = name, f"{folder}/{name}.log"
        with open(self.path, "w") as log:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def output(self):
        with open(self.path, errors="replace") as file:
            return file.read()

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} has ended:\n{self.output()[-2000:]}")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Peer:
    """A server of an X screen on which x_player plays. To the clients of lib.clients it looks like a demo.

    Some draw themselves what they show, in a process that counts as the server's: MEASURES_DRAWING. What that costs is
    measured while nobody looks.
    """

    MEASURES_DRAWING = False
    STARTED_S, ALONE_S = 0.7, 1.5

    host = "127.0.0.1"
    account = "bench", "bench"

    def __init__(self, tools, _workload, recording, number):
        self.tools, self.recording, self.number = tools, recording, number
        self.port = free_port()
        self.json = {"rdp": self.port, "vnc": self.port, "ca": "/dev/null"}
        self.target = self
        self.programs, self.stack = [], contextlib.ExitStack()
        self.drawing = 0.0

    def screen(self):
        """The X server."""
        return Screen(WIDTH, HEIGHT)

    def environment(self):
        return {**self.display.env, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder}

    def start(self):
        """Starts what serves self.display, and returns its process."""
        raise NotImplementedError

    def run(self, name, *command):
        program = Program([str(word) for word in command], self.folder, name, self.environment())
        self.programs.append(program)
        return program

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fernwerk-bench-peer-")
        try:
            self.begin()
            until(self.ready, 20, self.log_tail)
            if self.MEASURES_DRAWING:
                self.measure_drawing()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        """Starts everything."""
        self.display = self.stack.enter_context(self.screen())
        self.display.do("mousemove", WIDTH - 1, HEIGHT - 1)
        self.server = self.start()
        self.player = self.run("x_player", self.tools.player, self.recording)

    def measure_drawing(self):
        time.sleep(self.STARTED_S)
        begin, spent = len(self.played().at), processes.processor_seconds(self.draws())
        time.sleep(self.ALONE_S)
        frames = len(self.played().at) - begin
        self.drawing = (processes.processor_seconds(self.draws()) - spent) / max(frames, 1)

    def draws(self):
        """The process that draws."""
        return self.server.pid

    def ready(self):
        for program in self.programs:
            program.check()
        return listens(self.port)

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.end()
        self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self, _lines=60):
        return "\n".join(program.output()[-2000:] for program in self.programs)

    def pids(self):
        return [self.server.pid]

    def of_session(self):
        return {}

    def played(self):
        self.player.check()
        appeared = Appeared()
        for line in self.player.output().splitlines():
            number, us = line.split()
            assert int(number) == len(appeared.at), f"frame {number} in the player's log"
            appeared.at.append(int(us) / 1e6)
            appeared.drawing.append(self.drawing)
        return appeared


class XvncScreen(Screen):
    """An X server that is a VNC server."""

    def __init__(self, program, arguments):
        super().__init__(WIDTH, HEIGHT)
        self.program, self.arguments = program, arguments

    def size_arguments(self):
        return ["-geometry", f"{self.width}x{self.height}", "-depth", "24"]


class TigerVncServer(Peer):
    """TigerVNC, which is the X server itself."""

    MEASURES_DRAWING = True

    def screen(self):
        return XvncScreen("Xtigervnc", ["-rfbport", str(self.port), "-localhost", "-SecurityTypes", "None",
                                        "-AlwaysShared"])

    def start(self):
        return self.display.process

    def opened(self, screen):
        return vnc_window(screen, self.target, "None", *self.account)


class TurboVncServer(TigerVncServer):
    """TurboVNC, the same way."""

    def screen(self):
        return XvncScreen(f"{self.tools.turbovnc}/bin/Xvnc", ["-rfbport", str(self.port), "-localhost",
                                                              "-securitytypes", "None", "-alwaysshared"])


class X11Vnc(Peer):
    """x11vnc beside an Xvfb."""

    def start(self):
        return self.run("x11vnc", "x11vnc", "-display", self.display.name, "-rfbport", self.port, "-localhost", "-nopw",
                        "-forever", "-shared", "-quiet", "-noipv6").process

    def opened(self, screen):
        return vnc_window(screen, self.target, "None", *self.account)


class Shadow(Peer):
    """FreeRDP's shadow server beside an Xvfb."""

    def start(self):
        return self.run("shadow", "freerdp-shadow-cli3", f"/port:{self.port}", f"/bind-address:{self.host}", "-auth",
                        "/sec:tls").process

    def opened(self, screen):
        return rdp_window(screen, self.target, *self.account)
