"""kill -9 and SIGSTOP on each kind of process during a session, against the last column of the design's table.

There are three viewers, each of another protocol: user1 over RDP at a VM, user2 over VNC and user3 in the browser at
desktops without one. What is not meant to notice a fault must go on moving through it. The browser, which takes most of
a core by itself, is there only where it has a part in the test.
"""

import contextlib
import os
import signal
import threading
import time

import pytest

from lib import greeter, walk
from lib.clients import TigerVnc, XFreeRdp
from lib.demo import is_running
from lib.page import Page
from lib.screen import Screen
from lib.wait import until
from lib.watch import Watch, pauses

OPTIONS = {"guest": "tiny", "users": 1, "size": "1024x768"}
PROGRAMS = ["fernwerk-broker", "fernwerk-gate", "fernwerk-web", "fernwerk-seat", "fernwerk-greeter", "fernwerk-rdp",
            "fernwerk-vnc"]
# Seconds of standing still that count as nothing: a machine of two cores that emulates a VM beside three viewers
# pauses by itself. Where it does so for longer (measured before each fault), three times that long.
CALM = 2.0
# Seconds after which a picture must move again under a new seat. The design says one; this leaves room for tests.
NEW_SEAT = 5.0
# Seconds for which a VM may stand still at most, beside twice what asking it costs when all is well.
VM_STALL = 1.0


class Viewers:
    """One viewer of each protocol, opened where a test has closed it or lost it."""

    def __init__(self, demo):
        self.demo = demo
        self.users = [demo.user(), demo.add_pattern_user("user2", "p2"), demo.add_pattern_user("user3", "p3")]
        self.open = {}

    def make(self, kind):
        user = self.users[["rdp", "vnc", "page"].index(kind)]
        stack = contextlib.ExitStack()
        if kind == "page":
            viewer = stack.enter_context(Page(self.demo, user["name"], user["password"], without=["VideoDecoder"]))
        else:
            screen = stack.enter_context(Screen())
            make = TigerVnc(screen, self.demo, user["name"], user["password"]) if kind == "vnc" else \
                XFreeRdp(screen, self.demo, XFreeRdp.GFX, user["name"], user["password"])
            viewer = stack.enter_context(make)
        self.open[kind] = (viewer, stack)

    def get(self, *kinds):
        """These viewers, open and moving."""
        if "page" not in kinds:
            self.close("page")
        for kind in kinds:
            if kind in self.open and kind != "page" and self.open[kind][0].process.poll() is not None:
                self.close(kind)
            if kind not in self.open:
                self.make(kind)
        viewers = [self.open[kind][0] for kind in kinds]
        for viewer in viewers:
            viewer.wait_card()
            moves(viewer)
        return viewers

    def close(self, *kinds):
        for kind in kinds or list(self.open):
            if kind in self.open:
                self.open.pop(kind)[1].close()


@pytest.fixture(scope="module")
def viewers(demo):
    found = Viewers(demo)
    try:
        yield found
    finally:
        found.close()


def moves(viewer, seconds=15):
    """The viewer's card moves, and it is a whole one."""
    first = until(viewer.number, seconds, lambda: f"a card\n{viewer.demo.log_tail()}")
    until(lambda: (viewer.number() or 0) > first + 3, seconds, lambda: f"a frame after {first}\n{viewer.demo.log_tail()}")


def allowed(base):
    return max(3 * base, CALM)


def calm_through(fault, seconds, *viewers):
    """Commits the fault and watches for some seconds: nobody stands still for longer than is usual here."""
    base = pauses(1.5, *viewers)
    with Watch(*viewers) as watch:
        fault()
        time.sleep(seconds)
    for viewer, usual in zip(viewers, base):
        assert watch.longest[viewer] <= allowed(usual), \
            f"{type(viewer).__name__}: {watch.longest[viewer]:.2f} s, {usual:.2f} s before\n{viewer.demo.log_tail()}"


def process_of(demo, program, title=""):
    return until(lambda: demo.process(program, title), 10, lambda: f"{program} with {title!r}")


def replaced(demo, program, pid, title="", seconds=15):
    """Waits for another process in the lost one's place."""
    until(lambda: demo.process(program, title) not in (None, pid), seconds,
          lambda: f"a new {program}\n{demo.log_tail()}")


