"""What the kernel tells about TCP connections, by sock_diag(7): ss(8) takes too long to be asked in the middle of a
round."""

import socket
import struct

NETLINK_SOCK_DIAG = 4
HEADER, REQUEST, ANSWER_SIZE = struct.Struct("=IHHII"), struct.Struct("=BBBxI2s2s44x"), 72
SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, NLMSG_ERROR, NLMSG_DONE = 20, 0x301, 2, 3
ESTABLISHED_ONLY, INET_DIAG_INFO, BYTES_ACKED_AT = 1 << 1, 2, 120


class Sent:
    """Counts what the connections of one port of this machine, its server's side, have sent and the other side has."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)

    def close(self):
        self.socket.close()

    def bytes(self):
        return sum(map(self._of_family, (socket.AF_INET, socket.AF_INET6)))

    def _of_family(self, family):
        body = REQUEST.pack(family, socket.IPPROTO_TCP, 1 << INET_DIAG_INFO - 1, ESTABLISHED_ONLY,
                            self.port.to_bytes(2, "big"), b"\0\0")
        self.socket.send(HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 0, 0) + body)
        total = 0
        while True:
            answer, at = self.socket.recv(1 << 17), 0
            while at < len(answer):
                length, kind, *_ = HEADER.unpack_from(answer, at)
                if kind == NLMSG_DONE:
                    return total
                if kind == NLMSG_ERROR:
                    raise OSError("the kernel does not tell about TCP connections")
                total += self._acked(answer[at + HEADER.size + ANSWER_SIZE:at + length])
                at += length + 3 & ~3

    @staticmethod
    def _acked(attributes):
        at = 0
        while at < len(attributes):
            length, kind = struct.unpack_from("=HH", attributes, at)
            if kind == INET_DIAG_INFO:
                return struct.unpack_from("=Q", attributes, at + 4 + BYTES_ACKED_AT)[0]
            at += length + 3 & ~3
        return 0
