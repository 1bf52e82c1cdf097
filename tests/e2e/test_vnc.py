"""VNC viewers over VeNCrypt against the tiny guest."""

import subprocess

from lib import card, walk
from lib.clients import GVncViewer, TigerVnc
from lib.screen import Screen
from lib.wait import until

OPTIONS = {"guest": "tiny", "keymap": "de"}


def test_tigervnc_shows_the_vm_exactly_and_types_into_it(demo, screen):
    walk.whole(lambda: TigerVnc(screen, demo, extra=["-AutoSelect=0", "-PreferredEncoding=ZRLE"]), demo.vm())


def test_tigervnc_with_tight_shows_the_vm_exactly(demo, screen):
    walk.whole(lambda: TigerVnc(screen, demo, extra=["-AutoSelect=0", "-PreferredEncoding=Tight"]), demo.vm())


def test_gtk_vnc_shows_the_vm_exactly_and_types_into_it(demo):
    vm = demo.vm()

    def wait_card(client):
        def shown():
            # It cannot ask for a size: the desktop keeps the one that it has.
            client.width, client.height = vm.serial.size() or (0, 0)
            return card.is_card(client.picture())
        until(shown, 30, lambda: f"the card at {vm.serial.size()}\n{demo.log_tail()}")
    # Under Xvfb gtk-vnc takes AltGr for the system request key, so what needs AltGr is left to the other clients.
    plain = {name: codes for name, codes in walk.GERMAN.items() if 100 not in codes}
    with Screen(2200, 1300, layout="de") as large:
        walk.whole(lambda: GVncViewer(large, demo), vm, german=plain, wait_card=wait_card)


def test_a_wrong_password_fails_in_the_handshake(demo, screen):
    with TigerVnc(screen, demo, password="wrong") as client:
        client.wait_end()
        assert "Authentication" in client.output() or "authentication" in client.output()


def test_the_desktop_follows_the_size_of_the_window(demo, screen):
    vm = demo.vm()
    with TigerVnc(screen, demo, width=800, height=600) as client:
        client.wait_card()
        window = screen.window("TigerVNC")
        screen.do("windowsize", window, 1000, 700)
        until(lambda: vm.serial.size() == (1000, 700), 15, lambda: f"1000x700, it is {vm.serial.size()}")


def test_the_port_speaks_no_less_than_vencrypt(demo):
    """A viewer that offers no encryption gets nothing."""
    with Screen() as screen:
        done = subprocess.run(["xtigervncviewer", "-SecurityTypes", "None,VncAuth", "-ReconnectOnError=0",
                               "-AlertOnFatalError=0", f"{demo.host}::{demo.json['vnc']}"], env=screen.env,
                              capture_output=True, text=True, timeout=30)
        assert "No matching security types" in done.stdout + done.stderr
