"""Every process of a running Fernwerk as the kernel sees it: users, privileges, filters, and what `ps` calls it."""

import os

import pytest

from lib import walk
from lib.clients import TigerVnc, XFreeRdp
from lib.page import Page
from lib.screen import Screen

OPTIONS = {"guest": "pattern", "users": 3}

PER_CONNECTION = {"fernwerk-rdp", "fernwerk-vnc", "fernwerk-greeter", "fernwerk-seat"}
LASTING = {"fernwerkd", "fernwerk-broker", "fernwerk-gate", "fernwerk-web"}


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


@pytest.fixture(scope="module")
def processes(demo):
    """{pid: (program, status, title)} while an RDP, a VNC and a web session and a connection at a greeter exist."""
    users = demo.json["users"]
    with Screen() as one, Screen() as two, Screen() as three, \
            XFreeRdp(one, demo, XFreeRdp.GFX, users[0]["name"], users[0]["password"]) as rdp, \
            TigerVnc(two, demo, users[1]["name"], users[1]["password"]) as vnc, \
            Page(demo, users[2]["name"], users[2]["password"]) as page, \
            TigerVnc(three, demo, security="X509None"):
        for viewer in (rdp, vnc, page):
            viewer.wait_card()
        walk.until(lambda: len(demo.cli("session", "list")) == 3, 10, "three sessions")
        found = {}
        for program in PER_CONNECTION | LASTING:
            for pid in demo.pids(program):
                with open(f"/proc/{pid}/cmdline") as file:
                    found[pid] = (program, status_of(pid), file.read().replace("\0", " ").strip())
        yield found


def test_all_kinds_run(processes):
    assert {program for program, _, _ in processes.values()} == PER_CONNECTION | LASTING


def test_only_the_master_has_root_and_capabilities(processes):
    for program, status, title in processes.values():
        if program == "fernwerkd":
            continue
        assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split(), f"{title}: {status['Uid']}"
        for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
            assert int(status[name], 16) == 0, f"{title}: {name} {status[name]}"
        assert status["NoNewPrivs"] == "1", title


def test_every_process_that_sees_bytes_from_outside_or_of_a_vm_has_a_system_call_filter(processes):
    for program, status, title in processes.values():
        if program not in ("fernwerkd", "fernwerk-broker"):
            assert status["Seccomp"] == "2", title


def test_no_two_processes_of_connections_and_desktops_share_a_user(processes):
    uids = [status["Uid"].split()[0] for program, status, _ in processes.values() if program in PER_CONNECTION]
    assert len(uids) == len(set(uids)) >= 3 + 3 + 1


def test_ps_tells_who_is_who(processes):
    titles = [title for _, _, title in processes.values()]
    for expected in ("fernwerk-rdp: user1 on d1", "fernwerk-vnc: user2 on d2", "fernwerk-vnc: user3 on d3",
                     "fernwerk-seat: d1", "fernwerk-seat: d2", "fernwerk-seat: d3"):
        assert expected in titles, titles


def test_no_process_holds_more_files_than_it_needs(processes):
    """Per-connection processes have no file of any disk open, and no terminal."""
    for pid, (program, _, title) in processes.items():
        if program not in ("fernwerk-rdp", "fernwerk-vnc"):
            continue
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
            assert not target.startswith(("/dev/pts", "/etc", "/home", "/root")), f"{title}: {target}"
