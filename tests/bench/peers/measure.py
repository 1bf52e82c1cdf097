"""One server, one workload, one round: what it delivered, how late, how well, and what that cost."""

import bisect
import re
import statistics
import subprocess
import time

import numpy

import processes
import recording
from lib.wait import until
from window import HEIGHT, WIDTH

SETTLE_S = 3      # after the first picture: a server's starting costs are over, warm processes have been replaced
LOOK_S = 0.001
SAMPLE_EVERY_S = 0.7
SAMPLE_AFTER_S = 0.010  # since the frame's code was seen: a client may draw a frame in parts


class Watch:
    """Looks at a window for some seconds: `seen` lists (time, frame number) of each change, `samples` (frame number,
    picture)."""

    def __init__(self, window):
        self.window = window
        top, left = window.top, window.left
        self.area = window.screen.pixels[top:top + HEIGHT, left:left + WIDTH]
        self.code = self.area[:recording.CELL, :recording.CODE_WIDTH]
        self.seen, self.samples = [], []

    def number(self):
        return recording.read_code(self.code)

    def look(self, seconds):
        begin = sampled = time.monotonic()
        last = self.number()
        since = begin
        while (now := time.monotonic()) < begin + seconds:
            number = self.number()
            if number is not None and number != last:
                self.seen.append((now, number))
                last, since = number, now
            elif last is not None and now - sampled >= SAMPLE_EVERY_S and now - since >= SAMPLE_AFTER_S:
                picture = self.area.copy()
                if self.number() == last:
                    self.samples.append((last, picture))
                sampled = now
            time.sleep(LOOK_S)
        return begin, now


def sent_bytes(port):
    """Bytes that a server has sent on its connections of this port and that have arrived."""
    listing = subprocess.run(["ss", "-tinHO", "state", "established", f"sport = :{port}"], capture_output=True,
                             text=True, check=True).stdout
    return sum(int(count) for count in re.findall(r"\bbytes_acked:(\d+)", listing))


class Spent:
    """Processor time of a server's processes, those included that begin meanwhile."""

    def __init__(self, server):
        self.server = server
        self.before = self._now()

    def _now(self):
        spent = {}
        for pid in self.server.pids():
            try:
                spent[pid] = processes.processor_seconds(pid)
            except OSError:
                continue  # it has just ended
        return spent

    def seconds(self):
        return sum(seconds - self.before.get(pid, 0) for pid, seconds in self._now().items())


def delays(seen, appeared, frames):
    """How long after each frame's appearance it was seen, s."""
    found = []
    for when, number in seen:
        newest = bisect.bisect_right(appeared, when) - 1
        which = newest - (newest - number) % frames
        if which >= 0:
            found.append(when - appeared[which])
    return found


def quality(samples, path):
    """Median PSNR of Y, dB, over what was seen; None when nothing was."""
    pictures = recording.Recording(path).some(number for number, _ in samples)
    values = [recording.psnr_y(shown, pictures[number]) for number, shown in samples]
    return statistics.median(values) if values else None


def pss_mib(server):
    total = 0
    for pid in server.pids():
        try:
            total += processes.memory(pid)["Pss"]
        except OSError:
            continue
    return total / 1024


def round_of(kind, tools, workload, path, seconds):
    """The round's figures by the names of the JSON document. What stands still is given per second, not per frame."""
    film = recording.Recording(path)
    with kind(tools, workload, path) as server:
        with server.opened(tools.screen) as window:
            watch = Watch(window)

            def shown():
                window.check()
                return watch.number() is not None
            until(shown, 60, lambda: f"a picture by {kind.__name__}; it says:\n{server.log_tail()}\n"
                                     f"the client says:\n{window.client.output()[-2000:]}")
            time.sleep(SETTLE_S)
            spent, sent = Spent(server), sent_bytes(server.port)
            begin, end = watch.look(seconds)
            used, sent = spent.seconds(), sent_bytes(server.port) - sent
            memory = pss_mib(server)
            window.check()
        appeared = server.played()
    took = end - begin
    drawn = sum(cost for at, cost in zip(appeared.at, appeared.drawing) if begin <= at < end)
    late = delays(watch.seen, appeared.at, film.frames)
    units = len(watch.seen) if film.frames > 1 else took
    figures = {"fps": len(watch.seen) / took, "cpu_ms": None, "bytes": None, "lat_p50_ms": None, "lat_p95_ms": None,
               "psnr_y": quality(watch.samples, path), "pss_mb": memory}
    if units:
        figures.update(cpu_ms=(used - drawn) * 1000 / units, bytes=sent / units)
    if late:
        p50, p95 = numpy.percentile(late, [50, 95]) * 1000
        figures.update(lat_p50_ms=float(p50), lat_p95_ms=float(p95))
    return figures
