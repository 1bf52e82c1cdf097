"""scripts/demo itself: its summary, reuse, side by side, stop, bad arguments; with the pattern source for speed."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import ssl
import stat
import subprocess
import termios
import time
import urllib.request

from lib import walk
from lib.clients import XFreeRdp
from lib.demo import BUILD, ENVIRONMENT, ROOT, Demo, is_running, together
from lib.screen import Screen

PROGRAMS = ["--build", BUILD] if BUILD else []


def run(*arguments):
    return subprocess.run([f"{ROOT}/scripts/demo", *arguments], capture_output=True, text=True, timeout=600)


def test_the_summary_is_private_and_complete():
    with Demo(guest="pattern", users=2) as demo:
        path = f"{demo.directory}/demo.json"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        fields = {"version", "listen", "rdp", "vnc", "https", "ca", "cli", "libvirt_uri", "admin", "users", "desktops",
                  "pids"}
        assert fields <= set(demo.json)
        assert demo.json["version"] == 1
        assert [user["desktop"] for user in demo.json["users"]] == ["d1", "d2"]
        assert [desktop["name"] for desktop in demo.json["desktops"]] == ["d1", "d2"]
        for port in ("rdp", "vnc", "https"):
            assert not 5900 <= demo.json[port] < 6000
            socket.create_connection(("127.0.0.1", demo.json[port]), 5).close()
        assert {entry["name"] for entry in demo.cli("user", "list")} == {"admin", "user1", "user2"}
        for program in ("fernwerkd", "fernwerk-broker", "fernwerk-gate", "fernwerk-web"):
            assert demo.json["pids"][program]


def test_the_same_folder_again_keeps_accounts_and_stop_is_idempotent():
    with Demo(guest="pattern") as demo:
        before = demo.json
        demo.stop()
        assert not os.path.exists(f"{demo.directory}/demo.json")
        assert not is_running(before["pids"]["fernwerkd"][0])
        demo.stop()
        done = run("--detach", "--guest", "pattern", "--dir", demo.directory, *PROGRAMS)
        assert done.returncode == 0, done.stderr
        demo.reload()
        assert demo.json["users"] == before["users"] and demo.json["admin"] == before["admin"]
        assert demo.json["uuid"] == before["uuid"]


def test_a_second_start_in_a_running_folder_is_refused():
    with Demo(guest="pattern") as demo:
        done = run("--detach", "--guest", "pattern", "--dir", demo.directory, *PROGRAMS)
        assert done.returncode == 1 and "--stop" in done.stderr
        assert demo.cli("status")


def uid_range(demo):
    with open(f"{demo.directory}/fernwerk.conf") as file:
        return next(line.split(" = ")[1].strip() for line in file if line.startswith("uid_range"))


def test_two_instances_start_and_run_at_the_same_time_and_know_nothing_of_each_other():
    with together(Demo(guest="tiny"), Demo(guest="tiny")) as (one, two), Screen() as left, Screen() as right:
        assert one.json["uuid"] != two.json["uuid"]
        assert one.json["desktops"][0]["domain"] != two.json["desktops"][0]["domain"]
        assert uid_range(one) != uid_range(two)
        with XFreeRdp(right, two, XFreeRdp.GFX) as other:
            with XFreeRdp(left, one, XFreeRdp.GFX) as client:
                client.wait_card(60)  # two machines boot
                other.wait_card(60)
                walk.moving(client)
                one.stop()
                client.wait_end()
            assert two.cli("desktop", "show", "d1")["state"] == "running"
            walk.moving(other)


def child_pids(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def foreground(demo):
    """A demo as a person starts it; returns the process, and what it printed, once it says how to end it."""
    process = subprocess.Popen(demo.command(), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C ends it" in line:
            demo.reload()
            return process, printed
    raise AssertionError(f"the demo ended:\n{process.stderr.read()}")


def test_ctrl_c_ends_all_of_it_however_often_it_is_pressed():
    with Demo(guest="tiny") as demo:
        demo.stop()
        process, _ = foreground(demo)
        master, domain = demo.json["pids"]["fernwerkd"][0], demo.json["desktops"][0]["domain"]
        pids = [master, *child_pids(master), demo.vm().qemu_pid()]
        state = f"/run/libvirt/qemu/{domain}.xml"  # libvirt's own of a machine that runs; it may end with us
        assert os.path.exists(state)
        for _ in range(12):  # the VM's end alone takes seconds
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.15)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
        assert not [pid for pid in pids if is_running(pid)], said
        assert not os.path.exists(state), said
        assert not os.path.exists(f"{demo.directory}/demo.json")


def test_closing_the_terminal_ends_all_of_it():
    with Demo(guest="pattern") as demo:
        demo.stop()
        terminal, end = pty.openpty()
        process = subprocess.Popen(demo.command(), env=ENVIRONMENT, stdin=end, stdout=end, stderr=end,
                                   preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        os.close(end)
        printed = b""
        while b"Ctrl-C ends it" not in printed:
            printed += os.read(terminal, 4096)
        demo.reload()
        pids = [demo.json["pids"]["fernwerkd"][0], *child_pids(demo.json["pids"]["fernwerkd"][0])]
        os.close(terminal)
        process.wait(60)
        assert not [pid for pid in pids if is_running(pid)]
        assert not os.path.exists(f"{demo.directory}/demo.json")


def test_stop_ends_a_demo_in_the_foreground_which_told_an_address_that_works():
    with Demo(guest="pattern", listen="0.0.0.0") as demo:
        demo.stop()
        process, printed = foreground(demo)
        url = re.search(r"https://\S+", printed)[0]
        context = ssl.create_default_context(cafile=demo.json["ca"])  # its host name is checked
        with urllib.request.urlopen(url, timeout=20, context=context) as answer:
            assert answer.status == 200
        demo.stop()
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said


def test_a_killed_demo_frees_what_it_had_and_its_stale_pid_is_left_alone():
    with Demo(guest="pattern") as demo, Demo(guest="pattern") as other:
        os.kill(demo.json["pids"]["fernwerkd"][0], signal.SIGKILL)
        bystander = subprocess.Popen(["sleep", "600"])
        try:
            with open(f"{demo.directory}/run/lock", "w") as file:
                file.write(f"{bystander.pid}\n")
            demo.stop()
            assert is_running(bystander.pid)
        finally:
            bystander.kill()
            bystander.wait()
        assert other.cli("status")


def test_a_folder_only_root_can_pass_works_too(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = run("--detach", "--guest", "tiny", "--dir", str(closed / "demo"), *PROGRAMS)
    try:
        assert done.returncode == 0, done.stderr
        with open(closed / "demo" / "demo.json") as file:
            assert json.load(file)["version"] == 1
    finally:
        run("--stop", "--dir", str(closed / "demo"))


def test_a_port_in_use_is_named_and_nothing_is_left(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--detach", "--guest", "pattern", "--rdp", str(port), "--dir", str(tmp_path / "d"), *PROGRAMS)
    assert done.returncode == 1
    assert str(port) in done.stderr and "another program listens there" in done.stderr
    assert not (tmp_path / "d" / "demo.json").exists()


def test_bad_arguments_are_explained():
    for arguments in (["--size", "10x10"], ["--guest", "windows"], ["--users", "0"], ["--rdp", "70000"]):
        done = run(*arguments)
        assert done.returncode == 2 and arguments[1] in done.stderr
