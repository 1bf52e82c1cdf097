"""RDP clients against the tiny guest: every way of sending the picture, input, coming back."""

import pytest

from lib import walk
from lib.clients import Rdesktop, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "tiny", "keymap": "de"}
# The card's single-pixel patterns are the worst case for a lossy codec; text stays readable well above this.
AVC_PSNR = 30


# What fernwerk-rdp must have said about the way it sends the picture: a client may silently choose another.
@pytest.mark.parametrize("graphics, psnr, said", [(XFreeRdp.AVC420, AVC_PSNR, "H.264 yes"),
                                                  (XFreeRdp.GFX, None, "H.264 no"),
                                                  (XFreeRdp.BITMAPS, None, "bitmap updates")],
                         ids=["avc420", "gfx-without-avc", "bitmaps"])
def test_xfreerdp_shows_the_vm_and_types_into_it(demo, screen, graphics, psnr, said):
    before = len(demo.log_text())
    walk.whole(lambda: XFreeRdp(screen, demo, graphics), demo.vm(), psnr)
    assert said in demo.log_text()[before:]


@pytest.mark.parametrize("depth", [24, 32])
def test_rdesktop_shows_the_vm_and_types_into_it(demo, screen, depth):
    walk.whole(lambda: Rdesktop(screen, demo, depth), demo.vm())


def test_the_desktop_follows_the_size_of_the_window(demo, screen):
    vm = demo.vm()
    with XFreeRdp(screen, demo, XFreeRdp.GFX, extra=["/dynamic-resolution"], width=800, height=600) as client:
        client.wait_card()
        window = screen.window(demo.host)
        screen.do("windowsize", window, 1000, 700)
        until(lambda: vm.serial.size() == (1000, 700), 15, lambda: f"1000x700, it is {vm.serial.size()}")
        client.width, client.height = 1000, 700
        client.wait_card()


def test_a_second_connection_takes_the_desktop_over(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as first:
        first.wait_card()
        pid = demo.vm().qemu_pid()
        with XFreeRdp(screen, demo, XFreeRdp.GFX) as second:
            first.wait_end()
            second.wait_card()
            assert demo.vm().qemu_pid() == pid
            sessions = demo.cli("session", "list")
            assert [entry["user"] for entry in sessions] == [demo.user()["name"]]