@contextlib.contextmanager
def stopped(pid):
    """A process that was stopped goes on afterwards, if it still exists."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def ask_qemu(vm):
    """Seconds that QEMU's main loop takes to answer."""
    began = time.monotonic()
    vm.virsh("qemu-monitor-command", vm.domain, '{"execute":"query-status"}')
    return time.monotonic() - began


class QemuWatch:
    """Asks QEMU again and again; .longest is the longest that an answer took."""

    def __init__(self, vm):
        self.vm, self.longest, self.done = vm, 0.0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()
        return self

    def _ask(self):
        while not self.done.is_set():
            began = time.monotonic()
            try:
                ask_qemu(self.vm)
            finally:  # an answer that never came counts as well
                self.longest = max(self.longest, time.monotonic() - began)

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), "QEMU has not answered for 60 s"


SIGNALS = pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])


@SIGNALS
@pytest.mark.parametrize("program", ["fernwerk-broker", "fernwerk-gate", "fernwerk-web"])
def test_no_picture_stops_when_a_service_is_lost(demo, viewers, program, how):
    through_web = program == "fernwerk-web"
    rdp, vnc, *page = viewers.get("rdp", "vnc", *(["page"] if through_web else []))
    users = ["user1", "user2", "user3"] if through_web else ["user1", "user2"]
    qemu = demo.vm().qemu_pid()
    pid = process_of(demo, program)
    calm_through(lambda: os.kill(pid, how), 4, rdp, vnc)
    replaced(demo, program, pid, seconds=30)
    for viewer in page:  # its pictures pass through the web server: it connects again by itself
        moves(viewer, 40)
    until(lambda: sorted(entry["user"] for entry in demo.cli("session", "list")) == users, 15,
          lambda: f"all sessions in {demo.cli('session', 'list')}")
    assert demo.vm().qemu_pid() == qemu


def test_logins_work_again_after_the_broker_died(demo, viewers):
    viewers.close("rdp")
    os.kill(process_of(demo, "fernwerk-broker"), signal.SIGKILL)
    viewers.get("rdp")


@pytest.mark.parametrize("kind, desktop", [("rdp", "d1"), ("vnc", "p2"), ("page", "p3")], ids=["rdp", "vnc", "page"])
def test_a_dead_seat_is_replaced_under_its_client_who_keeps_the_picture(demo, viewers, kind, desktop):
    victim, neighbour = viewers.get(kind, "rdp" if kind != "rdp" else "vnc")
    qemu = demo.vm().qemu_pid()
    pid = process_of(demo, "fernwerk-seat", desktop)
    with Watch(victim) as watch:
        calm_through(lambda: os.kill(pid, signal.SIGKILL), 4, neighbour)
        replaced(demo, "fernwerk-seat", pid, desktop)
        moves(victim)
    print(f"{kind}: its picture stood still for {watch.longest[victim]:.2f} s")
    assert watch.longest[victim] <= NEW_SEAT
    assert watch.blanks[victim] == 0, "the picture went away"
    assert demo.vm().qemu_pid() == qemu


def test_a_stopped_seat_does_not_stall_its_vm(demo, viewers):
    """The guest flips pages: each new buffer reaches the seat by a call for whose answer QEMU's main loop waits."""
    victim, neighbour = viewers.get("rdp", "vnc")
    vm = demo.vm()
    victim.focus()
    victim.key("F9")
    moves(victim)
    pid = process_of(demo, "fernwerk-seat", "d1")
    with QemuWatch(vm) as before:
        time.sleep(2)
    with QemuWatch(vm) as watch:
        with stopped(pid):
            calm_through(lambda: None, 3, neighbour)
            replaced(demo, "fernwerk-seat", pid, "d1")
            time.sleep(2)
    print(f"QEMU answered within {before.longest:.2f} s before, within {watch.longest:.2f} s during the fault")
    moves(victim)
    victim.key("F9")
    assert watch.longest <= VM_STALL + 2 * before.longest


