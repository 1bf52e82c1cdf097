"""A WebSocket by hand (RFC 6455), for frames that no browser would send."""

import base64
import json
import os
import socket
import ssl
import struct
import urllib.request


def tls(demo, port="https"):
    """A context that trusts the demo's own authority; demos are reached by address."""
    context = ssl.create_default_context(cafile=demo.json["ca"])
    context.check_hostname = False
    return context


def ticket(demo, user):
    """Logs in as a browser does; returns path and ticket of the user's desktop."""
    base = f"https://{demo.host}:{demo.json['https']}"

    def post(path, body, cookie=None):
        headers = {"Content-Type": "application/json", "Origin": base, **({"Cookie": cookie} if cookie else {})}
        request = urllib.request.Request(base + path, json.dumps(body).encode(), headers, method="POST")
        return urllib.request.urlopen(request, timeout=20, context=tls(demo))
    with post("/api/v1/session", {"username": user["name"], "password": user["password"]}) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    with post(f"/api/v1/desktops/{user['desktop']}/connect", {}, cookie) as answer:
        body = json.load(answer)
    return body["url"], body["ticket"]


class WebSocket:
    def __init__(self, demo, user):
        url, secret = ticket(demo, user)
        path = "/" + url.split("/", 3)[3] if "://" in url else url
        origin = f"https://{demo.host}:{demo.json['https']}"
        plain = socket.create_connection((demo.host, demo.json["https"]), 10)
        self.socket = tls(demo).wrap_socket(plain)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {demo.host}:{demo.json['https']}\r\nOrigin: {origin}\r\n"
                             f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary, ticket.{secret}\r\n"
                             "\r\n").encode())
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            part = self.socket.recv(1)
            assert part, f"the handshake ended: {self.head}"
            self.head += part
        assert b" 101 " in self.head.split(b"\r\n")[0], self.head

    def receive(self, seconds=10):
        """Some bytes of what the server says, its frames' heads among them; b"" at the end."""
        self.socket.settimeout(seconds)
        return self.socket.recv(65536)


def frame(data, opcode=2, masked=True, length=None):
    """A frame; `length` is what its head claims in 64 bits instead of the truth."""
    mask = os.urandom(4)
    flag = 0x80 if masked else 0
    if length is not None:
        head = struct.pack(">BBQ", 0x80 | opcode, flag | 127, length)
    else:
        head = struct.pack(">BB", 0x80 | opcode, flag | len(data))
    if not masked:
        return head + data
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
