#!/usr/bin/python3
"""A slow link in user space: relay.py PORT RTT_MS MBIT_S listens on a free port of 127.0.0.1, prints it, and carries
what comes to PORT and back, each direction delayed by half the round trip and no faster than that (0: at any speed).

A program of its own, so that its threads disturb nobody who measures.
"""

import collections
import socket
import sys
import threading
import time

PIECE = 16 * 1024
BUFFER_S = 0.1  # what a link holds back before its sender is held up, beside what is under way


class Direction:
    """Carries bytes from one socket to another."""

    def __init__(self, source, sink, delay, rate):
        self.source, self.sink, self.delay, self.rate = source, sink, delay, rate
        # So that a full link is felt by the sender as soon as it would be: no megabytes inside the kernel.
        if rate:
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        self.limit = max(PIECE, int(rate * (BUFFER_S + delay))) if rate else 64 * 1024 * 1024
        self.pieces, self.held = collections.deque(), 0
        self.change = threading.Condition()
        for work in (self.take, self.give):
            threading.Thread(target=work, daemon=True).start()

    def take(self):
        free = 0.0  # when the link will have sent what it has
        while True:
            try:
                data = self.source.recv(PIECE)
            except OSError:
                data = b""
            now = time.monotonic()
            free = max(free, now) + (len(data) / self.rate if self.rate else 0)
            with self.change:
                self.pieces.append((free + self.delay, data))
                self.held += len(data)
                self.change.notify_all()
                if not data:
                    return
                self.change.wait_for(lambda: self.held < self.limit)

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


def main(port, rtt_ms, mbit_s):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    delay, rate = rtt_ms / 2000, mbit_s * 1e6 / 8
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Direction(client, server, delay, rate)
        Direction(server, client, delay, rate)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
