"""The greeter in a client's picture: that it is there, and which sentence it says."""

import os
import subprocess
import tempfile

import numpy
from PIL import Image

from lib.demo import BUILD, ROOT
from lib.wait import until

# session/greeter/draw.c; each screen's sentence has the screen's own colour.
BACKGROUND, CARD = (18, 22, 27), (30, 36, 43)
INK = {"login": (255, 170, 163), "failed": (255, 170, 163), "off": (187, 196, 205), "none": (187, 196, 205)}


def near(pixel, colour):
    return bool(numpy.abs(pixel.astype(int) - colour).max() <= 6)


def is_greeter(picture):
    """Its background reaches into every corner, and its card's colour stands in the middle column."""
    if picture is None or picture.shape[0] < 100:
        return False
    corners = [picture[5, 5], picture[5, -6], picture[-6, 5], picture[-6, -6]]
    column = picture[:, picture.shape[1] // 2]
    on_card = (numpy.abs(column.astype(int) - CARD).max(axis=1) <= 6).mean()
    return all(near(corner, BACKGROUND) for corner in corners) and bool(on_card > 0.1)


def wait_greeter(client, seconds=30):
    until(lambda: is_greeter(client.picture()), seconds,
          lambda: f"the greeter in {type(client).__name__}\n{client.demo.log_tail()}", 0.1)


def drawn(size, screen, desktop, sentence):
    program = f"{BUILD or f'{ROOT}/build/demo'}/bin/fernwerk-greeter"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "screen.png")
        subprocess.run([program, "--render-sentence", path, f"{size[0]}x{size[1]}", screen, desktop, sentence],
                       check=True)
        return numpy.asarray(Image.open(path).convert("RGB"))


def wait_sentence(client, screen, sentence, desktop="", seconds=30):
    """Waits until the client shows this sentence, every stroke of it, where that screen of the greeter has it."""
    wanted = drawn((client.width, client.height), screen, desktop, sentence)
    letters = numpy.abs(wanted.astype(int) - INK[screen]).max(axis=2) < 30
    assert letters.sum() > 100, "the sentence leaves traces"

    def shown():
        picture = client.picture()
        return picture.shape == wanted.shape and (picture[letters] == wanted[letters]).all()
    until(shown, seconds, lambda: f"{sentence!r} on the screen {screen!r}\n{client.demo.log_tail()}", 0.2)


def sign_in(client, name, password):
    """Types at the greeter's login screen, as a person would."""
    wait_greeter(client)
    client.focus()
    if name:
        client.type(name)
        client.key("Tab")
    client.type(password)
    client.key("Return")
