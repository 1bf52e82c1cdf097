"""What a connection costs that says nothing: memory and descriptors of the process that holds it."""

import os
import signal
import socket
import time

import processes
from lib.wait import until

CONNECTIONS = 480  # below limits.half_open_total
PER_SOURCE = 10    # below limits.half_open_per_source
MEMORY_KIB, DESCRIPTORS = 16, 1
HOLDERS = {"rdp": "fernwerk-gate", "vnc": "fernwerk-gate", "https": "fernwerk-web"}


def measure(run, figures):
    """Each round with a fresh process: one that has held as many before would need nothing more."""
    for port, program in HOLDERS.items():
        for _ in run.rounds(f"{port.upper()}: silent connections"):
            pid = _renew(run.demo, program, run.demo.json[port])
            before = processes.memory(pid), processes.descriptors(pid)
            held = [_silent(run.demo, port, number) for number in range(CONNECTIONS)]
            until(lambda: processes.descriptors(pid) >= before[1] + CONNECTIONS, 5,
                  lambda: f"{CONNECTIONS} held connections, not {processes.descriptors(pid) - before[1]}")
            after = processes.memory(pid), processes.descriptors(pid)
            for one in held:
                one.close()
            target = (MEMORY_KIB, DESCRIPTORS) if program == "fernwerk-gate" else (None, None)
            group = f"silent connection in {program}"
            figures.add(group, f"{port.upper()}: memory", "KiB", (after[0]["Pss"] - before[0]["Pss"]) / CONNECTIONS,
                        target[0])
            figures.add(group, f"{port.upper()}: descriptors", "", (after[1] - before[1]) / CONNECTIONS, target[1])


def _silent(demo, port, number):
    """A connection from one of many addresses: the limits count by source."""
    return _silent_at(demo, demo.json[port], f"127.0.1.{1 + number // PER_SOURCE}")


def _silent_at(demo, port, source):
    return socket.create_connection((demo.host, port), 10, (source, 0))


def _renew(demo, program, port):
    """Kills the process, which fernwerkd starts anew at once, and waits until the new one serves."""
    [old] = demo.pids(program)
    os.kill(old, signal.SIGKILL)
    new = until(lambda: [pid for pid in demo.pids(program) if pid != old], 20, f"a new {program}")[0]
    time.sleep(3)  # what a start has to do is over
    before = processes.descriptors(new)
    with _silent_at(demo, port, "127.0.0.1"):
        until(lambda: processes.descriptors(new) > before, 30, f"{program} to serve")
    until(lambda: processes.descriptors(new) == before, 30, f"{program} to let go")
    return new
