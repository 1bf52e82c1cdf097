"""Proves that a port does its work: the first exchange of each protocol, as a client would do it."""

import http.client
import socket
import ssl
import struct

from progress import DemoError

TIMEOUT = 15


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError("the connection was closed")
        data += part
    return data


def any_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def rdp(host, port, _ca):
    """X.224 connection request and confirmation ([MS-RDPBCGR] 2.2.1.1), then TLS."""
    with socket.create_connection((host, port), TIMEOUT) as connection:
        negotiation = struct.pack("<BBHI", 1, 0, 8, 1)  # RDP_NEG_REQ, PROTOCOL_SSL
        request = struct.pack(">BHHB", 0xE0, 0, 0, 0) + negotiation
        connection.sendall(struct.pack(">BBHB", 3, 0, 5 + len(request), len(request)) + request)
        length = struct.unpack(">BBH", receive(connection, 4))[2]
        confirmation = receive(connection, length - 4)
        if confirmation[1] & 0xF0 != 0xD0 or confirmation[7:8] != b"\x02":
            raise OSError(f"the answer to the connection request is {confirmation.hex()}")
        with any_tls().wrap_socket(connection):
            pass


def vnc(host, port, _ca):
    """RFB version and security types (RFC 6143, 7.1)."""
    with socket.create_connection((host, port), TIMEOUT) as connection:
        version = receive(connection, 12)
        if not version.startswith(b"RFB 003.008"):
            raise OSError(f"the greeting is {version!r}")
        connection.sendall(b"RFB 003.008\n")
        count = receive(connection, 1)[0]
        if 19 not in receive(connection, count):
            raise OSError("VeNCrypt is not offered")


def https(host, port, ca):
    """A page, with the server's certificate checked against its own authority."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise OSError(f"the page's status is {status}")


PROTOCOLS = {"rdp": rdp, "vnc": vnc, "https": https}


def prove(protocol, host, port, ca):
    """Raises a DemoError that names protocol and port when the handshake does not complete."""
    try:
        PROTOCOLS[protocol](host, port, ca)
    except (OSError, ssl.SSLError, http.client.HTTPException, IndexError, struct.error) as error:
        raise DemoError(f"{protocol} on port {port} does not complete a handshake: {error}") from None
