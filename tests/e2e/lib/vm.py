"""What libvirt and the tiny guest themselves say: screenshots of the domain, its serial log."""

import os
import re
import subprocess
import tempfile

import numpy
from PIL import Image

from lib.wait import until


class Vm:
    def __init__(self, uri, domain, serial_log):
        self.uri = uri
        self.domain = domain
        self.serial = Serial(serial_log)

    def virsh(self, *arguments):
        return subprocess.run(["virsh", "-q", "-c", self.uri, *arguments], check=True, capture_output=True, text=True,
                              timeout=30).stdout

    def screenshot(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "screen")
            self.virsh("screenshot", self.domain, path)
            return numpy.asarray(Image.open(path).convert("RGB"))

    def qemu_pid(self):
        """The pid of the domain's QEMU: the same pid is the same VM."""
        with open(f"/run/libvirt/qemu/{self.domain}.pid") as file:
            return int(file.read())


class Serial:
    """A guest's serial log; tests look at what came after a mark."""

    def __init__(self, path):
        self.path = path

    def mark(self):
        try:
            return os.path.getsize(self.path)
        except OSError:
            return 0

    def since(self, mark):
        """Complete lines written after mark."""
        try:
            with open(self.path, "rb") as file:
                file.seek(mark)
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        return text.replace("\r", "").split("\n")[:-1]

    def wait(self, pattern, mark, seconds=10):
        """The match of the first line after mark that the pattern matches whole."""
        def find():
            return next((match for line in self.since(mark) if (match := re.fullmatch(pattern, line))), None)
        return until(find, seconds, lambda: f"a line {pattern!r} in {self.since(mark)[-40:]}")

    def wait_sequence(self, lines, mark, seconds=10):
        """Waits until these lines came after mark in this order, others between them allowed."""
        def found():
            rest = iter(self.since(mark))
            return all(line in rest for line in lines)
        until(found, seconds, lambda: f"{lines} in {self.since(mark)[-60:]}")

    def size(self):
        """The size that the card has now."""
        modes = [line.split() for line in self.since(0) if line.startswith("MODE ")]
        return (int(modes[-1][1]), int(modes[-1][2])) if modes else None
