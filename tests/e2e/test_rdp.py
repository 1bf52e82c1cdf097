"""RDP clients against the tiny guest: every way of sending the picture, input, coming back."""

import pytest

from lib import card, walk
from lib.clients import Rdesktop, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "tiny", "keymap": "de"}
# The card's single-pixel patterns are the worst case for a lossy codec; text stays readable well above this.
AVC_PSNR = 30


# What fernwerk-rdp must have said about the way it sends the picture: a client may silently choose another.
@pytest.mark.parametrize("graphics, psnr, said", [(XFreeRdp.AVC420, AVC_PSNR, "H.264 AVC420"),
                                                  (XFreeRdp.AVC444, AVC_PSNR, "H.264 AVC444"),
                                                  (XFreeRdp.GFX, None, "H.264 no"),
                                                  (XFreeRdp.BITMAPS, None, "bitmap updates")],
                         ids=["avc420", "avc444", "gfx-without-avc", "bitmaps"])
def test_xfreerdp_shows_the_vm_and_types_into_it(demo, screen, graphics, psnr, said):
    before = len(demo.log_text())
    walk.whole(lambda: XFreeRdp(screen, demo, graphics), demo.vm(), psnr)
    assert said in demo.log_text()[before:]


@pytest.mark.parametrize("depth", [24, pytest.param(32, marks=pytest.mark.shipped)])
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


@pytest.mark.shipped
@pytest.mark.parametrize("graphics", [XFreeRdp.AVC420, XFreeRdp.GFX, XFreeRdp.BITMAPS],
                         ids=["avc420", "gfx-without-avc", "bitmaps"])
def test_a_picture_that_is_larger_than_the_window_is_scaled_into_it(demo, screen, graphics):
    vm = demo.vm()
    with XFreeRdp(screen, demo, XFreeRdp.GFX, width=1024, height=768) as client:
        client.wait_card()
        walk.melt(client, vm)
        walk.freeze(client, vm)
        mark = vm.serial.mark()
        client.key("F10")  # the guest stops following sizes
        vm.serial.wait("KEY 68 0", mark)
    with XFreeRdp(screen, demo, graphics, width=800, height=600) as client:

        def whole():
            return card.shrunk(vm.screenshot(), 800, 600)

        try:
            until(lambda: client.picture().shape == (600, 800, 3) and card.psnr(client.picture(), whole()) > 45, 30,
                  lambda: card.difference(client.picture(), whole()), pause=0.2)
            mark = vm.serial.mark()
            client.click(400, 300)
            vm.serial.wait_sequence(["PTR 512 384 1", "PTR 512 384 0"], mark)
        finally:
            client.focus()
            mark = vm.serial.mark()
            client.key("F10")
            vm.serial.wait("KEY 68 0", mark)


@pytest.mark.shipped
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
