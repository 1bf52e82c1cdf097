#!/usr/bin/python3
"""A slow link in user space: relay.py PORT RTT_MS MBIT_S [LATER] listens on a free port of 127.0.0.1, prints it, and
carries what comes to PORT and back, each direction delayed by half the round trip and no faster than that (0: at any
speed). After a SIGUSR1 the rate is LATER Mbit/s.

A program of its own, so that its threads disturb nobody who measures.
"""

import collections
import signal
import socket
import sys
import threading
import time

PIECE = 16 * 1024
PIECE_S, SEGMENT = 0.01, 1448  # and no more at once than it carries in this: a slow link delivers segment by segment
BUFFER_S = 0.1  # what a link holds back before its sender is held up, beside what is under way


class Link:
    """Delay (s, one way) and rate (bytes/s of each direction, 0: any) of all connections; the rate may change."""

    def __init__(self, rtt_ms, mbit_s):
        self.delay = rtt_ms / 2000
        self.set_rate(mbit_s)

    def set_rate(self, mbit_s):
        self.rate = mbit_s * 1e6 / 8

    def seconds(self, count):
        """How long this many bytes take."""
        return count / self.rate if self.rate else 0

    def piece(self):
        return min(PIECE, max(SEGMENT, int(self.rate * PIECE_S))) if self.rate else PIECE

    def limit(self):
        """The most bytes that are on their way."""
        return max(PIECE, int(self.rate * (BUFFER_S + self.delay))) if self.rate else 64 * 1024 * 1024


def small_segments():
    """A socket whose TCP cuts as on an Ethernet: with the loopback's segments of 64 KiB, which are larger than the
    buffers here, senders wait 200 ms for each piece."""
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    return made


class Direction:
    """Carries bytes from one socket to another."""

    def __init__(self, source, sink, link):
        self.source, self.sink, self.link = source, sink, link
        # So that a full link is felt by the sender as soon as it would be: no megabytes inside the kernel.
        if link.rate:
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        self.pieces, self.held = collections.deque(), 0
        self.change = threading.Condition()
        for work in (self.take, self.give):
            threading.Thread(target=work, daemon=True).start()

    def take(self):
        free = 0.0  # when the link will have sent what it has
        while True:
            try:
                data = self.source.recv(self.link.piece())
            except OSError:
                data = b""
            now = time.monotonic()
            free = max(free, now) + self.link.seconds(len(data))
            with self.change:
                self.pieces.append((free + self.link.delay, data))
                self.held += len(data)
                self.change.notify_all()
                if not data:
                    return
                self.change.wait_for(lambda: self.held < self.link.limit())

    def give(self):
        while True:
            with self.change:
                self.change.wait_for(lambda: self.pieces)
                due, data = self.pieces.popleft()
            time.sleep(max(0, due - time.monotonic()))
            try:
                if not data:
                    self.sink.shutdown(socket.SHUT_WR)
                    return
                self.sink.sendall(data)
            except OSError:
                return
            with self.change:
                self.held -= len(data)
                self.change.notify_all()


def main(port, rtt_ms, mbit_s, later=None):
    link = Link(rtt_ms, mbit_s)
    if later is not None:
        signal.signal(signal.SIGUSR1, lambda *_: link.set_rate(later))
    listener = small_segments()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = small_segments()
        server.connect(("127.0.0.1", port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Direction(client, server, link)
        Direction(server, client, link)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
