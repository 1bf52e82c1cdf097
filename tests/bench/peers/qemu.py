"""QEMU's own VNC server, its screen drawn by qemu_player.py."""

import os
import sys
import tempfile

from peers import Peer
from servers import vnc_window
from window import HEIGHT, WIDTH

FIRST_PORT = 5900  # -vnc counts from here
RAM = 64 * 1024 * 1024
FIRMWARE = 64 * 1024
RESET = 16                       # bytes before the firmware's end a processor begins
HALTED = b"\xfa\xf4\xeb\xfd"     # cli; hlt; jmp to the hlt


class QemuVnc(Peer):
    """A QEMU whose processor halts at its first instruction. What its virtio-gpu costs without a client is drawing."""

    MEASURES_DRAWING = True

    def environment(self):
        return {**os.environ, "HOME": self.folder}

    def begin(self):
        firmware, qtest = f"{self.folder}/firmware", f"{self.folder}/qtest"
        # In memory: nothing of it shall be written to a disk.
        memory = self.stack.enter_context(tempfile.NamedTemporaryFile(prefix="fernwerk-bench-", dir="/dev/shm"))
        memory.truncate(RAM)
        ram = memory.name
        with open(firmware, "wb") as file:
            file.write(HALTED.rjust(FIRMWARE - RESET + len(HALTED), b"\0").ljust(FIRMWARE, b"\0"))
        self.server = self.run(
            "qemu", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg",
            "-machine", "microvm,x-option-roms=off,memory-backend=ram", "-m", f"{RAM >> 20}M", "-bios", firmware,
            "-object", f"memory-backend-file,id=ram,mem-path={ram},share=on,size={RAM}",
            "-global", "virtio-mmio.force-legacy=false", "-device", f"virtio-gpu-device,xres={WIDTH},yres={HEIGHT}",
            "-qtest", f"unix:{qtest},server=on,wait=off", "-qtest-log", "/dev/null",
            "-vnc", f"{self.host}:{self.port - FIRST_PORT},lossy=on").process
        player = f"{os.path.dirname(os.path.realpath(__file__))}/qemu_player.py"
        self.player = self.run("qemu_player", sys.executable, player, qtest, ram, self.recording)

    def opened(self, screen):
        return vnc_window(screen, self.target, "None", *self.account)
