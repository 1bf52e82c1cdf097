"""Bytes that no client sends, and clients that do not read: each gets its answer, nothing else is disturbed."""

import contextlib
import os
import signal
import socket
import ssl
import struct
import time

import pytest

from lib import walk
from lib.clients import TigerVnc, XFreeRdp
from lib.demo import SANITIZED
from lib.screen import Screen
from lib.wait import until
from lib.watch import Watch
from lib.websocket import WebSocket, frame, tls

# Shorter deadlines than usual, since half of these tests wait for one; and more connections a minute than people make.
OPTIONS = {"guest": "pattern", "users": 2,
           "config": "[limits]\nfirst_packet_s = 3\nlogin_s = 15\nrate_per_source = 1000\n"}
# Seconds that a session may stand still on a loaded machine of two cores without being disturbed.
STALL = 3.0
X509_PLAIN = 262

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
WEBSOCKET_LIES = {
    "unmasked": frame(b"RFB 003.008\n", masked=False),
    "length-of-64-bits-lies": frame(b"RFB 003.008\n", length=1 << 62),
    "length-is-negative": frame(b"RFB 003.008\n", length=(1 << 64) - 1),
    "reserved-opcode": frame(b"RFB 003.008\n", opcode=11),
    "reserved-bit": bytes([0xF2]) + frame(b"RFB 003.008\n")[1:],
    "long-ping": frame(b"x" * 125 + b"", opcode=9)[:1] + b"\xfe\x40\x00" + b"x" * 200,
    "greeting-of-another-protocol": frame(b"GET / HTTP/1"),
    "greeting-of-an-impossible-version": frame(b"RFB 999.999\n"),
    "greeting-then-noise": frame(b"RFB 003.008\n") + frame(bytes(range(100, 200))),
    "cut-frame": frame(b"RFB 003.008\n")[:9],
    "cut-tls": frame(b"RFB 003.008\n")[:5],
}


def services(demo):
    return {program: demo.pids(program) for program in ("fernwerkd", "fernwerk-broker", "fernwerk-gate", "fernwerk-web")}


def ends(connection, seconds):
    """Whether the server closes the connection in time; what it still sends is read away."""
    deadline = time.monotonic() + max(seconds, 0.1)
    try:
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(4096):
                return True
    except (ConnectionError, ssl.SSLError):
        return True
    except TimeoutError:
        pass
    return False


@pytest.fixture(scope="module")
def live(demo):
    """The second user's session, which must not notice anything of what is done beside it."""
    user = demo.user(1)
    with Screen() as screen, XFreeRdp(screen, demo, XFreeRdp.GFX, user["name"], user["password"]) as client:
        client.wait_card()
        walk.moving(client)
        yield client


@contextlib.contextmanager
def undisturbed(demo, live):
    """Inside of this block the live session goes on moving, and no service dies."""
    before = services(demo)
    with Watch(live) as watch:
        yield
        seen = watch.moved[live]
        until(lambda: watch.moved[live] >= seen + 3, STALL, lambda: f"frames after the lie\n{demo.log_tail()}")
    assert services(demo) == before
    assert live.process.poll() is None
    assert watch.longest[live] < STALL, f"it stood still for {watch.longest[live]:.1f} s\n{demo.log_tail()}"


def tell(lies, reach, seconds):
    """Each lie on a connection of its own, all at the same time, since several are answered by a deadline only."""
    with contextlib.ExitStack() as stack:
        connections = {name: stack.enter_context(reach()) for name in lies}
        for name, connection in connections.items():
            connection.sendall(lies[name])
        deadline = time.monotonic() + seconds
        left = [name for name, connection in connections.items() if not ends(connection, deadline - time.monotonic())]
    assert not left, f"stay open for ever: {left}"


@pytest.mark.parametrize("protocol", LIES)
def test_lying_first_packets_cost_their_own_connections_only(demo, live, protocol):
    with undisturbed(demo, live):
        tell(LIES[protocol], lambda: socket.create_connection((demo.host, demo.json[protocol]), 5), 35)