@SIGNALS
@pytest.mark.parametrize("kind, program, title", [("rdp", "fernwerk-rdp", "user1 on d1"),
                                                  ("vnc", "fernwerk-vnc", "user2 on p2"),
                                                  ("page", "fernwerk-vnc", "user3 on p3")], ids=["rdp", "vnc", "page"])
def test_a_lost_client_process_costs_one_connection(demo, viewers, kind, program, title, how):
    victim, neighbour = viewers.get(kind, "rdp" if kind != "rdp" else "vnc")
    qemu = demo.vm().qemu_pid()
    pid = process_of(demo, program, title)
    calm_through(lambda: os.kill(pid, how), 2, neighbour)
    if kind == "page":  # comes back by itself
        replaced(demo, program, pid, title, 40)
        moves(victim, 40)
    else:
        victim.wait_end(30)
        user = title.split(" ")[0]
        until(lambda: user not in [entry["user"] for entry in demo.cli("session", "list")], 15, "the session's end")
        viewers.get(kind)
    assert demo.vm().qemu_pid() == qemu


@SIGNALS
def test_a_lost_greeter_is_replaced_under_its_client(demo, viewers, how):
    viewers.close("rdp")
    neighbour, = viewers.get("vnc")
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX, user="", password="") as client:
        greeter.wait_greeter(client)
        # Which of the greeters, some are kept warm, is this client's? Losing one that waits must be as harmless.
        lost = demo.pids("fernwerk-greeter")

        def lose():
            for pid in lost:
                os.kill(pid, how)

        # The lost one's picture stands until then: what is typed too early is nobody's.
        def shown():
            return demo.log_text().count("shows a greeter")
        before = shown()
        calm_through(lose, 3, neighbour)
        until(lambda: not set(lost) & set(demo.pids("fernwerk-greeter")), 30, "new greeters in their place")
        until(lambda: shown() > before, 30, lambda: f"the client at another greeter\n{demo.log_tail()}")
        greeter.sign_in(client, demo.user()["name"], demo.user()["password"])
        client.wait_card()


def test_no_picture_stops_while_fernwerkd_is_stopped(demo, viewers):
    all_of_them = viewers.get("rdp", "vnc")
    master = demo.pids("fernwerkd")[0]
    before = {program: demo.pids(program) for program in ("fernwerk-rdp", "fernwerk-seat", "fernwerk-broker")}
    base = pauses(1.5, *all_of_them)
    with Watch(*all_of_them) as watch:
        with stopped(master):
            time.sleep(8)  # longer than any heartbeat may take
        time.sleep(3)
    for viewer, usual in zip(all_of_them, base):
        assert watch.longest[viewer] <= allowed(usual), f"{type(viewer).__name__}: {watch.longest[viewer]:.2f} s"
    # Nobody is taken for dead because his master slept.
    for program, pids in before.items():
        assert set(pids) <= set(demo.pids(program)), f"{program}\n{demo.log_tail()}"


def test_a_desktop_that_dies_is_shown_to_be_off_and_starts_again(demo, viewers):
    client, = viewers.get("rdp")
    vm = demo.vm()
    vm.virsh("destroy", vm.domain)
    desktop = until(lambda: (d := demo.cli("desktop", "show", "d1"))["state"] in ("off", "failed") and d, 10, "off")
    assert desktop["reason"]
    greeter.wait_sentence(client, "off", desktop["reason"], "d1")
    assert client.process.poll() is None
    # Return chooses what the greeter offers first, starting again.
    client.focus()
    client.key("Return")
    client.wait_card(60)


def test_vms_outlive_fernwerkd_and_are_found_again(demo, viewers):
    """The last test of this file: the demo is another one afterwards."""
    viewers.close()
    vm = demo.vm()
    qemu = vm.qemu_pid()
    master = demo.pids("fernwerkd")[0]
    everyone = [pid for program in PROGRAMS for pid in demo.pids(program)]
    assert len(everyone) >= 4
    os.kill(master, signal.SIGKILL)
    until(lambda: not any(map(is_running, everyone)), 10, "the end of all its processes")
    assert vm.qemu_pid() == qemu
    demo.start()
    assert demo.cli("desktop", "show", "d1")["state"] == "running"
    assert demo.vm().qemu_pid() == qemu
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        walk.moving(client)
    assert demo.vm().qemu_pid() == qemu
