"""How long a person waits for a picture."""

import time

import viewers
from lib.wait import until

TARGET_MS = 1000
SEAT_IDLE_S = 60  # a seat that nobody watches ends after a minute


def running(run, figures):
    """A desktop that runs, its seat still there from a moment ago."""
    for name, opened in (("RDP", viewers.rdp), ("VNC", viewers.vnc)):
        for _ in run.rounds(f"{name}: first picture"):
            with opened(run.screen, run.demo) as window:
                figures.add("first picture, VM running", f"{name}: TCP connect to picture", "ms", window.card_ms(),
                            TARGET_MS)
                figures.add("first picture, VM running", f"{name}: of it the client's own processor time", "ms",
                            window.client_ms())
            run.settle()
    for _ in run.rounds("browser: first picture"):
        with viewers.Page(run.demo) as page:
            from_socket, from_login = page.times()
            figures.add("first picture, VM running", "browser: WebSocket to picture", "ms", from_socket, TARGET_MS)
            figures.add("first picture, VM running", "browser: \"Log in\" to picture", "ms", from_login, TARGET_MS)
        run.settle()


def unwatched(run, figures):
    """A desktop that runs, but that nobody has looked at for a while: its seat starts anew."""
    for _ in run.rounds("RDP: first picture, new seat"):
        until(lambda: not run.demo.pids("fernwerk-seat"), SEAT_IDLE_S + 60, "the idle seat's end", pause=0.5)
        with viewers.rdp(run.screen, run.demo) as window:
            figures.add("first picture, VM running", "RDP, new seat: TCP connect to picture", "ms", window.card_ms(),
                        TARGET_MS)
        run.settle()


def switched_off(run, figures):
    """A desktop that is off: the password comes with the connection, so that begins the login."""
    desktop = run.demo.user()["desktop"]
    for name, opened in (("RDP", viewers.rdp), ("VNC", viewers.vnc)):
        for _ in run.rounds(f"{name}: first picture, VM off"):
            run.demo.cli("desktop", "stop", desktop)
            until(lambda: run.demo.cli("desktop", "show", desktop)["state"] == "off", 60, "the desktop to be off")
            time.sleep(1)
            with opened(run.screen, run.demo) as window:
                figures.add("first picture, VM off", f"{name}: login to the VM's first picture", "ms", window.vm_ms())
                figures.add("first picture, VM off", f"{name}: login to tiny's test card", "ms", window.card_ms())
            run.settle()
