"""Two viewers of one desktop where a film plays, one of them on a slow link: it costs its own picture only."""

import sys
import tempfile
import types

import pytest

from lib import card, film
from lib.clients import XFreeRdp
from lib.demo import BUILD, ROOT
from lib.screen import Screen
from lib.wait import until

sys.path[:0] = [f"{ROOT}/tests/bench/{folder}" for folder in ("peers", "common")]

import servers  # noqa: E402
import stage  # noqa: E402

MOVING, STILL = 240, 300  # frames: a slow link takes a while to begin, and to make the film exact
MBIT_S = 2
TURNS = 3


@pytest.fixture(scope="module")
def shown():
    """The stage with a film on it, and the picture that stands still."""
    with tempfile.TemporaryDirectory(prefix="fernwerk-e2e-") as folder:
        path = f"{folder}/film.rec"
        still = film.make(path, moving=MOVING, still=STILL)
        tools = types.SimpleNamespace(stage=f"{BUILD}/tests/stage")
        with stage.SERVERS["fernwerk-rdp"](tools, None, path, 0) as running:
            yield running, still


def viewer(screen, target):
    return XFreeRdp(screen, target, XFreeRdp.AVC420, user="anybody", password="anything")


def watch_turn(pictures, still):
    """How many different frames each client shows from the film's beginning until it stands still, exactly, in all."""
    until(lambda: (film.number(pictures[0]()) or MOVING) < 10, 60, "the film's beginning")
    seen = [set() for _ in pictures]

    def all_still():
        exact = True
        for picture, numbers in zip(pictures, seen):
            now = picture()
            numbers.add(film.number(now))
            exact = exact and (now == still).all()
        return exact
    until(all_still, 15, lambda: [card.difference(picture(), still) for picture in pictures], pause=0)
    return [len(numbers - {None}) for numbers in seen]


def wait_film(client, running, still):
    until(lambda: client.picture().shape == still.shape and film.number(client.picture()) is not None, 60,
          lambda: f"the film; the client says:\n{client.output()[-2000:]}\n{running.log_tail()}")


@pytest.mark.skipif(not BUILD, reason="the stage is of a build tree")
def test_a_slow_viewer_costs_its_own_picture_only(shown):
    running, still = shown
    slow_link = servers.Relayed(running, 20, MBIT_S)
    try:
        with Screen(film.WIDTH, film.HEIGHT) as near, Screen(film.WIDTH, film.HEIGHT) as far, \
                viewer(near, running) as quick:
            wait_film(quick, running, still)
            alone = watch_turn([quick.picture] * 2, still)[0]
            with viewer(far, slow_link) as slow:
                wait_film(slow, running, still)
                turns = [watch_turn([quick.picture, slow.picture], still) for _ in range(TURNS)]
    finally:
        slow_link.close()
    assert "the films' second tier" in running.log_text()
    # The first turn finds the link out.
    for of_quick, of_slow in turns[1:]:
        assert of_quick >= alone * 0.7 and of_slow >= 20, (alone, turns)
