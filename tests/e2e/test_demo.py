"""scripts/demo itself: its summary, reuse, side by side, stop, bad arguments; with the pattern source for speed."""

import json
import os
import socket
import stat
import subprocess

from lib.demo import BUILD, ROOT, Demo

PROGRAMS = ["--build", BUILD] if BUILD else []


def run(*arguments):
    return subprocess.run([f"{ROOT}/scripts/demo", *arguments], capture_output=True, text=True, timeout=600)


def is_running(pid):
    """A zombie does not run: whether init reaps it is not ours to say."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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


def test_two_instances_run_side_by_side_and_know_nothing_of_each_other():
    with Demo(guest="tiny") as one, Demo(guest="tiny") as two:
        assert one.json["uuid"] != two.json["uuid"]
        assert one.json["desktops"][0]["domain"] != two.json["desktops"][0]["domain"]
        one.stop()
        assert two.cli("desktop", "show", "d1")["state"] == "running"
        assert two.vm().screenshot().size


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
