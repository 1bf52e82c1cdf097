"""Fernwerk's seat and client processes alone (tests/bench/seat/stage.c): for several viewers of one desktop, of whom
the broker lets in one only."""

import os
import shutil
import subprocess
import tempfile

import processes
import servers
from lib.wait import until


def certificate(folder):
    """A new certificate that is its own authority, and its key: paths."""
    paths = f"{folder}/certificate.pem", f"{folder}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths


class Stage(servers.Fernwerk):
    """One desktop; to the clients of lib.clients it looks like a demo."""

    host = "127.0.0.1"
    account = "bench", "bench"  # nobody asks

    def __init__(self, tools, _workload, recording, _number):
        self.program, self.recording, self.desktop = tools.stage, recording, "d1"
        self.demo = self.target = self

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fernwerk-bench-stage-")
        paths = certificate(self.folder)
        command = [self.program, self.recording, self.PORT, *paths, *([] if self.HINTS else ["whole"])]
        with open(f"{self.folder}/log", "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("port "):
                break
        else:
            said += self.log_tail()
            self.__exit__()
            raise AssertionError(f"the stage has ended:\n{said}")
        self.port = int(line.split()[1])
        self.json = {self.PORT: self.port, "ca": paths[0]}
        return self

    def __exit__(self, *_):
        ends = self.of_session()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in ends), 10, "the end of seat and clients")
        shutil.rmtree(self.folder)

    def pids(self):
        return list(self.of_session())

    def of_session(self):
        done = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(self.process.pid)], capture_output=True,
                              text=True)
        found = dict(line.split() for line in done.stdout.splitlines())
        return {int(pid): program for pid, program in found.items() if program in processes.PROGRAMS}

    def log_text(self):
        with open(f"{self.folder}/log", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=60):
        return "\n".join(self.log_text().splitlines()[-lines:])


SERVERS = {name: type(f"Staged{kind.__name__}", (Stage, kind), {}) for name, kind in {
    "fernwerk-rdp": servers.FernwerkRdp, "fernwerk-rdp444": servers.FernwerkRdp444,
    "fernwerk-rdpfx": servers.FernwerkRdpFx,
    "fernwerk-vnc": servers.FernwerkVnc, "fernwerk-rdp-nohints": servers.FernwerkRdpNoHints,
    "fernwerk-vnc-nohints": servers.FernwerkVncNoHints}.items()}
