"""What a session costs while it stands: memory of each process, processor time with a still picture."""

import time

import processes
import viewers
from lib.wait import until

CLIENT_MIB, SEAT_MIB, SEAT_H264_MIB = 14.3, 19.1, 61.0  # 15, 20 and 64 MB
IDLE_PERCENT = 0.05
MOVING_S = 10  # long enough for a stream to have begun, and for the encoder of one before it to have gone
STILL_S = 12   # long enough for a stream to have ended and the picture to be exact
SESSIONS = {"RDP, H.264": (lambda run: viewers.rdp(run.screen, run.demo), "fernwerk-rdp"),
            "VNC": (lambda run: viewers.vnc(run.screen, run.demo), "fernwerk-vnc"),
            "browser, H.264": (lambda run: viewers.Page(run.demo), "fernwerk-vnc")}


def memory(run, figures):
    """PSS of every process in MiB, the card moving."""
    for name in SESSIONS:
        for _ in run.rounds(f"{name}: memory"):
            with _standing(run, name):
                time.sleep(MOVING_S)
                _add_memory(run, figures, name)
            run.settle()


def idle(run, figures):
    """Processor time of every process in percent of a core, the card frozen, and what the seat then needs."""
    for name in SESSIONS:
        with _standing(run, name) as viewer:
            _freeze(viewer)
            time.sleep(STILL_S)
            for _ in run.rounds(f"{name}: idle"):
                _add_idle(run, figures, name)
            _, seat = _of_session(run, name)
            figures.add(f"memory, {name}", "fernwerk-seat, card frozen", "MiB", _mib(seat), _seat_limit(name))
            _freeze(viewer)
        run.settle()


def _standing(run, name):
    """An open client of this name that shows the moving card."""
    opened, _ = SESSIONS[name]
    return _Standing(opened(run))


class _Standing:
    def __init__(self, viewer):
        self.viewer = viewer

    def __enter__(self):
        self.viewer.__enter__()
        try:
            until(lambda: self.viewer.frame() is not None, 60, "the card", 0.2)
            if not _moves(self.viewer):
                self.viewer.press_f8()
                until(lambda: _moves(self.viewer), 20, "a moving card")
        except BaseException:
            self.viewer.__exit__()
            raise
        return self.viewer

    def __exit__(self, *_):
        self.viewer.__exit__()


def _moves(viewer):
    first = viewer.frame()
    time.sleep(1.5)
    return viewer.frame() != first


def _freeze(viewer):
    """Stops or starts the card."""
    before = _moves(viewer)
    viewer.press_f8()
    until(lambda: _moves(viewer) != before, 20, "the card's answer to F8")


def _seat_limit(name):
    return SEAT_H264_MIB if "H.264" in name else SEAT_MIB


def _mib(pid):
    return processes.memory(pid)["Pss"] / 1024


def _of_session(run, name):
    """The pids of the session's client process and seat."""
    _, program = SESSIONS[name]
    found = processes.of_demo(run.demo)
    client = [pid for pid, (kind, warm) in found.items() if kind == program and not warm]
    seat = [pid for pid, (kind, _) in found.items() if kind == "fernwerk-seat"]
    assert len(client) == 1 and len(seat) == 1, f"one session, not {client} and {seat}"
    return client[0], seat[0]


def _add_memory(run, figures, name):
    client, seat = _of_session(run, name)
    figures.add(f"memory, {name}", f"{SESSIONS[name][1]}, the session's", "MiB", _mib(client), CLIENT_MIB)
    figures.add(f"memory, {name}", "fernwerk-seat", "MiB", _mib(seat), _seat_limit(name))
    others = {}
    for pid, (program, warm) in processes.of_demo(run.demo).items():
        if pid not in (client, seat):
            others.setdefault(f"{program}, warm" if warm else program, []).append(_mib(pid))
    for program, each in others.items():
        figures.add(f"memory, {name}", program, "MiB", max(each))


def _add_idle(run, figures, name):
    found = processes.of_demo(run.demo)
    before = {pid: processes.processor_seconds(pid) for pid in found}
    begin = time.monotonic()
    time.sleep(run.idle_s)
    took = time.monotonic() - begin
    percent = {pid: (processes.processor_seconds(pid) - before[pid]) / took * 100 for pid in found}
    figures.add(f"idle, {name}", "all processes", "% of a core", sum(percent.values()), IDLE_PERCENT)
    kinds = {}
    for pid, (program, warm) in found.items():
        kind = "warm processes" if warm else program
        kinds[kind] = kinds.get(kind, 0) + percent[pid]
    for kind, value in kinds.items():
        figures.add(f"idle, {name}", kind, "% of a core", value)
