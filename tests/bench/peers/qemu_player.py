#!/usr/bin/python3
"""qemu_player.py QTEST RAM RECORDING: plays a recording on the screen of a QEMU that runs no guest, until it is ended.

QEMU is started with the qtest accelerator, which has no processor: this program is the guest's display driver. It draws
into the guest's memory, a file that both map, and tells virtio-gpu (virtio 1.2, 5.7) through the socket QTEST which
rectangles have changed. So QEMU does what it does for a guest with a good driver, and no emulated processor takes part.
Writes a line for each frame as x_player does: its number and when QEMU had taken it, us of CLOCK_MONOTONIC.
"""

import mmap
import socket
import struct
import sys
import time

import numpy

import recording

# microvm's virtio-mmio transports, and their registers (virtio 1.2, 4.2.2).
TRANSPORTS = [0xfeb00000 + i * 512 for i in range(24)]
DEVICE_ID, DRIVER_FEATURES, DRIVER_FEATURES_SEL, STATUS = 0x008, 0x020, 0x024, 0x070
QUEUE_SEL, QUEUE_NUM, QUEUE_READY, QUEUE_NOTIFY = 0x030, 0x038, 0x044, 0x050
QUEUE_DESC, QUEUE_AVAIL, QUEUE_USED = 0x080, 0x090, 0x0a0
GPU = 16
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8

CREATE_2D, SET_SCANOUT, FLUSH, TRANSFER, ATTACH_BACKING, OK = 0x101, 0x103, 0x104, 0x105, 0x106, 0x1100
B8G8R8X8 = 2
RESOURCE, SCANOUT = 1, 0

# Where things stand in the guest's memory.
DESC, AVAIL, USED, SLOTS, PICTURE = 0x100000, 0x102000, 0x103000, 0x110000, 0x1000000
SLOT, REPLY = 256, 192  # bytes of a command with its reply, and where in them the reply begins
ENTRIES = 64            # of the queue: two for each command
NEXT, WRITE = 1, 2      # a descriptor's flags


class Gpu:
    """The driver of QEMU's virtio-gpu."""

    def __init__(self, qtest, ram):
        self.socket = self.connect(qtest)
        self.replies = self.socket.makefile("r")
        with open(ram, "r+b") as file:
            self.ram = mmap.mmap(file.fileno(), 0)
        self.base = next(base for base in TRANSPORTS if int(self.ask(f"readl {base + DEVICE_ID:#x}"), 0) == GPU)
        self.taken = 0  # commands given so far, as the rings count
        self.set_up()

    @staticmethod
    def connect(path):
        """QEMU may have just been started."""
        for _ in range(200):
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(path)
                return connection
            except OSError:
                connection.close()
                time.sleep(0.05)
        raise SystemExit(f"qemu_player: nobody listens at {path}")

    def ask(self, line):
        self.socket.sendall(f"{line}\n".encode())
        reply = self.replies.readline().split()
        if not reply or reply[0] != "OK":
            raise SystemExit(f"qemu_player: QEMU says {reply} to {line}")
        return reply[-1]

    def write(self, register, value):
        self.ask(f"writel {self.base + register:#x} {value:#x}")

    def set_up(self):
        self.write(STATUS, 0)
        self.write(STATUS, ACKNOWLEDGE | DRIVER)
        self.write(DRIVER_FEATURES_SEL, 1)
        self.write(DRIVER_FEATURES, 1)  # VIRTIO_F_VERSION_1
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        self.write(QUEUE_SEL, 0)
        self.write(QUEUE_NUM, ENTRIES)
        for register, address in ((QUEUE_DESC, DESC), (QUEUE_AVAIL, AVAIL), (QUEUE_USED, USED)):
            self.write(register, address)
            self.write(register + 4, 0)
        self.write(QUEUE_READY, 1)
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

    def do(self, commands):
        """Gives some commands, (type, bytes behind the header) each, and waits until QEMU has done them."""
        for begin in range(0, len(commands), ENTRIES // 2):
            self.do_together(commands[begin:begin + ENTRIES // 2])

    def do_together(self, commands):
        for i, (kind, body) in enumerate(commands):
            slot = SLOTS + i * SLOT
            request = struct.pack("<2IQ2I", kind, 0, 0, 0, 0) + body
            self.ram[slot:slot + len(request)] = request
            struct.pack_into("<QI2HQI2H", self.ram, DESC + i * 32, slot, len(request), NEXT, 2 * i + 1,
                             slot + REPLY, SLOT - REPLY, WRITE, 0)
            struct.pack_into("<H", self.ram, AVAIL + 4 + (self.taken + i) % ENTRIES * 2, 2 * i)
        self.taken = self.taken + len(commands) & 0xffff
        struct.pack_into("<H", self.ram, AVAIL + 2, self.taken)
        self.write(QUEUE_NOTIFY, 0)
        while struct.unpack_from("<H", self.ram, USED + 2)[0] != self.taken:
            time.sleep(0.0001)
        for i, (kind, _) in enumerate(commands):
            reply, = struct.unpack_from("<I", self.ram, SLOTS + i * SLOT + REPLY)
            if reply != OK:
                raise SystemExit(f"qemu_player: virtio-gpu says {reply:#x} to {kind:#x}")

    def show(self, width, height):
        """The screen's picture, B, G, R and one more byte, as a numpy array: from now on what is told to changed()."""
        self.width = width
        self.do([(CREATE_2D, struct.pack("<4I", RESOURCE, B8G8R8X8, width, height)),
                 (ATTACH_BACKING, struct.pack("<2IQ2I", RESOURCE, 1, PICTURE, width * height * 4, 0)),
                 (SET_SCANOUT, struct.pack("<6I", 0, 0, width, height, SCANOUT, RESOURCE))])
        return numpy.frombuffer(self.ram, numpy.uint8, width * height * 4, PICTURE).reshape(height, width, 4)

    def changed(self, rects):
        """rects: (x, y, width, height)."""
        commands = []
        for x, y, width, height in rects:
            offset = (y * self.width + x) * 4
            commands += [(TRANSFER, struct.pack("<4IQ2I", x, y, width, height, offset, RESOURCE, 0)),
                         (FLUSH, struct.pack("<6I", x, y, width, height, RESOURCE, 0))]
        self.do(commands)


def main(qtest, ram, path):
    """The seat's pace (session/seat/source_replay.c): late frames follow, none is left out."""
    film = recording.Recording(path)
    gpu = Gpu(qtest, ram)
    picture = gpu.show(film.width, film.height)
    film.draw_first(picture)
    gpu.changed([(0, 0, film.width, film.height)])
    interval = film.interval_us / 1e6
    due, frame = time.monotonic(), 0
    while True:
        due = max(due, time.monotonic() - interval) + interval
        time.sleep(max(0, due - time.monotonic()))
        gpu.changed(film.draw(frame % film.frames, picture))
        print(frame, round(time.monotonic() * 1e6), flush=True)
        frame += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
