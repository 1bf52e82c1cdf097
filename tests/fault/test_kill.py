"""kill -9 and SIGSTOP on each kind of process during a session, against the last column of the design's table.

Three things are watched throughout: the client's picture, the VM's own clock (its frame number over libvirt), and
another user's session, which must notice nothing.
"""

import os
import signal
import ssl
import time
import urllib.error
import urllib.request

import pytest

from lib import card, walk
from lib.clients import XFreeRdp
from lib.screen import Screen
from lib.wait import until

OPTIONS = {"guest": "tiny", "users": 2}


@pytest.fixture
def pair(demo):
    """Two users at their desktops: (victim, neighbour)."""
    with Screen() as one, Screen() as two:
        users = demo.json["users"]
        with XFreeRdp(one, demo, XFreeRdp.GFX, users[0]["name"], users[0]["password"]) as victim, \
                XFreeRdp(two, demo, XFreeRdp.GFX, users[1]["name"], users[1]["password"]) as neighbour:
            victim.wait_card()
            neighbour.wait_card()
            walk.moving(victim)
            walk.moving(neighbour)
            yield victim, neighbour


def process_of(demo, program, title=None):
    """The pid of a demo's process, chosen by its title where there are several ("user1 on d1")."""
    for pid in demo.pids(program):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if title is None or title in file.read().decode(errors="replace"):
                return pid
    raise AssertionError(f"no {program} with {title!r}")


def longest_pause(client, seconds):
    """The longest time in which a client's frame number stood still."""
    end = time.monotonic() + seconds
    last, since, longest = card.frame_number(client.picture()), time.monotonic(), 0.0
    while time.monotonic() < end:
        number = card.frame_number(client.picture())
        now = time.monotonic()
        if number is not None and number != last:
            longest = max(longest, now - since)
            last, since = number, now
        time.sleep(0.02)
    return max(longest, time.monotonic() - since)


def vm_moves(vm):
    first = card.frame_number(vm.screenshot())
    until(lambda: (card.frame_number(vm.screenshot()) or 0) > first, 3, "the VM's next frame")


def replaced(demo, program, pid, title=None, seconds=15):
    """Waits for another process in the killed one's place."""
    def other():
        try:
            return process_of(demo, program, title) not in (None, pid)
        except (AssertionError, OSError):
            return False
    until(other, seconds, lambda: f"a new {program}\n{demo.log_tail()}")


def test_a_new_web_server_finds_the_broker(demo):
    [pid] = demo.pids("fernwerk-web")
    os.kill(pid, signal.SIGKILL)
    replaced(demo, "fernwerk-web", pid)

    def answers():
        try:
            urllib.request.urlopen(f"https://{demo.host}:{demo.json['https']}/api/v1/desktops",
                                   context=ssl._create_unverified_context(), timeout=10)
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
    until(answers, 20, lambda: f"the broker's word that nobody is logged in\n{demo.log_tail()}", 0.5)


@pytest.mark.parametrize("program", ["fernwerk-broker", "fernwerk-gate", "fernwerk-web"])
def test_no_picture_stops_when_a_service_dies(demo, pair, program):
    victim, neighbour = pair
    pid = process_of(demo, program)
    os.kill(pid, signal.SIGKILL)
    assert longest_pause(victim, 4) < 1.5
    replaced(demo, program, pid)
    walk.moving(neighbour)
    sessions = until(lambda: len(demo.cli("session", "list")) == 2, 10, "both sessions in the new broker's list")
    assert sessions
    vm_moves(demo.vm(0))


def test_logins_work_again_after_the_broker_died(demo):
    pid = process_of(demo, "fernwerk-broker")
    os.kill(pid, signal.SIGKILL)
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()


def test_a_dead_seat_is_replaced_under_its_client(demo, pair):
    victim, neighbour = pair
    pid = process_of(demo, "fernwerk-seat", "d1")
    qemu = demo.vm(0).qemu_pid()
    os.kill(pid, signal.SIGKILL)
    assert longest_pause(neighbour, 3) < 1.5
    replaced(demo, "fernwerk-seat", pid, "d1")
    walk.moving(victim)
    assert victim.process.poll() is None
    assert demo.vm(0).qemu_pid() == qemu


def test_a_stopped_seat_does_not_stall_its_vm(demo, pair):
    victim, neighbour = pair
    vm = demo.vm(0)
    pid = process_of(demo, "fernwerk-seat", "d1")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert longest_pause(neighbour, 3) < 1.5
        began = time.monotonic()
        vm.virsh("qemu-monitor-command", vm.domain, '{"execute":"query-status"}')
        assert time.monotonic() - began < 2
        replaced(demo, "fernwerk-seat", pid, "d1")
        walk.moving(victim)
    finally:
        if os.path.exists(f"/proc/{pid}"):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_lost_client_process_costs_one_connection(demo, pair, how):
    victim, neighbour = pair
    pid = process_of(demo, "fernwerk-rdp", "user1 on d1")
    os.kill(pid, how)
    victim.wait_end(30)
    assert longest_pause(neighbour, 2) < 1.5
    until(lambda: [entry["user"] for entry in demo.cli("session", "list")] == ["user2"], 15, "one session left")
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        vm_moves(demo.vm(0))


@pytest.mark.parametrize("program", ["fernwerk-broker", "fernwerk-gate", "fernwerk-web"])
def test_a_stopped_service_is_replaced(demo, pair, program):
    victim, _ = pair
    pid = process_of(demo, program)
    os.kill(pid, signal.SIGSTOP)
    assert longest_pause(victim, 3) < 1.5
    replaced(demo, program, pid, seconds=30)
    walk.moving(victim)


def test_a_desktop_that_dies_is_shown_to_be_off_and_starts_again(demo):
    vm = demo.vm(0)
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        vm.virsh("destroy", vm.domain)
        desktop = until(lambda: (d := demo.cli("desktop", "show", "d1"))["state"] in ("off", "failed") and d, 10, "off")
        assert desktop["reason"]
        assert client.process.poll() is None
        # The greeter shows it; Return chooses what it offers first, starting again.
        time.sleep(1)
        client.focus()
        client.key("Return")
        client.wait_card(60)


def test_vms_outlive_fernwerkd(demo):
    vm = demo.vm(1)
    qemu = vm.qemu_pid()
    os.kill(demo.pids("fernwerkd")[0], signal.SIGKILL)
    until(lambda: not demo.pids("fernwerk-broker"), 10, "the end of all processes")
    assert vm.qemu_pid() == qemu
    vm_moves(vm)
