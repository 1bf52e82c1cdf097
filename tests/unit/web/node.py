"""A node in miniature around the real fernwerk-web: plays fernwerkd (lifeline, handover), the broker's end of the
control link, and an RFB server behind each WebSocket. For tests of the web alone; `node.py --serve PORT` keeps it up."""
import array
import base64
import json
import os
import pathlib
import secrets
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PREAMBLE = struct.Struct("<II256s64sIII16s")
PREAMBLE_MAGIC = 0x46575750


NEW_KEY = {"ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}


def certificate(folder, key="ec"):
    """A CA and a server certificate with that type of key, signed by it."""
    def run(*args):
        subprocess.run(["openssl", *args], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
        "-out", "ca.pem", "-subj", "/CN=Fernwerk test CA", "-days", "2")
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("req", "-newkey", *NEW_KEY[key], "-nodes", "-keyout", "web.key", "-out", "web.csr", "-subj", "/CN=localhost")
    run("x509", "-req", "-in", "web.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "web.pem",
        "-days", "2", "-extfile", "ext")


def png(width, height, colour):
    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Failure(Exception):
    def __init__(self, code, message, hint=None, **more):
        super().__init__(message)
        self.error = {"code": code, "message": message, "hint": hint, **more}


class Broker:
    """Just enough of the broker's verbs for the pages; state in memory."""

    ROUTES = [
        ("session.login", "POST", "session"), ("session.logout", "DELETE", "session"),
        ("session.whoami", "GET", "session"), ("password.change", "POST", "password"),
        ("desktop.mine", "GET", "desktops"), ("desktop.connect", "POST", "desktops/{name}/connect"),
        ("desktop.rdp-file", "GET", "desktops/{name}/rdp"), ("desktop.thumbnail", "GET", "desktops/{name}/thumbnail"),
        ("desktop.power", "POST", "desktops/{name}/power"),
        ("user.list", "GET", "admin/users"), ("user.add", "POST", "admin/users"),
        ("user.show", "GET", "admin/users/{name}"), ("user.remove", "DELETE", "admin/users/{name}"),
        ("user.passwd", "PUT", "admin/users/{name}/password"), ("user.disable", "POST", "admin/users/{name}/disable"),
        ("user.enable", "POST", "admin/users/{name}/enable"),
        ("template.list", "GET", "admin/templates"), ("template.add", "POST", "admin/templates"),
        ("template.remove", "DELETE", "admin/templates/{name}"),
        ("desktop.list", "GET", "admin/desktops"), ("desktop.create", "POST", "admin/desktops"),
        ("desktop.remove", "DELETE", "admin/desktops/{name}"),
        ("desktop.start", "POST", "admin/desktops/{name}/start"),
        ("desktop.stop", "POST", "admin/desktops/{name}/stop"),
        ("desktop.restart", "POST", "admin/desktops/{name}/restart"),
        ("desktop.reset", "POST", "admin/desktops/{name}/reset"),
        ("assign", "PUT", "admin/desktops/{desktop}/assignment"),
        ("unassign", "DELETE", "admin/desktops/{desktop}/assignment"),
        ("session.list", "GET", "admin/sessions"), ("session.kill", "DELETE", "admin/sessions/{id}"),
        ("encoder.list", "GET", "admin/encoders"), ("audit", "GET", "admin/audit"), ("status", "GET", "admin/status"),
    ]

    def __init__(self):
        self.users = {n: {"name": n, "admin": n == "root", "disabled": False} for n in ("root", "alice", "bob", "many")}
        self.passwords = {n: n + "-password" for n in self.users}
        self.handles, self.tickets, self.calls = {}, {}, []
        self.templates = [{"name": "debian", "kind": "vm", "image": "/var/lib/fernwerk/images/debian.qcow2",
                           "memory_mib": 2048, "vcpus": 2, "width": 1920, "height": 1080, "xkb_layout": "de",
                           "xkb_variant": "", "video": "virtio", "firmware": "bios", "kernel": "", "initrd": "",
                           "cmdline": ""},
                          {"name": "card", "kind": "pattern", "image": "", "memory_mib": 0, "vcpus": 0, "width": 1280,
                           "height": 720, "xkb_layout": "us", "xkb_variant": "", "video": "virtio", "firmware": "bios",
                           "kernel": "", "initrd": "", "cmdline": ""}]
        self.desktops = {}
        for name, user, state, reason in (("d1", "alice", "running", ""), ("office", "bob", "running", ""),
                                          ("build", "bob", "off", "Shut down from inside."),
                                          ("lab", "bob", "failed", "The template's image is missing."),
                                          ("spare", None, "off", ""),
                                          *((f"m{i}", "many", "running", "") for i in range(6))):
            self.desktops[name] = {"name": name, "template": "debian", "state": state, "reason": reason,
                                   "assigned": user, "user": None, "domain": "fw-" + name}
        self.sessions = {}
        self.silent = False

    def handle(self, call):
        verb, args = call["verb"], call.get("args", {})
        self.calls.append(call)
        if verb == "api.routes":
            return [{"verb": v, "method": m, "path": p,
                     "query": [{"name": "limit", "type": "integer"}, {"name": "before", "type": "integer"}]
                     if v == "audit" else []} for v, m, p in self.ROUTES]
        if verb == "api.openapi":
            return {"openapi": "3.1.0", "info": {"title": "Fernwerk", "version": "1"}, "paths": {}}
        if verb == "session.login":
            if args.get("username") == "slow":
                raise Failure("wait", "Too many failed attempts.", "Wait, then try again.", retry_after_ms=60000)
            if self.passwords.get(args.get("username"), "") != args.get("password"):
                raise Failure("denied", "The user name or password is wrong.")
            handle = secrets.token_urlsafe(32)
            self.handles[handle] = args["username"]
            user = self.users[args["username"]]
            return {"session": handle, "user": user["name"], "admin": user["admin"]}
        user = self.handles.get(call.get("session"))
        if not user:
            raise Failure("denied", "You are not logged in.", session=False)
        if verb in dict((v, 1) for v, m, p in self.ROUTES if p.startswith("admin/")) and not self.users[user]["admin"]:
            raise Failure("denied", "Only an administrator may do this.")
        return getattr(self, "do_" + verb.replace(".", "_").replace("-", "_"))(user, args, call)

    def desktop(self, name, user=None):
        d = self.desktops.get(name)
        if not d or (user and d["assigned"] != user):
            raise Failure("not-found", f"There is no desktop {name}.", "fernwerk desktop list")
        return d

    def do_session_logout(self, user, args, call):
        self.handles.pop(call["session"])
        return {}

    def do_session_whoami(self, user, args, call):
        return {"user": user, "admin": self.users[user]["admin"]}

    def do_password_change(self, user, args, call):
        if self.passwords[user] != args.get("old"):
            raise Failure("denied", "The old password is wrong.")
        self.passwords[user] = args["new"]
        return {}

    def do_desktop_mine(self, user, args, call):
        result = []
        for d in self.desktops.values():
            if d["assigned"] == user:
                live = [s for s in self.sessions.values() if s["desktop"] == d["name"]]
                result.append({**d, "connected": bool(live),
                               "connection": {k: live[-1][k] for k in ("id", "protocol", "since")} if live else None})
        return result

    def do_desktop_connect(self, user, args, call):
        self.desktop(args["name"], user)
        ticket = secrets.token_urlsafe(32)
        self.tickets[ticket] = (user, args["name"], call.get("source"))
        return {"url": "", "ticket": ticket}

    def do_desktop_rdp_file(self, user, args, call):
        self.desktop(args["name"], user)
        return {"filename": args["name"] + ".rdp", "content": f"full address:s:{args['host']}\r\n"}

    def do_desktop_thumbnail(self, user, args, call):
        d = self.desktop(args["name"], user)
        if d["state"] != "running":
            raise Failure("not-found", "There is no picture.")
        return {"png": base64.b64encode(png(320, 180, (40, 90, 140))).decode(), "width": 320, "height": 180}

    def power(self, name, action):
        d = self.desktop(name)
        d["state"], d["reason"] = ("off", "Switched off.") if action == "stop" else ("running", "")
        return d

    def do_desktop_power(self, user, args, call):
        self.desktop(args["name"], user)
        return self.power(args["name"], args["action"])

    def do_user_list(self, user, args, call):
        return list(self.users.values())

    def do_user_add(self, user, args, call):
        if args["name"] in self.users:
            raise Failure("conflict", f"There is already a user {args['name']}.", "Choose another name.")
        self.users[args["name"]] = {"name": args["name"], "admin": bool(args.get("admin")), "disabled": False}
        self.passwords[args["name"]] = args["password"]
        return self.users[args["name"]]

    def do_user_remove(self, user, args, call):
        return self.users.pop(args["name"])

    def do_user_passwd(self, user, args, call):
        self.passwords[args["name"]] = args["password"]
        return self.users[args["name"]]

    def do_user_disable(self, user, args, call):
        self.users[args["name"]]["disabled"] = True
        return self.users[args["name"]]

    def do_user_enable(self, user, args, call):
        self.users[args["name"]]["disabled"] = False
        return self.users[args["name"]]

    def do_template_list(self, user, args, call):
        return self.templates

    def do_template_add(self, user, args, call):
        self.templates.append({**self.templates[0], **args})
        return self.templates[-1]

    def do_template_remove(self, user, args, call):
        raise Failure("conflict", "Desktops still use this template.", "fernwerk desktop list")

    def do_desktop_list(self, user, args, call):
        return list(self.desktops.values())

    def do_desktop_create(self, user, args, call):
        self.desktops[args["name"]] = {"name": args["name"], "template": args["template"], "state": "off",
                                       "reason": "", "assigned": None, "user": None, "domain": "fw-" + args["name"]}
        return self.desktops[args["name"]]

    def do_desktop_remove(self, user, args, call):
        return self.desktops.pop(args["name"])

    def do_desktop_start(self, user, args, call):
        return self.power(args["name"], "start")

    def do_desktop_stop(self, user, args, call):
        return self.power(args["name"], "stop")

    def do_desktop_restart(self, user, args, call):
        return self.power(args["name"], "restart")

    def do_desktop_reset(self, user, args, call):
        return self.power(args["name"], "reset")

    def do_assign(self, user, args, call):
        d = self.desktop(args["desktop"])
        if d["assigned"] and d["assigned"] != args["user"]:
            raise Failure("conflict", f"The desktop is assigned to {d['assigned']}.", "Unassign it first.")
        d["assigned"] = args["user"]
        return d

    def do_unassign(self, user, args, call):
        d = self.desktop(args["desktop"])
        d["assigned"] = None
        return d

    def do_session_list(self, user, args, call):
        return [{k: v for k, v in s.items() if k != "socket"} for s in self.sessions.values()]

    def do_session_kill(self, user, args, call):
        session = self.sessions.pop(int(args["id"]), None)
        if not session:
            raise Failure("not-found", f"There is no session {args['id']}.")
        session["socket"].shutdown(socket.SHUT_RDWR)
        return {k: v for k, v in session.items() if k != "socket"}

    def do_encoder_list(self, user, args, call):
        return [{"element": "nvh264enc", "usable": False, "hardware": True, "chosen": False, "fps": 0,
                 "reason": "The plugin is not installed."},
                {"element": "x264enc", "usable": True, "hardware": False, "chosen": True, "fps": 61,
                 "reason": "Six frames of 320x192 came out as they should."}]

    def do_audit(self, user, args, call):
        return [{"id": i, "time": "2026-11-24T04:%02d:00Z" % (i % 60), "actor": "root", "action": "desktop.start",
                 "object": "d1", "result": "ok"} for i in range(int(args.get("limit", 5)), 0, -1)]

    def do_status(self, user, args, call):
        return {"version": "0.1.0", "instance": "3f6c", "libvirt": "connected (11.3.0)", "virt": "tcg",
                "processes": [{"kind": "fernwerk-web", "id": 3, "pid": 4711, "user": "", "desktop": ""}]}


class Screen:
    """An RFB server with raw rectangles: a picture that changes four times a second, follows SetDesktopSize, and
    remembers keys and pointers."""

    def __init__(self, sock, width, height):
        self.sock, self.width, self.height = sock, width, height
        self.keys, self.pointers, self.encodings = [], [], []
        self.sizes, self.whole, self.over, self.frozen, self.sent = 0, True, False, False, 0
        self.fragile = False  # ends as soon as a picture is wanted
        self.lock, self.wanted = threading.Lock(), threading.Event()

    def take(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def rectangle(self, x, y, w, h, colour):
        return struct.pack(">HHHHi", x, y, w, h, 0) + bytes((colour[2], colour[1], colour[0], 0)) * (w * h)

    def size_rectangle(self, reason):
        return (struct.pack(">HHHHi", reason, 0, self.width, self.height, -308) + struct.pack(">BBBB", 1, 0, 0, 0) +
                struct.pack(">IHHHHI", 1, 0, 0, self.width, self.height, 0))

    def send(self, *rectangles):
        self.say(struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles))

    def say(self, message):
        """Nothing, once it is frozen: as when a network drops all packets."""
        with self.lock:
            if not self.frozen:
                self.sent += len(message)
                self.sock.sendall(message)

    def finish(self, reason, text):
        """Ends the connection on purpose, saying why as fernwerk-vnc does."""
        name = f"fernwerk:end={reason}:{text}".encode()
        try:
            self.send(struct.pack(">HHHHi", 0, 0, 0, 0, -307) + struct.pack(">I", len(name)) + name)
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def handshake(self):
        self.say(b"RFB 003.008\n")
        self.take(12)
        self.say(b"\x01\x01")
        self.take(1)
        self.say(b"\0\0\0\0")
        self.take(1)
        name = b"test"
        self.say(struct.pack(">HH", self.width, self.height) + bytes((32, 24, 0, 1)) +
                 struct.pack(">HHHBBBxxx", 255, 255, 255, 16, 8, 0) + struct.pack(">I", len(name)) + name)

    def paint(self):
        """Answers requests: everything when asked for, else a moving square four times a second."""
        frame = 0
        while not self.over:
            self.wanted.wait()
            self.wanted.clear()
            if self.whole:
                self.whole = False
                self.send(*[self.rectangle(0, y, self.width, min(60, self.height - y), (30, 40 + y // 8, 110))
                            for y in range(0, self.height, 60)])
                continue
            time.sleep(0.25)
            frame += 1
            self.send(self.rectangle(20 + frame * 7 % 200, 20, 40, 40, (255, frame * 16 % 256, 60)))

    def run(self):
        self.handshake()
        threading.Thread(target=self.paint_until_closed, daemon=True).start()
        try:
            while True:
                self.message(self.take(1)[0])
        finally:
            self.over = True
            self.wanted.set()

    def paint_until_closed(self):
        try:
            self.paint()
        except OSError:
            pass

    def message(self, kind):
        if kind == 0:
            self.take(19)
        elif kind == 2:
            count = struct.unpack(">xH", self.take(3))[0]
            self.encodings = list(struct.unpack(f">{count}i", self.take(4 * count)))
            if -312 in self.encodings:
                self.say(struct.pack(">B3xIB", 248, 1 << 31, 0))
            if -308 in self.encodings and not self.sizes:
                self.sizes = 1
                self.send(self.size_rectangle(0))
        elif kind == 3 and self.fragile:
            raise ConnectionError("fragile")
        elif kind == 3:
            self.whole |= self.take(9)[0] == 0
            self.wanted.set()
        elif kind == 4:
            self.keys.append(struct.unpack(">BxxI", self.take(7)))
        elif kind == 5:
            self.pointers.append(struct.unpack(">BHH", self.take(5)))
        elif kind == 6:
            self.take(abs(struct.unpack(">xxxi", self.take(7))[0]))
        elif kind == 248:
            flags, length = struct.unpack(">3xIB", self.take(8))
            payload = self.take(length)
            if flags >> 31:
                self.say(struct.pack(">B3xIB", 248, flags & 3, length) + payload)
        elif kind == 251:
            self.width, self.height, screens = struct.unpack(">xHHBx", self.take(7))
            self.take(16 * screens)
            self.sizes += 1
            self.whole = True
            self.send(self.size_rectangle(1))
        else:
            raise ConnectionError(f"message {kind}")


class Node:
    def __init__(self, program, pages, config="", port=0, wrapper=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fernwerk-web-"))
        certificate(self.folder)
        self.broker, self.screens, self.preambles, self.ends = Broker(), [], [], []
        self.refuse_clients, self.next_session, self.stream, self.mute_next = False, 100, 0, False
        self.fragile, self.broke, self.gaps = 0, 0, []  # so many connections break off; when; ms until the next
        (self.folder / "fernwerk.conf").write_text(f"[web]\npages_dir = {pages}\n{config}\n")
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.lifeline, lifeline = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests, requests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        heartbeat = self.heartbeat()
        self.files = [os.open(self.folder / n, os.O_RDONLY) for n in ("web.pem", "web.key", "ca.pem")]
        start = struct.pack("<HHIIIQ8III", 1, 64, 0, 3, 3, 7, *([0] * 8), 2, 0)
        self.send_packet(start, [self.listener.fileno(), *self.files])
        self.attach_broker()
        place = {3: lifeline.fileno(), 4: heartbeat, 5: requests.fileno()}

        def descriptors():
            high = {to: os.dup(fd) for to, fd in place.items()}
            spare = {to: self.above(fd) for to, fd in high.items()}
            for to, fd in spare.items():
                os.dup2(fd, to)

        self.log = open(self.folder / "web.log", "wb")
        self.process = subprocess.Popen([*wrapper, program, "--config", str(self.folder / "fernwerk.conf")],
                                        preexec_fn=descriptors, pass_fds=(3, 4, 5), stderr=self.log, stdout=self.log)
        lifeline.close()
        requests.close()
        os.close(heartbeat)
        threading.Thread(target=self.serve_requests, daemon=True).start()
        self.wait_ready()

    @staticmethod
    def heartbeat():
        """As base/heartbeat.c makes it."""
        import fcntl
        fd = os.memfd_create("heartbeat", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, 16)
        fcntl.fcntl(fd, 1033, 1 | 2 | 4)  # F_ADD_SEALS: seal, shrink, grow
        return fd

    @staticmethod
    def above(fd):
        import fcntl
        return fcntl.fcntl(fd, fcntl.F_DUPFD, 64)

    def send_packet(self, packet, descriptors=()):
        self.lifeline.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
                              if descriptors else [])

    def attach_broker(self):
        """A new broker, as after its restart."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control = ours
        self.send_packet(struct.pack("<HHI", 4, 8, 0), [theirs.fileno()])
        theirs.close()
        threading.Thread(target=self.serve_broker, args=(ours,), daemon=True).start()

    def kill_broker(self):
        self.control.shutdown(socket.SHUT_RDWR)

    def reload(self, key="ec"):
        """A new certificate and key, as `systemctl reload` brings them."""
        certificate(self.folder, key)
        self.hand_over_certificate()

    def hand_over_certificate(self):
        files = [os.open(self.folder / n, os.O_RDONLY) for n in ("web.pem", "web.key", "ca.pem")]
        self.send_packet(struct.pack("<HHI", 8, 8, 0), files)
        for fd in files:
            os.close(fd)

    def serve_broker(self, stream):
        reader = stream.makefile("rb")
        try:
            for line in reader:
                call = json.loads(line)
                if self.broker.silent and not call["verb"].startswith("api."):
                    continue
                try:
                    answer = {"id": call["id"], "result": self.broker.handle(call)}
                except Failure as failure:
                    answer = {"id": call["id"], "error": failure.error}
                stream.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            pass

    def serve_requests(self):
        while True:
            try:
                packet, control, _, _ = self.requests.recvmsg(1024, socket.CMSG_SPACE(4))
            except OSError:
                return
            if not packet:
                return
            request = struct.unpack_from("<Q", packet, 8)[0]
            error = 111 if self.refuse_clients else 0
            fd = array.array("i", control[0][2])[0]
            self.requests.send(struct.pack("<HHIQiIQ", 64, 32, 0, request, error, 0, 9))
            client = socket.socket(fileno=fd)
            if error:
                client.close()
            else:
                threading.Thread(target=self.serve_client, args=(client,), daemon=True).start()

    def take_over(self, sock):
        screen = next((screen for screen in self.screens if screen.sock is sock), None)
        if screen:
            screen.finish(1, "Continued on another device.")
        else:
            sock.shutdown(socket.SHUT_RDWR)

    def serve_client(self, client):
        number = screen = None
        client.setblocking(True)
        try:
            raw = b""
            while len(raw) < PREAMBLE.size:
                raw += client.recv(PREAMBLE.size - len(raw))
            magic, view, ticket, address, width, height, scale, layout = PREAMBLE.unpack(raw)
            assert magic == PREAMBLE_MAGIC
            preamble = {"ticket": ticket.rstrip(b"\0").decode(), "address": address.rstrip(b"\0").decode(),
                        "width": width, "height": height, "scale": scale, "view": view,
                        "layout": layout.rstrip(b"\0").decode()}
            self.preambles.append(preamble)
            user, desktop, _ = self.broker.tickets.pop(preamble["ticket"])
            for other, session in list(self.broker.sessions.items()):
                if session["desktop"] == desktop:
                    del self.broker.sessions[other]
                    self.take_over(session["socket"])
            self.next_session += 1
            number = self.next_session
            self.broker.sessions[number] = {"id": number, "user": user, "desktop": desktop, "protocol": "web",
                                            "address": preamble["address"], "since": "2026-11-24T04:00:00Z",
                                            "socket": client}
            if self.stream:
                client.sendall(b"RFB 003.008\n")
                for _ in range(self.stream // 65536):
                    client.sendall(bytes(65536))
            if self.mute_next:
                self.mute_next = False
                client.sendall(b"RFB 003.008\n")
                while client.recv(4096):
                    pass
            screen = Screen(client, width or 1024, height or 768)
            if self.broke:
                self.gaps.append((time.monotonic() - self.broke) * 1000)
                self.broke = 0
            if self.fragile:
                self.fragile -= 1
                screen.fragile = True
            self.screens.append(screen)
            screen.run()
        except (OSError, KeyError) as error:
            self.ends.append(repr(error))
        finally:
            self.broker.sessions.pop(number, None)
            if screen and screen.fragile:
                self.broke = time.monotonic()
            client.close()

    def wait_ready(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "web.log").read_text())
            try:
                status, _, _ = self.request("GET", "/api/v1/openapi.json")
                if status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("not ready: " + (self.folder / "web.log").read_text())

    def tls(self):
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        return context.wrap_socket(raw, server_hostname="localhost")

    def origin(self):
        return f"https://localhost:{self.port}"

    def request(self, method, path, body=None, headers=None, cookie=None):
        import http.client
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=15)
        send = dict(headers or {})
        if cookie:
            send["Cookie"] = cookie
        if method not in ("GET", "HEAD"):
            send.setdefault("Origin", self.origin())
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            send.setdefault("Content-Type", "application/json")
        connection.request(method, path, body=body, headers=send)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, response.headers, data

    def login(self, user):
        status, headers, _ = self.request("POST", "/api/v1/session",
                                          {"username": user, "password": user + "-password"})
        assert status == 200, status
        return headers["Set-Cookie"].split(";")[0]

    def stop(self):
        self.lifeline.close()
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.listener.close()
        self.log.close()
        log = (self.folder / "web.log").read_text()
        shutil.rmtree(self.folder)
        return code, log


if __name__ == "__main__":
    node = Node(sys.argv[1], sys.argv[2], port=int(sys.argv[4]) if len(sys.argv) > 4 else 0,
                config="[limits]\nrate_per_source = 100000")
    print(f"https://localhost:{node.port}  CA {node.folder}/ca.pem  log {node.folder}/web.log", flush=True)
    try:
        node.process.wait()
    except KeyboardInterrupt:
        node.stop()