def after_x224(demo):
    """An RDP connection at the point where TLS begins."""
    connection = socket.create_connection((demo.host, demo.json["rdp"]), 5)
    connection.sendall(X224)
    assert connection.recv(64)[5:6] == b"\xd0", "the connection is confirmed"
    return connection


def after_vencrypt(demo):
    """A VNC connection at the point where TLS begins."""
    connection = socket.create_connection((demo.host, demo.json["vnc"]), 5)

    def expect(count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            assert part, data
            data += part
        return data
    expect(12)
    connection.sendall(b"RFB 003.008\n")
    assert 19 in expect(expect(1)[0])
    connection.sendall(b"\x13")
    assert expect(2) == b"\x00\x02"
    connection.sendall(b"\x00\x02")
    assert expect(1) == b"\x00"
    types = struct.unpack(">" + "I" * (count := expect(1)[0]), expect(4 * count))
    assert X509_PLAIN in types
    connection.sendall(struct.pack(">I", X509_PLAIN))
    assert expect(1) == b"\x01"
    return connection


@pytest.mark.parametrize("reach", [after_x224, after_vencrypt], ids=["rdp", "vnc"])
def test_lying_tls_hellos_cost_their_own_connections_only(demo, live, reach):
    with undisturbed(demo, live):
        tell(LIES["https"], lambda: reach(demo), 45)


@pytest.mark.parametrize("lie", WEBSOCKET_LIES)
def test_a_lying_websocket_costs_its_own_connection_only(demo, live, lie):
    with undisturbed(demo, live):
        web = WebSocket(demo, demo.user())
        web.receive()  # RFB's version
        web.socket.sendall(WEBSOCKET_LIES[lie])
        if lie.startswith("cut"):
            web.socket.unwrap() if lie == "cut-tls" else web.socket.close()
        else:
            assert ends(web.socket, 45), "the connection stays open for ever"
        web.socket.close()
        until(lambda: demo.process("fernwerk-vnc", "user1") is None, 45, "the end of its process")


def test_http_requests_that_lie_are_refused(demo, live):
    with undisturbed(demo, live):
        for request in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
                        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):
            with tls(demo).wrap_socket(socket.create_connection((demo.host, demo.json["https"]), 5)) as connection:
                try:
                    connection.sendall(request)
                    assert b" 200 " not in connection.recv(64)
                except (ConnectionError, ssl.SSLError):
                    continue


def count_open(connections):
    found = 0
    for connection in connections:
        connection.settimeout(0.02)
        try:
            found += connection.recv(4096) != b""  # a refusal is read in one piece, its end at the next look
        except TimeoutError:
            found += 1
        except ConnectionError:
            pass
    return found


def test_silent_connections_are_bounded_for_one_source(demo, live):
    held = []
    try:
        with undisturbed(demo, live):
            for _ in range(40):
                held.append(socket.create_connection((demo.host, demo.json["rdp"]), 5))
            until(lambda: count_open(held) <= 16, 5, lambda: f"{count_open(held)} half-open connections of one source")
            assert count_open(held) >= 1, "those below the bound are heard"
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize("program, make", [
    ("fernwerk-rdp", lambda screen, demo: XFreeRdp(screen, demo, XFreeRdp.GFX)),
    ("fernwerk-rdp", lambda screen, demo: XFreeRdp(screen, demo, XFreeRdp.AVC420)),
    ("fernwerk-vnc", lambda screen, demo: TigerVnc(screen, demo)),
], ids=["rdp", "rdp-avc420", "vnc"])
def test_a_client_that_stops_reading_disturbs_nobody_and_does_not_grow_its_process(demo, live, screen, program, make):
    with make(screen, demo) as slow:
        slow.wait_card()
        walk.moving(slow)
        pid = until(lambda: demo.process(program, "user1 on d1"), 5, "its process")
        before = demo.pss_kib(pid)
        slow.process.send_signal(signal.SIGSTOP)
        try:
            with undisturbed(demo, live):
                time.sleep(10)
            if os.path.exists(f"/proc/{pid}") and not SANITIZED:
                grown = demo.pss_kib(pid) - before
                assert grown < 30 * 1024, f"it grew by {grown} KiB"
        finally:
            slow.process.send_signal(signal.SIGCONT)
