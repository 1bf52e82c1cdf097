"""A recording of a film in a part of a screen full of text, which stands still for a while at the end of each turn."""

import os
import sys

import numpy

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, f"{ROOT}/tests/bench/peers")

import recording  # noqa: E402

WIDTH, HEIGHT = 1024, 768
X, Y, WIDE, TALL = 330, 210, 400, 270  # px, where the film is: not on the grid of tiles
MOVING, STILL = 75, 150  # frames
PHASES = 15


def screen():
    """Strokes like text, in colours that a film's codec would smear."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    inked = (x * 7 + y // 16 * 13) % 10 < 3
    inked &= y % 16 > 4
    picture = numpy.where(inked[..., None], [200, 20, 20, 255], [250, 250, 240, 255]).astype(numpy.uint8)
    picture[0:16] = 255
    return picture


def phase(number):
    y, x = numpy.mgrid[0:TALL, 0:WIDE]
    turn = 2 * numpy.pi * number / PHASES
    waves = [numpy.sin(x / 37 + turn) + numpy.sin(y / 23 - turn), numpy.sin((x + y) / 31 + turn),
             numpy.cos((x - y) / 41 + 2 * turn)]
    return numpy.stack([*(numpy.clip(128 + 60 * wave, 0, 255) for wave in waves), numpy.full(x.shape, 255)],
                       axis=2).astype(numpy.uint8)


def make(path):
    """Writes it; returns the picture that stands still, RGB."""
    phases = [phase(i) for i in range(PHASES)]
    first = screen()
    first[Y:Y + TALL, X:X + WIDE] = phases[(MOVING - 1) % PHASES]
    recording.draw_code(first, MOVING - 1)
    writer = recording.Writer(path, first, 33333)
    for number in range(MOVING):
        writer.picture[Y:Y + TALL, X:X + WIDE] = phases[number % PHASES]
        writer.pixels(X, Y, WIDE, TALL, same_as=number % PHASES)
        for cell in recording.draw_code(writer.picture, number):
            writer.pixels(cell * recording.CELL, 0, recording.CELL, recording.CELL)
        writer.frame()
    for _ in range(STILL):
        writer.frame()
    still = writer.picture[..., 2::-1].copy()
    writer.close()
    return still


def number(picture):
    """The number of the frame that an RGB picture shows, None when there is none."""
    return recording.read_code(picture[..., ::-1])
