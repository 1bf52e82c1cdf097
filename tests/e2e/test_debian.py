"""The real desktop: each client logs in, types into the terminal, sees what libvirt sees. Builds the guest if need be.

With FERNWERK_SCREENSHOTS set to a folder, each client's picture is kept there.
"""

import base64
import json
import os
import subprocess
import time

import pytest
from PIL import Image

from lib import card
from lib.browser import Browser
from lib.clients import Rdesktop, TigerVnc, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "debian", "size": "1280x800"}
LAYOUT = "us"
# Where a US keyboard has what needs Shift.
SHIFTED = {"$": "Digit4", "(": "Digit9", ")": "Digit0", "*": "Digit8", ">": "Period"}
SIZE = {"width": 1280, "height": 800}


def agent(vm, command):
    """What a shell command inside the guest prints, by its guest agent."""
    start = {"execute": "guest-exec", "arguments": {"path": "/bin/sh", "arg": ["-c", command], "capture-output": True}}
    pid = json.loads(vm.virsh("qemu-agent-command", vm.domain, json.dumps(start)))["return"]["pid"]
    query = json.dumps({"execute": "guest-exec-status", "arguments": {"pid": pid}})
    done = until(lambda: (r := json.loads(vm.virsh("qemu-agent-command", vm.domain, query))["return"])["exited"] and r,
                 30, f"the end of {command}")
    return base64.b64decode(done.get("out-data", "")).decode()


def wait_desktop(vm):
    """The terminal is on the screen and its shell has shown its prompt, with which it sets the window's title."""
    look = "DISPLAY=:0 XAUTHORITY=/home/user/.Xauthority xwininfo -name 'user@desktop: ~' | grep IsViewable"

    def up():
        try:
            return "IsViewable" in agent(vm, look)
        except (AssertionError, subprocess.CalledProcessError):  # the agent is not there before the guest is up
            return False
    until(up, 240, "the desktop's terminal", pause=2)


def keep(picture, name):
    folder = os.environ.get("FERNWERK_SCREENSHOTS")
    if folder:
        os.makedirs(folder, exist_ok=True)
        Image.fromarray(picture).save(f"{folder}/{name}.png")


def steady(picture, vm, minimum=None, seconds=30):
    """Client and libvirt show the same; a clock in the panel may tick between the two pictures."""
    def same():
        expected, shown = vm.screenshot(), picture()
        if shown is None or shown.shape != expected.shape:
            return False
        return (shown == expected).all() if minimum is None else card.psnr(shown, expected) >= minimum
    until(same, seconds, lambda: card.difference(picture(), vm.screenshot()), pause=0.3)


def type_with_proof(vm, type_line, give_up, proof):
    """Types a line that leaves this proof in the guest. A desktop that is still starting may take the focus away in the
    middle, a busy machine may let a key repeat: a person would give the line up and type again, too."""
    def typed():
        type_line()
        until(lambda: agent(vm, "cat /tmp/proof 2>/dev/null") == f"{proof}\n", 15,
              lambda: f"the typed command's proof, it is {agent(vm, 'cat /tmp/proof')!r}")
    try:
        typed()
    except AssertionError:
        give_up()
        typed()


@pytest.mark.parametrize("name, make", [
    ("xfreerdp-avc420", lambda screen, demo: XFreeRdp(screen, demo, XFreeRdp.AVC420, **SIZE)),
    ("rdesktop", lambda screen, demo: Rdesktop(screen, demo, **SIZE)),
    ("tigervnc", lambda screen, demo: TigerVnc(screen, demo, **SIZE)),
], ids=["xfreerdp-avc420", "rdesktop", "tigervnc"])
def test_a_viewer_works_at_the_desktop(demo, screen, name, make):
    vm = demo.vm()
    wait_desktop(vm)
    with make(screen, demo) as client:
        until(lambda: vm.screenshot().shape[:2] == (800, 1280), 30, "1280x800")
        steady(client.picture, vm, 35)
        client.focus()

        def type_line():
            client.click(400, 300)
            screen.do("type", "--delay", "60", f"clear; echo $((6*7)) {name} | tee /tmp/proof; uname -a")
            screen.do("key", "Return")
        type_with_proof(vm, type_line, lambda: screen.do("key", "ctrl+c"), f"42 {name}")
        time.sleep(2)
        steady(client.picture, vm, None if "avc" not in name else 40)
        keep(client.picture(), name)


def test_the_browser_works_at_the_desktop(demo):
    vm = demo.vm()
    wait_desktop(vm)
    with Browser(demo, **SIZE) as page:
        page.log_in(demo.user()["name"], demo.user()["password"])

        def follows():
            pixels = page.canvas_pixels()
            return pixels is not None and pixels.shape == vm.screenshot().shape and pixels.mean() > 30
        until(follows, 40, lambda: f"the desktop in the page:\n{page.text()}\n{demo.log_tail()}")

        def type_line():
            page.pointer(500, 300)
            for character in "echo $((6*7)) browser > /tmp/proof\ue007":
                if character in SHIFTED:
                    page.stroke(("ShiftLeft", "Shift"), (SHIFTED[character], character))
                else:
                    page.press(character)
        type_with_proof(vm, type_line, lambda: page.stroke(("ControlLeft", "Control"), ("KeyC", "c")), "42 browser")
        steady(page.canvas_pixels, vm, 30)
        keep(page.picture(), "chromium")


def test_the_guest_follows_the_window(demo, screen):
    vm = demo.vm()
    wait_desktop(vm)
    with XFreeRdp(screen, demo, XFreeRdp.GFX, extra=["/dynamic-resolution"], width=1024, height=768):
        until(lambda: vm.screenshot().shape[:2] == (768, 1024), 40, "1024x768")
        screen.do("windowsize", screen.window(demo.host), 900, 650)
        until(lambda: vm.screenshot().shape[:2] == (650, 900), 40, lambda: f"900x650, is {vm.screenshot().shape}")
