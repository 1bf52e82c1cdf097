"""fernwerk-web itself, over TLS, with a node in miniature: what it serves, what it refuses, what it survives.
test_server.py FERNWERK_WEB [unittest arguments]"""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import struct
import sys
import tempfile
import time
import unittest

import node as nodes

PROGRAM = sys.argv.pop(1)
PAGES = pathlib.Path(tempfile.mkdtemp(prefix="fernwerk-pages-"))
(PAGES / "assets").mkdir()
(PAGES / "index.html").write_text("<!doctype html><title>page</title>")
(PAGES / "assets" / "big-1234.js").write_bytes(os.urandom(3_000_000))
(PAGES / "assets" / "text-1234.css").write_text("a{}" * 500)
(PAGES / "assets" / "text-1234.css.gz").write_bytes(b"\x1f\x8bpretended")

LIMITS = """
[limits]
first_packet_s = 2
login_s = 5
half_open_per_source = 24
rate_per_source = 100000
clients_max = 4
"""


def eventually(condition, seconds=10):
    """Waits until it holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


class WebSocket:
    """A client that masks with zeroes and shows everything."""

    def __init__(self, node, ticket=None, origin=None, path="/ws/desktop", protocols=None, query=""):
        self.sock = node.tls()
        self.sock.settimeout(15)
        key = base64.b64encode(os.urandom(16)).decode()
        if protocols is None:
            protocols = "binary" + (f", ticket.{ticket}" if ticket else "")
        head = [f"GET {path}{query} HTTP/1.1", f"Host: localhost:{node.port}", "Upgrade: websocket",
                "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Protocol: {protocols}"]
        if origin != "":
            head.append(f"Origin: {origin or node.origin()}")
        self.sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        self.buffer = b""
        try:
            while b"\r\n\r\n" not in self.buffer:
                more = self.sock.recv(4096)
                if not more:
                    break
                self.buffer += more
        except OSError:
            pass
        self.head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1]) if self.head else 0

    def take(self, n):
        while len(self.buffer) < n:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError
            self.buffer += more
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def frame(self):
        first, length = self.take(2)
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        return first & 15, self.take(length)

    def data(self, n):
        result = b""
        while len(result) < n:
            kind, payload = self.frame()
            if kind == 8:
                raise ConnectionError(payload)
            if kind == 2:
                result += payload
        return result

    def send(self, payload, kind=2):
        length = len(payload)
        head = bytes((0x80 | kind,)) + (bytes((0x80 | length,)) if length < 126 else
                                        struct.pack(">BH", 0x80 | 126, length) if length < 65536 else
                                        struct.pack(">BQ", 0x80 | 127, length))
        self.sock.sendall(head + b"\0\0\0\0" + payload)

    def closed(self):
        """The close code, None when it was cut."""
        try:
            while True:
                kind, payload = self.frame()
                if kind == 8:
                    return struct.unpack(">H", payload[:2])[0] if payload else 1005
        except OSError:
            return None


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = nodes.Node(PROGRAM, PAGES, config=LIMITS)

    @classmethod
    def tearDownClass(cls):
        code, log = cls.node.stop()
        assert code == 0, log

    def get(self, path, **more):
        return self.node.request("GET", path, **more)

    def raw(self, data, wait=15):
        """Sends bytes over TLS and returns all that comes until the server closes or `wait` seconds pass."""
        with self.node.tls() as sock:
            sock.settimeout(wait)
            answer = b""
            try:
                sock.sendall(data)
                while True:
                    more = sock.recv(65536)
                    if not more:
                        return answer, True
                    answer += more
            except TimeoutError:
                return answer, False
            except OSError:
                return answer, True

    def ticket(self, user="alice", desktop="d1"):
        cookie = self.node.login(user)
        status, _, body = self.node.request("POST", f"/api/v1/desktops/{desktop}/connect", {}, cookie=cookie)
        self.assertEqual(status, 200)
        answer = json.loads(body)
        self.assertEqual(answer["url"], "/ws/desktop")
        return answer["ticket"]

    def rss(self):
        for line in pathlib.Path(f"/proc/{self.node.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.node.process.pid}/fd"))

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # ---- pages ----

    def test_pages_have_strict_headers(self):
        status, headers, body = self.get("/")
        self.assertEqual((status, body), (200, (PAGES / "index.html").read_bytes()))
        policy = headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertEqual(headers["referrer-policy"], "no-referrer")
        self.assertIsNone(headers["strict-transport-security"], "own CA: no HSTS")

    def test_client_side_routes_give_the_page_and_missing_files_do_not(self):
        page = (PAGES / "index.html").read_bytes()
        for path in ("/admin/users", "/view/win.10", "/view/d1", "/../../etc/passwd.txt"):
            self.assertEqual(self.get(path)[::2], (200, page), path)
        for path in ("/assets/none.js", "/assets/none", "/api/v2/x", "/ws/other"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_hashed_files_are_cached_for_good_and_compressed(self):
        status, headers, body = self.get("/assets/text-1234.css", headers={"Accept-Encoding": "gzip"})
        self.assertEqual((status, body), (200, b"\x1f\x8bpretended"))
        self.assertIn("immutable", headers["cache-control"])
        status, headers, body = self.get("/assets/text-1234.css")
        self.assertEqual(body, b"a{}" * 500)
        again = self.get("/assets/text-1234.css", headers={"If-None-Match": headers["etag"]})
        self.assertEqual((again[0], again[2]), (304, b""))

    def test_a_large_file_arrives_whole(self):
        self.assertEqual(self.get("/assets/big-1234.js")[2], (PAGES / "assets" / "big-1234.js").read_bytes())

    def test_old_tls_and_http2_are_not_spoken(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(OSError):
            context.wrap_socket(socket.create_connection(("127.0.0.1", self.node.port)))
        with self.node.tls() as sock:
            self.assertEqual(sock.selected_alpn_protocol(), "http/1.1")

    # ---- API ----

    def test_login_gives_a_cookie_that_scripts_cannot_read_and_no_handle(self):
        status, headers, body = self.node.request("POST", "/api/v1/session",
                                                  {"username": "alice", "password": "alice-password"})
        self.assertEqual((status, json.loads(body)), (200, {"user": "alice", "admin": False}))
        for part in ("__Host-fernwerk=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            self.assertIn(part, headers["set-cookie"])
        self.assertEqual(headers["cache-control"], "no-store")

    def test_a_wrong_password_is_401_and_a_wait_is_429(self):
        status, _, body = self.node.request("POST", "/api/v1/session", {"username": "alice", "password": "x"})
        self.assertEqual((status, json.loads(body)["error"]["code"]), (401, "denied"))
        status, headers, body = self.node.request("POST", "/api/v1/session", {"username": "slow", "password": "x"})
        self.assertEqual((status, headers["retry-after"]), (429, "60"))
        self.assertEqual(json.loads(body)["error"]["retry_after_ms"], 60000)
        self.assertEqual(json.loads(body)["error"]["hint"], "Wait, then try again.")

    def test_without_a_session_it_is_401_and_without_the_right_403(self):
        self.assertEqual(self.get("/api/v1/desktops")[0], 401)
        self.assertEqual(self.get("/api/v1/desktops", cookie="__Host-fernwerk=unknown")[0], 401)
        self.assertEqual(self.get("/api/v1/admin/users", cookie=self.node.login("alice"))[0], 403)

    def test_logging_out_forgets_the_cookie_and_ends_the_session(self):
        cookie = self.node.login("alice")
        status, headers, _ = self.node.request("DELETE", "/api/v1/session", cookie=cookie)
        self.assertEqual(status, 200)
        self.assertIn("Max-Age=0", headers["set-cookie"])
        self.assertEqual(self.get("/api/v1/session", cookie=cookie)[0], 401)

    def test_the_address_wins_over_the_body(self):
        cookie = self.node.login("root")
        self.node.request("PUT", "/api/v1/admin/desktops/spare/assignment", {"desktop": "d1", "user": "bob"}, cookie=cookie)
        self.assertEqual(self.node.broker.desktops["spare"]["assigned"], "bob")
        self.assertEqual(self.node.broker.desktops["d1"]["assigned"], "alice")
        self.node.request("DELETE", "/api/v1/admin/desktops/spare/assignment", cookie=cookie)

    def test_files_and_pictures_come_as_such(self):
        cookie = self.node.login("alice")
        status, headers, body = self.get("/api/v1/desktops/d1/rdp", cookie=cookie)
        self.assertEqual((status, headers["content-disposition"]), (200, 'attachment; filename="d1.rdp"'))
        self.assertIn(b"full address:s:localhost", body)
        status, headers, body = self.get("/api/v1/desktops/d1/thumbnail", cookie=cookie)
        self.assertEqual((status, headers["content-type"], body[:4]), (200, "image/png", b"\x89PNG"))
        self.assertEqual(self.get("/api/v1/ca.pem")[2].strip(), (self.node.folder / "ca.pem").read_bytes().strip())

    def test_the_fingerprints_of_certificate_and_authority_are_told(self):
        told = json.loads(self.get("/api/v1/certificate")[2])
        for key, name in (("fingerprint_sha256", "web.pem"), ("ca_fingerprint_sha256", "ca.pem")):
            der = ssl.PEM_cert_to_DER_cert((self.node.folder / name).read_text())
            self.assertEqual(told[key].replace(":", "").lower(), hashlib.sha256(der).hexdigest())

    def test_forged_requests_change_nothing(self):
        cookie = self.node.login("alice")
        calls = len(self.node.broker.calls)
        body = {"action": "stop"}
        for headers, expected in (({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
                                  ({"Origin": self.node.origin(), "Sec-Fetch-Site": "cross-site"}, 403),
                                  ({"Content-Type": "text/plain"}, 415),
                                  ({"Content-Type": "application/x-www-form-urlencoded"}, 415)):
            status, _, _ = self.node.request("POST", "/api/v1/desktops/d1/power", body, headers=headers, cookie=cookie)
            self.assertEqual(status, expected, headers)
        self.assertEqual(len(self.node.broker.calls), calls)

    def test_bodies_are_limited_and_must_be_flat_json_objects(self):
        for body, expected in ((b"x" * 16385, 413), (b"[1]", 400), (b"{", 400), (b'{"a":' * 9 + b"1" + b"}" * 9, 400),
                               (b'{"a":"\xff"}', 400), (b"", 401)):
            status, _, _ = self.node.request("POST", "/api/v1/session", body,
                                             headers={"Content-Type": "application/json"})
            self.assertEqual(status, expected, body[:20])

    def test_lengths_that_lie_close_the_connection(self):
        host = f"Host: localhost:{self.node.port}\r\n"
        smuggled = b"GET /api/v1/certificate HTTP/1.1\r\n" + host.encode() + b"\r\n"
        for head, expected in ((f"POST /api/v1/session HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n", 411),
                               (f"POST /api/v1/session HTTP/1.1\r\n{host}\r\n", 411),
                               (f"GET / HTTP/1.1\r\n{host}Content-Length: {len(smuggled)}\r\n\r\n", 400),
                               (f"POST /api/v1/session HTTP/1.1\r\n{host}Content-Length: -5\r\n\r\n", 400),
                               (f"POST /api/v1/session HTTP/1.1\r\n{host}Content-Length: 999999999\r\n\r\n", 413)):
            answer, closed = self.raw(head.encode() + smuggled)
            self.assertTrue(closed, head)
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
            self.assertIn(f"HTTP/1.1 {expected}".encode(), answer)

    # ---- the broker's absence ----

    def test_without_the_broker_it_is_503_and_afterwards_as_before(self):
        cookie = self.node.login("alice")
        self.node.kill_broker()
        eventually(lambda: self.get("/api/v1/desktops", cookie=cookie)[0] == 503)
        status, headers, body = self.get("/api/v1/desktops", cookie=cookie)
        self.assertEqual((status, headers["retry-after"]), (503, "2"))
        self.assertEqual(json.loads(body)["error"]["code"], "unreachable")
        self.assertEqual(self.get("/")[0], 200)
        self.node.attach_broker()
        eventually(lambda: self.get("/api/v1/desktops", cookie=cookie)[0] == 200)

    # ---- WebSocket ----

    def test_a_websocket_reaches_a_client_process_with_its_preamble(self):
        ticket = self.ticket()
        ws = WebSocket(self.node, ticket, query="?width=1280&height=720&layout=de")
        self.assertEqual(ws.status, 101)
        self.assertIn(b"binary", ws.head)
        self.assertNotIn(b"ticket", ws.head)
        self.assertNotIn(b"permessage", ws.head.lower())
        self.assertEqual(ws.data(12), b"RFB 003.008\n")
        preamble = next(p for p in self.node.preambles if p["ticket"] == ticket)
        self.assertEqual((preamble["width"], preamble["height"], preamble["layout"], preamble["address"]),
                         (1280, 720, "de", "127.0.0.1"))
        ws.send(b"RFB 003.008\n")
        self.assertEqual(ws.data(2), b"\x01\x01")
        ws.sock.close()

    def test_a_ticket_in_the_query_is_taken_too(self):
        ws = WebSocket(self.node, protocols="binary", query=f"?ticket={self.ticket()}")
        self.assertEqual(ws.status, 101)
        ws.sock.close()

    def test_a_handshake_needs_origin_ticket_path_and_subprotocol(self):
        used = self.ticket()
        first = WebSocket(self.node, used)
        self.assertEqual(first.status, 101)
        first.sock.close()
        self.assertNotEqual(WebSocket(self.node, used).status, 101, "a ticket works once")
        for more in ({"origin": "https://evil.example"}, {"origin": ""}, {"path": "/ws/other"}, {"protocols": "chat"}):
            fresh = self.ticket()
            more.setdefault("protocols", f"binary, ticket.{fresh}")
            self.assertNotEqual(WebSocket(self.node, **more).status, 101, more)
        self.assertNotEqual(WebSocket(self.node).status, 101)
        self.assertNotEqual(WebSocket(self.node, "made-up").status, 101)

    def test_no_room_closes_with_try_again_later(self):
        self.node.refuse_clients = True
        try:
            self.assertEqual(WebSocket(self.node, self.ticket()).closed(), 1013)
        finally:
            self.node.refuse_clients = False

    def test_there_are_no_more_websockets_than_allowed(self):
        sockets = [WebSocket(self.node, self.ticket("many", f"m{i}")) for i in range(4)]
        self.assertEqual([ws.status for ws in sockets], [101] * 4)
        turned_away = [WebSocket(self.node, self.ticket("many", "m4")) for _ in range(4)]
        for ws in turned_away:
            kind, payload = ws.frame()
            self.assertEqual((kind, payload[:2]), (8, struct.pack(">H", 1013)))
        # These have not answered yet, and yet take no place from others.
        for ws in sockets:
            ws.sock.close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                self.assertEqual(WebSocket(self.node, self.ticket("many", "m5")).data(12), b"RFB 003.008\n")
                break
            except ConnectionError:
                time.sleep(0.1)
        self.assertLess(time.monotonic(), deadline)

    def test_a_browser_that_does_not_let_itself_be_closed_soon_loses_its_place(self):
        self.node.stream = 200_000_000
        try:
            ws = WebSocket(self.node, self.ticket())
            self.assertEqual(ws.data(12)[:12], b"RFB 003.008\n")
            time.sleep(1)  # no byte more, and with it no close frame, goes out to it
            before = self.descriptors()
            for session in list(self.node.broker.sessions.values()):
                session["socket"].shutdown(socket.SHUT_RDWR)
            begin = time.monotonic()
            ws.send(b"anybody there?")
            eventually(lambda: self.descriptors() <= before - 2, 15)
            self.assertLess(time.monotonic() - begin, 10)
            ws.sock.close()
        finally:
            self.node.stream = 0

    def test_a_browser_that_does_not_read_costs_no_memory(self):
        self.node.stream = 200_000_000
        try:
            before = self.rss()
            ws = WebSocket(self.node, self.ticket())
            self.assertEqual(ws.data(12)[:12], b"RFB 003.008\n")
            time.sleep(2)
            self.assertLess(self.rss() - before, 16000)
            ws.sock.close()
        finally:
            self.node.stream = 0

    def test_a_new_certificate_is_taken_without_cutting_sessions(self):
        ws = WebSocket(self.node, self.ticket())
        self.assertEqual(ws.data(12), b"RFB 003.008\n")
        self.node.reload()
        self.taken()
        # Made here like the one before: its CA can still be had, and no browser is told to insist on it.
        self.assertEqual(self.get("/api/v1/ca.pem")[2].strip(), (self.node.folder / "ca.pem").read_bytes().strip())
        self.assertNotIn("strict-transport-security", self.get("/")[1])
        ws.send(b"RFB 003.008\n")
        self.assertEqual(ws.data(2), b"\x01\x01")
        ws.sock.close()

    def taken(self):
        """Waits until the server tells the fingerprint of the certificate that it was given last."""
        expected = ssl.PEM_cert_to_DER_cert((self.node.folder / "web.pem").read_text())

        def told():
            try:
                fingerprint = json.loads(self.get("/api/v1/certificate")[2])["fingerprint_sha256"]
            except ssl.SSLCertVerificationError:
                return False  # the one before, whose authority we do not know any more
            return fingerprint.replace(":", "").lower() == hashlib.sha256(expected).hexdigest()
        eventually(told)
        return expected

    def test_a_new_certificate_with_another_type_of_key_is_the_one_served(self):
        for key in ("rsa", "ec", "rsa"):
            self.node.reload(key)
            expected = self.taken()
            for ciphers in ("ECDHE", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"):
                for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                    context = ssl.create_default_context(cafile=str(self.node.folder / "ca.pem"))
                    context.set_ciphers(ciphers)
                    context.minimum_version = context.maximum_version = version
                    with socket.create_connection(("127.0.0.1", self.node.port), timeout=15) as raw:
                        with context.wrap_socket(raw, server_hostname="localhost") as sock:
                            self.assertEqual(sock.getpeercert(binary_form=True), expected, (key, version))

    def test_a_handshake_that_began_before_a_new_certificate_ends_with_it(self):
        for key in ("rsa", "ec"):
            # Made first: the slow handshake has `first_packet_s`.
            nodes.certificate(self.node.folder, key)
            context = ssl.create_default_context(cafile=str(self.node.folder / "ca.pem"))
            arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(arrived, leaving, server_hostname="localhost")
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()
            hello = leaving.read()
            with socket.create_connection(("127.0.0.1", self.node.port), timeout=15) as raw:
                raw.sendall(hello[:10])
                # Another one's whole handshake: the server has seen ours begin.
                ssl.get_server_certificate(("127.0.0.1", self.node.port))
                self.node.hand_over_certificate()
                expected = self.taken()
                raw.sendall(hello[10:])
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        raw.sendall(leaving.read())
                        more = raw.recv(65536)
                        self.assertTrue(more, "the server has hung up")
                        arrived.write(more)
                self.assertEqual(tls.getpeercert(binary_form=True), expected, key)

    # ---- bad clients ----

    def keep_asking(self, cookie, seconds):
        """Requests on one connection, one after the other; the seconds until one was answered and the connection
        closed, None: none was."""
        request = f"GET /api/v1/session HTTP/1.1\r\nHost: localhost:{self.node.port}\r\n"
        request += f"Cookie: {cookie}\r\n\r\n" if cookie else "\r\n"
        begin = time.monotonic()
        with self.node.tls() as sock:
            while time.monotonic() - begin < seconds:
                sock.sendall(request.encode())
                answer = http.client.HTTPResponse(sock)
                answer.begin()
                answer.read()
                self.assertEqual(answer.status, 200 if cookie else 401)
                if answer.headers["connection"] == "close":
                    self.assertEqual(sock.recv(1), b"", "it says so and does not close")
                    return time.monotonic() - begin
                time.sleep(0.3)
        return None

    def test_requests_alone_keep_no_anonymous_connection_beyond_the_login_time(self):
        closed = self.keep_asking(None, 12)
        self.assertIsNotNone(closed)
        self.assertTrue(4 < closed < 7, closed)
        self.assertIsNone(self.keep_asking(self.node.login("alice"), 8))

    def test_slow_headers_and_bodies_are_cut(self):
        host = f"Host: localhost:{self.node.port}\r\n".encode()
        for head, piece in ((b"GET / HTTP/1.1\r\n" + host, b"X-A: b\r\n"),
                            (b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: 9000\r\n\r\n", b"x")):
            with self.node.tls() as sock:
                begin = time.monotonic()
                sock.settimeout(0.3)
                sock.sendall(head)
                with self.assertRaises((OSError, ConnectionError)):
                    while time.monotonic() - begin < 8:
                        sock.sendall(piece)
                        try:
                            if not sock.recv(100):
                                raise ConnectionError
                        except TimeoutError:
                            pass
                self.assertLess(time.monotonic() - begin, 5)

    def test_silent_connections_are_capped_and_cut(self):
        silent = [socket.create_connection(("127.0.0.1", self.node.port)) for _ in range(60)]

        def count_closed():
            closed = 0
            for sock in silent:
                sock.setblocking(False)
                try:
                    closed += sock.recv(1) == b""
                except BlockingIOError:
                    pass
                except ConnectionError:
                    closed += 1
            return closed
        eventually(lambda: count_closed() >= 60 - 24)
        for sock in silent:
            sock.settimeout(10)
            self.assertEqual(sock.recv(1), b"")
            sock.close()

    def test_requests_sent_ahead_cost_neither_memory_nor_a_core(self):
        request = f"GET /assets/big-1234.js HTTP/1.1\r\nHost: localhost:{self.node.port}\r\n\r\n".encode()
        memory, cpu = self.rss(), self.cpu()
        with self.node.tls() as sock:
            sock.settimeout(1)
            try:
                for _ in range(2000):
                    sock.sendall(request * 50)
            except OSError:
                pass
            time.sleep(2)
            self.assertLess(self.cpu() - cpu, 1.5)
            self.assertLess(self.rss() - memory, 16000)

    def test_requests_sent_ahead_are_answered_in_turn(self):
        request = f"GET /assets/text-1234.css HTTP/1.1\r\nHost: localhost:{self.node.port}\r\n\r\n".encode()
        answer, _ = self.raw(request * 5, wait=2)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 5)

    def test_what_is_no_tls_and_no_http_is_closed(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"RFB 003.008\n"):
            with socket.create_connection(("127.0.0.1", self.node.port), timeout=6) as sock:
                sock.sendall(data)
                try:
                    while sock.recv(1000):
                        pass
                except ConnectionError:
                    pass
        for data in (b"\0" * 100 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"a" * 20000 + b"\r\n\r\n",
                     b"GET http://other/ HTTP/1.1\r\nHost: a b\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"):
            answer, closed = self.raw(data, wait=6)
            self.assertTrue(closed or answer, data[:30])
            self.assertNotIn(b" 200 ", answer)
        self.assertEqual(self.get("/")[0], 200)


class Timeouts(unittest.TestCase):
    def test_a_broker_that_is_silent_is_503_after_ten_seconds(self):
        node = nodes.Node(PROGRAM, PAGES)
        try:
            cookie = node.login("alice")
            node.broker.silent = True
            begin = time.monotonic()
            self.assertEqual(node.request("GET", "/api/v1/session", cookie=cookie)[0], 503)
            self.assertTrue(9 < time.monotonic() - begin < 20)
        finally:
            node.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
