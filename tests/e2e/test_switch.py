"""Two windows that come to the front in turns: from the second time on the client shows them from its own cache, and
every pixel is right."""

import contextlib
import sys
import tempfile
import types

import numpy
import pytest

from lib import card
from lib.clients import XFreeRdp
from lib.demo import BUILD, ROOT
from lib.wait import until

sys.path[:0] = [f"{ROOT}/tests/bench/{folder}" for folder in ("peers", "common")]

import recording  # noqa: E402
import sockets  # noqa: E402
import stage  # noqa: E402

WIDTH, HEIGHT = 1024, 768
X, Y, WIDE, TALL = 90, 140, 800, 560  # px, where the windows are: not on the grid of tiles
TURN_US = 1500000
SWITCHES = 6
FRACTION = 20  # what coming back may take of what the first picture did


def window(number):
    """A photograph over text, both hard to compress."""
    chance = numpy.random.default_rng(number)
    picture = numpy.full((TALL, WIDE, 4), 255, numpy.uint8)
    picture[:, :, :3] = numpy.array([250, 250, 240]) - 10 * number
    photograph, text = (slice(54, TALL - 250), slice(44, WIDE - 50)), (slice(TALL - 230, TALL - 20), slice(40, -40))
    picture[photograph][..., :3] = chance.integers(0, 256, picture[photograph][..., :3].shape)
    inked = chance.random(picture[text].shape[:2]) < 0.2
    picture[text][inked, :3] = [60, 20, 20]
    return picture


def make(path):
    """Writes the recording; returns the two pictures, RGB."""
    ground = numpy.full((HEIGHT, WIDTH, 4), 255, numpy.uint8)
    ground[:, :, 0] = 128
    first = ground.copy()
    first[Y:Y + TALL, X:X + WIDE] = window(1)
    writer = recording.Writer(path, first, TURN_US)
    pictures = []
    for number in range(2):
        writer.picture[Y:Y + TALL, X:X + WIDE] = window(number)
        writer.pixels(X, Y, WIDE, TALL)
        writer.frame()
        pictures.append(writer.picture[..., 2::-1].copy())
    writer.close()
    return pictures


@pytest.fixture(scope="module")
def shown():
    with tempfile.TemporaryDirectory(prefix="fernwerk-e2e-") as folder:
        pictures = make(f"{folder}/switch.rec")
        tools = types.SimpleNamespace(stage=f"{BUILD}/tests/stage")
        with stage.SERVERS["fernwerk-rdp"](tools, None, f"{folder}/switch.rec", 0) as running:
            yield running, pictures


@pytest.mark.skipif(not BUILD, reason="the stage is of a build tree")
def test_a_window_that_comes_back_takes_few_bytes(screen, shown):
    running, pictures = shown
    before = len(running.log_text())
    with XFreeRdp(screen, running, XFreeRdp.GFX, user="anybody", password="anything") as client, \
            contextlib.closing(sockets.Sent(running.port)) as sent:
        def showing():
            now = client.picture()
            return next((i for i in range(2) if now.shape == pictures[i].shape and (now == pictures[i]).all()), None)

        until(lambda: showing() is not None, 60, lambda: f"a window; the client says:\n{client.output()[-2000:]}\n"
                                                         f"{running.log_tail()}")
        current, first = showing(), sent.bytes()
        at, taken = first, []
        for _ in range(SWITCHES):
            current = 1 - current
            until(lambda: (client.picture() == pictures[current]).all(), 20,
                  lambda: card.difference(client.picture(), pictures[current]), pause=0.01)
            taken.append(sent.bytes() - at)
            at += taken[-1]
    # Once each was kept and shown again.
    assert max(taken[2:]) * FRACTION < first, (first, taken)
    over = until(lambda: [line for line in running.log_text()[before:].splitlines() if "shown again" in line], 10,
                 "the cache's figures")[-1]
    assert int(over.split(" shown again")[0].split()[-1]) > 100, over
