"""Bytes that no client sends and states that nobody wants: each gets its answer, nothing else is disturbed."""

import os
import socket
import sqlite3
import ssl
import struct
import subprocess
import time

import pytest

from lib.clients import XFreeRdp
from lib.demo import Demo
from lib.screen import Screen
from lib.wait import until

OPTIONS = {"guest": "pattern", "users": 2}

X224 = struct.pack(">BBHBBHHB", 3, 0, 19, 14, 0xE0, 0, 0, 0) + struct.pack("<BBHI", 1, 0, 8, 1)
LIES = {
    "rdp": {
        "truncated": X224[:7],
        "length-too-small": b"\x03\x00\x00\x04\x0e\xe0",
        "length-too-large": b"\x03\x00\xff\xff" + X224[4:],
        "inner-length-lies": X224[:4] + b"\xff" + X224[5:],
        "not-rdp": b"GET / HTTP/1.1\r\n\r\n",
        "noise": bytes(range(256)) * 4,
    },
    "vnc": {
        "truncated": b"RFB 003",
        "not-rfb": b"GET / HTTP/1",
        "old-version": b"RFB 000.000\n",
        "no-security-type": b"RFB 003.008\n\xff",
        "noise": bytes(range(256)) * 4,
    },
    "https": {
        "truncated-hello": b"\x16\x03\x01\x02\x00\x01",
        "hello-length-lies": b"\x16\x03\x01\xff\xff" + b"\x01\xff\xff\xff" * 10,
        "plain-http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "noise": bytes(range(256)) * 4,
    },
}


def services(demo):
    return {program: demo.pids(program) for program in ("fernwerkd", "fernwerk-broker", "fernwerk-gate", "fernwerk-web")}


def ends(connection, seconds):
    """Whether the server closes the connection in time; what it still sends is read away."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("protocol, lie", [(protocol, name) for protocol in LIES for name in LIES[protocol]])
def test_a_lying_first_packet_costs_its_own_connection_only(demo, protocol, lie):
    before = services(demo)
    with socket.create_connection((demo.host, demo.json[protocol]), 5) as connection:
        connection.sendall(LIES[protocol][lie])
        assert ends(connection, 35), "the connection stays open for ever"
    assert services(demo) == before


def test_http_requests_that_lie_are_refused(demo):
    context = ssl.create_default_context(cafile=demo.json["ca"])
    context.check_hostname = False
    before = services(demo)
    for request in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
                    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):
        with context.wrap_socket(socket.create_connection((demo.host, demo.json["https"]), 5)) as connection:
            try:
                connection.sendall(request)
            except (ConnectionError, ssl.SSLError):
                continue
            try:
                assert b" 200 " not in connection.recv(64)
            except (ConnectionError, ssl.SSLError):
                pass
    assert services(demo) == before


def test_silent_connections_are_bounded_for_one_source(demo):
    held = []
    try:
        for _ in range(40):
            held.append(socket.create_connection((demo.host, demo.json["rdp"]), 5))
        time.sleep(1)
        open_ones = 0
        for connection in held:
            connection.settimeout(0.05)
            try:
                open_ones += connection.recv(1) != b""
            except TimeoutError:
                open_ones += 1
            except ConnectionError:
                pass
        assert open_ones <= 16, f"{open_ones} half-open connections of one source"
    finally:
        for connection in held:
            connection.close()


def test_a_client_that_stops_reading_disturbs_nobody(demo, screen):
    user = demo.json["users"][1]
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as slow:
        slow.wait_card()
        slow.process.send_signal(19)  # SIGSTOP
        try:
            time.sleep(3)
            with Screen() as other, XFreeRdp(other, demo, XFreeRdp.GFX, user["name"], user["password"]) as client:
                client.wait_card()
            rss = [int(open(f"/proc/{pid}/statm").read().split()[1]) * 4 // 1024 for pid in demo.pids("fernwerk-rdp")]
            assert max(rss) < 500, f"a client process grows: {rss} MiB"
        finally:
            slow.process.send_signal(18)  # SIGCONT


def test_a_missing_image_is_told_with_its_name(demo):
    absent = "/nonexistent/image.qcow2"
    done = demo.run_cli("template", "add", "broken", "--kind", "vm", "--image", absent)
    assert done.returncode in (1, 2) and absent in done.stderr
    image = f"{demo.directory}/gone.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
    demo.cli("template", "add", "broken", "--kind", "vm", "--image", image)
    demo.cli("desktop", "create", "dx", "broken")
    os.unlink(image)
    done = demo.run_cli("desktop", "start", "dx")
    desktop = until(lambda: (d := demo.cli("desktop", "show", "dx"))["state"] in ("failed", "off") and d, 30, "its end")
    assert image in done.stderr + desktop["reason"], f"{done.stderr} {desktop}"
    demo.cli("desktop", "remove", "dx")


def test_a_wrong_password_shows_the_greeter_and_no_desktop(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX, password="wrong") as client:
        until(lambda: client.picture().max() > 100, 20, "a picture")
        time.sleep(3)
        assert demo.cli("session", "list") == []
        assert client.process.poll() is None
    with XFreeRdp(screen, demo, XFreeRdp.GFX, user="nobody", password="wrong") as client:
        until(lambda: client.picture().max() > 100, 20, "a picture")
        time.sleep(3)
        assert demo.cli("session", "list") == []


def test_a_database_of_a_newer_version_is_refused_in_words():
    with Demo(guest="pattern") as demo:
        demo.stop()
        database = sqlite3.connect(f"{demo.directory}/state/fernwerk.db")
        database.execute("PRAGMA user_version = 9999")
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%version%'"
                                                      " OR name LIKE '%migration%'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            database.execute(f"UPDATE {table} SET {columns[0]} = 9999")
        database.commit()
        database.close()
        with pytest.raises(AssertionError, match="newer"):
            with Demo(guest="pattern", dir=demo.directory):
                pass
