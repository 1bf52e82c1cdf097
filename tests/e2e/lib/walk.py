"""What every client is put through: the picture, the keys, the pointer, coming back to the same VM."""

from lib import card
from lib.wait import until

# What a German keyboard has: key names of X, and the evdev codes that a German keymap wants pressed for them.
GERMAN = {"at": [100, 16], "braceleft": [100, 8], "ssharp": [12], "y": [44]}


def moving(client):
    """The card moves: its number grows."""
    first = until(lambda: card.frame_number(client.picture()), 10, "a frame number")
    until(lambda: (card.frame_number(client.picture()) or 0) > first + 5, 10, f"a frame after {first}")


def freeze(client, vm):
    mark = vm.serial.mark()
    client.focus()
    client.key("F8")
    vm.serial.wait_sequence(["KEY 66 1", "KEY 66 0"], mark)


def melt(client, vm):
    """Lets a card move that an earlier test left frozen."""
    if card.is_frozen(vm.screenshot()):
        freeze(client, vm)


def same_as_vm(client, vm, minimum=None, seconds=15):
    """The frozen card is shown as libvirt sees it: exactly, or with at least `minimum` dB."""
    def close_enough():
        expected, shown = vm.screenshot(), client.picture()  # anew: a slow guest may not have frozen it yet
        if shown.shape != expected.shape:
            return False
        return (shown == expected).all() if minimum is None else card.psnr(shown, expected) >= minimum
    until(close_enough, seconds, lambda: card.difference(client.picture(), vm.screenshot()), pause=0.2)


def arrives(vm, mark, codes):
    """These keys have been pressed in this order, and all are released, in whatever order the sender chose."""
    vm.serial.wait_sequence([f"KEY {code} 1" for code in codes], mark)
    until(lambda: no_key_is_held(vm, mark), 10, lambda: f"releases in {vm.serial.since(mark)}")


def typing(client, vm, german=GERMAN):
    client.focus()
    mark = vm.serial.mark()
    client.key("a")
    arrives(vm, mark, [30])
    for name, codes in german.items():
        mark = vm.serial.mark()
        client.key(name)
        arrives(vm, mark, codes)


def pointing(client, vm):
    x, y = 300, 411
    for button, bit in ((1, 1), (2, 2), (3, 4)):
        mark = vm.serial.mark()
        client.click(x, y, button)
        vm.serial.wait_sequence([f"PTR {x} {y} {bit}", f"PTR {x} {y} 0"], mark)
        x, y = x + 101, y + 50
    mark = vm.serial.mark()
    client.click(x, y, 4)
    vm.serial.wait("WHEEL 1 0", mark)
    client.click(x, y, 5)
    vm.serial.wait("WHEEL -1 0", mark)


def no_key_is_held(vm, mark):
    """All keys pressed since mark have been released."""
    held = set()
    for line in vm.serial.since(mark):
        if line.startswith("KEY "):
            _, code, down = line.split()
            (held.add if down == "1" else held.discard)(code)
    return not held


def whole(open_client, vm, minimum=None, german=GERMAN, wait_card=lambda client: client.wait_card()):
    """open_client() makes the client anew; `minimum` dB where its codec is lossy; `german` keys that it can type."""
    begin = vm.serial.mark()
    with open_client() as client:
        took = wait_card(client)
        until(lambda: vm.serial.size() == (client.width, client.height), 10, "the guest's size")
        melt(client, vm)
        moving(client)
        freeze(client, vm)
        same_as_vm(client, vm, minimum)
        typing(client, vm, german)
        pointing(client, vm)
        same_as_vm(client, vm, minimum)
        client.screen.do("keydown", "b")
        vm.serial.wait("KEY 48 1", begin)
        number, pid = card.frame_number(vm.screenshot()), vm.qemu_pid()
    until(lambda: no_key_is_held(vm, begin), 10, "the release of the held key")
    client.screen.do("keyup", "b")
    with open_client() as client:
        wait_card(client)
        assert vm.qemu_pid() == pid
        shown = until(lambda: card.frame_number(client.picture()), 10, "a frame number")
        assert shown == number, "the card was frozen and is the same VM's"
        freeze(client, vm)
        moving(client)
    until(lambda: client.demo.cli("session", "list") == [], 10, "the session's end")
    return took
