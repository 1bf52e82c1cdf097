"""A film in a part of the screen: it goes as H.264 where the client takes that, what stands beside it stays exact all
the time, and the film is exact as soon as it stands still."""

import pytest

from lib import card, film
from lib.browser import Browser
from lib.clients import TigerVnc, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "pattern"}
FILM_PSNR = 30


@pytest.fixture(scope="module")
def cinema(demo):
    """A user at whose desktop the film runs, and the picture that stands still."""
    path = f"{demo.directory}/film.rec"
    still = film.make(path)
    return demo.add_pattern_user("viewer", "cinema", "film", image=path), still


@pytest.fixture(scope="module")
def two_films(demo):
    """The same with a film in each of two corners."""
    path = f"{demo.directory}/films.rec"
    still = film.make(path, film.CORNERS)
    return demo.add_pattern_user("caller", "call", "films", image=path), still


def without_film(picture, places):
    masked = picture.copy()
    for x, y in places:
        masked[y:y + film.TALL, x:x + film.WIDE] = 0
    masked[0:16] = 0  # the number
    return masked


def watch(picture, still, places=film.MIDDLE):
    """Some turns: the film moves, what is beside it never changes, and in each pause all is as it was drawn."""
    until(lambda: picture() is not None and picture().shape == still.shape, 30, "the film's size")
    for turn in range(3):
        until(lambda: (film.number(picture()) or film.MOVING) < film.MOVING - 10, 30, "a moving film")
        seen = set()

        def moves():
            shown = picture()
            seen.add(film.number(shown))
            beside, wanted = without_film(shown, places), without_film(still, places)
            if turn and not (beside == wanted).all():
                raise AssertionError(card.difference(beside, wanted))
            return len(seen - {None}) > 5
        until(moves, 30, lambda: f"more frames than {seen}")
        until(lambda: (picture() == still).all(), 20, lambda: card.difference(picture(), still))


@pytest.mark.parametrize("graphics, units", [pytest.param(XFreeRdp.AVC420, True, marks=pytest.mark.shipped),
                                             (XFreeRdp.AVC444, True), (XFreeRdp.GFX, False)],
                         ids=["avc420", "avc444", "gfx"])
def test_xfreerdp_shows_a_film(demo, screen, cinema, graphics, units):
    user, still = cinema
    before = len(demo.log_text())
    with XFreeRdp(screen, demo, graphics, user=user["name"], password=user["password"]) as client:
        watch(client.picture, still)
    over = until(lambda: [line for line in demo.log_text()[before:].splitlines() if " units of H.264" in line], 10,
                 "the connection's figures")[-1]
    sent = int(over.split(" updates, ")[1].split(" units")[0])
    assert (sent > 30) == units, over
    both = int(over.split(" units of H.264, ")[1].split(" with an auxiliary")[0])
    assert (both > 30) == (graphics is XFreeRdp.AVC444), over
    lossy = int(over.split(" lossless rectangles, ")[1].split(" lossy")[0])
    assert (lossy > 30) == (graphics is XFreeRdp.GFX), over


@pytest.mark.shipped
def test_moving_letters_keep_their_colours_where_the_client_takes_avc444(demo, screen, cinema):
    user, still = cinema
    best = {}
    for name, graphics in (("avc420", XFreeRdp.AVC420), ("avc444", XFreeRdp.AVC444)):
        with XFreeRdp(screen, demo, graphics, user=user["name"], password=user["password"]) as client:
            until(lambda: client.picture().shape == still.shape, 30, "the film's size")
            seen = []
            until(lambda: (film.number(client.picture()) or film.MOVING) < 20, 30, "a moving film")

            def letters():
                shown = client.picture()
                if 40 < (film.number(shown) or 0) < film.MOVING - 10:  # and long enough in motion to be a film
                    seen.append(film.title_psnr(shown))
                return len(seen) > 15
            until(letters, 30, lambda: f"more pictures than {len(seen)}")
            best[name] = max(seen)  # a picture taken while it changes is of two frames
    assert best["avc444"] > best["avc420"] + 3, best


def test_tigervnc_shows_a_film(demo, screen, cinema):
    user, still = cinema
    with TigerVnc(screen, demo, user=user["name"], password=user["password"]) as client:
        watch(client.picture, still)


@pytest.mark.parametrize("without, encoding", [([], "h264"), (["VideoDecoder"], "tight")], ids=["h264", "tight"])
def test_the_page_shows_a_film(demo, cinema, without, encoding):
    user, still = cinema
    with Browser(demo, without=without) as page:
        page.log_in(user["name"], user["password"])
        until(lambda: page.canvas_pixels() is not None, 30, "a picture")
        watch(page.canvas_pixels, still)
        until(lambda: page.stats()["encoding"] == encoding, 20, lambda: f"{encoding}, it is {page.stats()}")


@pytest.mark.parametrize("graphics", [XFreeRdp.AVC420, XFreeRdp.AVC444], ids=["avc420", "avc444"])
def test_xfreerdp_shows_two_films(demo, screen, two_films, graphics):
    user, still = two_films
    with XFreeRdp(screen, demo, graphics, user=user["name"], password=user["password"]) as client:
        watch(client.picture, still, film.CORNERS)


def test_the_page_shows_two_films(demo, two_films):
    """A rectangle of H.264 paints all of its region: only with one for each film the text between them stays exact."""
    user, still = two_films
    with Browser(demo) as page:
        page.log_in(user["name"], user["password"])
        until(lambda: page.canvas_pixels() is not None, 30, "a picture")
        watch(page.canvas_pixels, still, film.CORNERS)
        until(lambda: page.stats()["encoding"] == "h264", 20, lambda: f"h264, it is {page.stats()}")
