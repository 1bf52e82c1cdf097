"""Recordings: writing and reading the file that base/proto/recording.h describes, and the bar code in its pictures.

Pictures are numpy arrays, height x width x 4, bytes B, G, R and one that counts for nothing.
"""

import mmap
import os
import shutil
import struct

import numpy

HEADER, FRAME, OP = struct.Struct("<8s6IQ"), struct.Struct("<2I"), struct.Struct("<6HIQ")
MAGIC = b"FWREC\0\0\1"
PIXELS, COPY = 1, 2


class Writer:
    """Writes a recording of `frames` frames. Begin with the picture before frame 0; then for each frame draw into
    `picture` and say what was drawn by pixels() and copy(), and end it with frame()."""

    def __init__(self, path, first, interval_us):
        self.path = path
        self.file = open(f"{path}.new", "wb")
        self.picture = first.copy()
        self.interval_us = interval_us
        self.frames, self.ops, self.kept = [], [], {}
        self.count = 0
        # Tables stand in front, and their length is known at the end only: pixels begin behind the largest.
        self.file.seek(1 << 20)
        self.first = self._write(first)

    def _write(self, pixels):
        offset = self.file.tell()
        self.file.write(numpy.ascontiguousarray(pixels).tobytes())
        return offset

    def pixels(self, x, y, width, height, same_as=None):
        """This area of `picture` has changed. What is told to be the same as something before is written once."""
        offset = self.kept.get(same_as)
        if offset is None:
            offset = self._write(self.picture[y:y + height, x:x + width])
            if same_as is not None:
                self.kept[same_as] = offset
        self.ops.append(OP.pack(x, y, width, height, 0, 0, PIXELS, offset))

    def copy(self, x, y, width, height, from_x, from_y):
        """Moves an area of `picture`."""
        self.picture[y:y + height, x:x + width] = self.picture[from_y:from_y + height, from_x:from_x + width].copy()
        self.ops.append(OP.pack(x, y, width, height, from_x, from_y, COPY, 0))

    def frame(self):
        self.frames.append(FRAME.pack(self.count, len(self.ops) - self.count))
        self.count = len(self.ops)

    def close(self):
        height, width = self.picture.shape[:2]
        tables = HEADER.pack(MAGIC, width, height, len(self.frames), self.interval_us, len(self.ops), 0, self.first)
        tables += b"".join(self.frames) + b"".join(self.ops)
        assert len(tables) <= 1 << 20, "more operations than there is room for"
        self.file.seek(0)
        self.file.write(tables)
        self.file.close()
        os.chmod(f"{self.path}.new", 0o644)
        os.replace(f"{self.path}.new", self.path)


def at_another_rate(path, interval_us):
    """A copy of a recording, beside it, whose frames are so far apart; returns its path."""
    copy = f"{path.removesuffix('.rec')}-{interval_us}us.rec"
    if not os.path.exists(copy):
        shutil.copyfile(path, f"{copy}.new")
        with open(f"{copy}.new", "r+b") as file:
            magic, width, height, frames, _, ops, reserved, first = HEADER.unpack(file.read(HEADER.size))
            file.seek(0)
            file.write(HEADER.pack(magic, width, height, frames, interval_us, ops, reserved, first))
        os.replace(f"{copy}.new", copy)
    return copy


class Recording:
    """Reads one: frame numbers, rate and, by picture(), what each frame looks like."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        magic, self.width, self.height, self.frames, self.interval_us, ops, _, first = HEADER.unpack_from(self.map)
        assert magic == MAGIC, f"{path} is no recording"
        frames_at, ops_at = HEADER.size, HEADER.size + self.frames * FRAME.size
        self.table = [FRAME.unpack_from(self.map, frames_at + i * FRAME.size) for i in range(self.frames)]
        self.ops = [OP.unpack_from(self.map, ops_at + i * OP.size) for i in range(ops)]
        self.first = first

    def last_moving(self):
        """The last frame that draws anything, None: all do, or none does. What follows stands still."""
        drawing = [i for i, (_, count) in enumerate(self.table) if count]
        return drawing[-1] if drawing and drawing[-1] != self.frames - 1 else None

    def _block(self, offset, height, width):
        return numpy.frombuffer(self.map, numpy.uint8, height * width * 4, offset).reshape(height, width, 4)

    def draw_first(self, picture):
        """Draws what stands before frame 0."""
        picture[:] = self._block(self.first, self.height, self.width)

    def draw(self, number, picture):
        """Makes the picture before this frame this frame's; returns what has changed: (x, y, width, height) each."""
        begin, count = self.table[number]
        changed = []
        for x, y, width, height, from_x, from_y, kind, offset in self.ops[begin:begin + count]:
            source = (self._block(offset, height, width) if kind == PIXELS else
                      picture[from_y:from_y + height, from_x:from_x + width].copy())
            picture[y:y + height, x:x + width] = source
            changed.append((x, y, width, height))
        return changed

    def pictures(self):
        """Every frame's picture, in order; each is valid until the next is asked for."""
        picture = numpy.empty((self.height, self.width, 4), numpy.uint8)
        self.draw_first(picture)
        for number in range(self.frames):
            self.draw(number, picture)
            yield picture

    def some(self, numbers):
        """{number: picture} of these frames."""
        wanted = set(numbers)
        found = {}
        for number, picture in enumerate(self.pictures()):
            if number in wanted:
                found[number] = picture.copy()
            if len(found) == len(wanted):
                break
        return found


# The bar code, see docs/internals/recording.md.
CELL, BITS = 16, 12
CELLS = BITS + 4
CODE_WIDTH = CELL * CELLS


def code(number):
    """The cells of a frame number, True is white."""
    gray = number ^ number >> 1
    bits = [bool(gray >> i & 1) for i in reversed(range(BITS))]
    return [True, False, *bits, sum(bits) % 2 == 1, True]


def draw_code(picture, number):
    """Draws the code; returns the cells that differ from what stood there."""
    changed = []
    for i, white in enumerate(code(number)):
        cell = picture[:CELL, i * CELL:(i + 1) * CELL, :3]
        if (cell != (255 if white else 0)).any():
            cell[:] = 255 if white else 0
            changed.append(i)
    return changed


def read_code(picture):
    """The frame number that a picture's corner shows, None when there is no code. Reads one pixel a cell."""
    row = picture[CELL // 2, CELL // 2:CODE_WIDTH:CELL, 1]
    if len(row) < CELLS:
        return None
    white = (row >= 128).tolist()
    bits = white[2:2 + BITS]
    if not white[0] or white[1] or not white[-1] or sum(bits) % 2 != white[-2]:
        return None
    number = 0
    for bit in bits:  # back from Gray code
        number = number << 1 | (bit ^ number & 1)
    return number
