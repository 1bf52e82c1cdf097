"""A recording of a film in a part of a screen full of text, or of two, which stands still for a while at the end of each
turn."""

import os
import sys

import numpy

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, f"{ROOT}/tests/bench/peers")

import recording  # noqa: E402

WIDTH, HEIGHT = 1024, 768
WIDE, TALL = 400, 270  # px
MIDDLE = [(330, 210)]  # where the film is: not on the grid of tiles
CORNERS = [(10, 70), (610, 486)]  # where two are; no tile has the number and a film
MOVING, STILL = 75, 90  # frames
PHASES = 15
TITLE = slice(200, 240)  # rows of the film with letters in them


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
    picture = numpy.stack([*(numpy.clip(128 + 60 * wave, 0, 255) for wave in waves), numpy.full(x.shape, 255)],
                          axis=2).astype(numpy.uint8)
    inked = ((x + 4 * number) * 7 + y // 10 * 13) % 12 < 4
    inked &= y % 10 > 2
    picture[TITLE] = numpy.where(inked[TITLE, :, None], [40, 40, 230, 255], [200, 60, 20, 255])  # red on blue
    return picture


def make(path, places=MIDDLE, moving=MOVING, still=STILL):
    """Writes it, of so many frames that move and stand still, with a film in each place; returns the picture that stands
    still, RGB."""
    phases = [phase(i) for i in range(PHASES)]
    first = screen()
    for x, y in places:
        first[y:y + TALL, x:x + WIDE] = phases[(moving - 1) % PHASES]
    recording.draw_code(first, moving - 1)
    writer = recording.Writer(path, first, 33333)
    for number in range(moving):
        for x, y in places:
            writer.picture[y:y + TALL, x:x + WIDE] = phases[number % PHASES]
            writer.pixels(x, y, WIDE, TALL, same_as=number % PHASES)
        for cell in recording.draw_code(writer.picture, number):
            writer.pixels(cell * recording.CELL, 0, recording.CELL, recording.CELL)
        writer.frame()
    for _ in range(still):
        writer.frame()
    last = writer.picture[..., 2::-1].copy()
    writer.close()
    return last


def title_psnr(picture):
    """How well the colours of the film's moving letters are shown: dB over both differences of colour, None when the
    picture is of no frame."""
    shown = number(picture)
    if shown is None:
        return None
    drawn = phase(shown % PHASES)[TITLE, :, 2::-1]
    x, y = MIDDLE[0]
    seen = picture[y:y + TALL, x:x + WIDE][TITLE]
    colour = numpy.array([[-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]])  # BT.709
    error = (drawn.astype(float) - seen) @ colour.T
    return 10 * numpy.log10(255 ** 2 / max((error ** 2).mean(), 1e-9))


def number(picture):
    """The number of the frame that an RGB picture shows, None when there is none."""
    return recording.read_code(picture[..., ::-1])
