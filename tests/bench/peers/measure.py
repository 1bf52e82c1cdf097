"""One server, one workload, one round: what it delivered, how late, how well, and what that cost."""

import bisect
import contextlib
import math
import statistics
import subprocess
import time

import numpy

import processes
import quality
import recording
from lib.wait import until
from servers import Relayed
from sockets import Sent
from window import HEIGHT, WIDTH

SETTLE_S = 3      # after the first picture: a server's starting costs are over, warm processes have been replaced
LOOK_S = 0.001
SAMPLE_EVERY_S = 0.7
SAMPLE_AFTER_S = 0.010  # since the frame's code was seen: a client may draw a frame in parts
STEP_S = 16             # the least that a round with a step in its link takes: it has to show what stays
RECOVERED_S = 0.025     # beyond the round trip: of a link over which frames arrive steadily
STEADY_S, GAP_S = 2, 0.5  # how long that must be seen, and the longest time without a frame


class Watch:
    """Looks at a window: `seen` lists (time, frame number) of each change, `samples` (frame number, picture), `exact`
    (time, frame number) of each time at which the last moving frame had become exact, `exact_bytes` what was sent until
    then since that frame's code was seen."""

    def __init__(self, window, film, stands_still, sent):
        """stands_still: (number, picture) of the frame that stays for a while, or None. sent: tells how many bytes this
        window's client has got; None: nobody knows."""
        top, left = window.top, window.left
        self.window, self.film = window, film
        self.area = window.screen.pixels[top:top + HEIGHT, left:left + WIDTH]
        self.code = self.area[:recording.CELL, :recording.CODE_WIDTH]
        self.still_number, self.still_picture = stands_still or (None, None)
        self.sent = sent

    def number(self):
        return recording.read_code(self.code)

    def begin(self, now):
        self.seen, self.samples, self.exact, self.exact_bytes = [], [], [], []
        self.last, self.since, self.inexact = self.number(), now, False
        self.glimpse = None

    def look(self, now):
        number = self.number()
        if number is None or number == self.last:
            self.glimpse = None
        elif self.glimpse is None or self.glimpse[1] != number:
            # Counts if it is still there at the next look: the client may be drawing its cells.
            self.glimpse = now, number
        else:
            self.seen.append(self.glimpse)
            self.since, self.last = self.glimpse
            self.glimpse = None
            self.inexact = number == self.still_number
            if self.inexact and self.sent:
                self.sent_before = self.sent()
        if self.last != number:
            return
        if self.inexact and self.is_exact():
            self.exact.append((time.monotonic(), number))
            if self.sent:
                self.exact_bytes.append(self.sent() - self.sent_before)
            self.inexact = False

    def is_exact(self):
        # Rows first that a lossy picture hardly ever has right: all of them take milliseconds.
        return all((self.area[rows, :, :3] == self.still_picture[rows, :, :3]).all()
                   for rows in (slice(100, None, 97), slice(None)))

    def sample(self, now):
        """Keeps what is shown if that has stood for a moment; whether it has."""
        if self.last is None or now - self.since < SAMPLE_AFTER_S:
            return False
        picture = self.area.copy()
        if self.number() == self.last:
            self.samples.append((self.last, picture))
        return True


def look_at(watches, seconds, half_way):
    """Looks at all of them for some time, and takes samples of the first one; calls half_way() in the middle. Returns
    when it began, was half over and ended."""
    begin = sampled = time.monotonic()
    middle = None
    for watch in watches:
        watch.begin(begin)
    while (now := time.monotonic()) < begin + seconds:
        if middle is None and now >= begin + seconds / 2:
            half_way()
            middle = now
        for watch in watches:
            watch.look(now)
        if now - sampled >= SAMPLE_EVERY_S and watches[0].sample(now):
            sampled = now
        time.sleep(LOOK_S)
    return begin, middle, now


class Busy:
    """The share of all cores' time that was used by anybody since this was made."""

    def __init__(self):
        self.before = self._now()

    @staticmethod
    def _now():
        with open("/proc/stat") as file:
            user, nice, system, idle, waiting, *others = map(int, file.readline().split()[1:9])
        return numpy.array([user + nice + system + sum(others), idle + waiting])

    def share(self):
        used, unused = self._now() - self.before
        return float(used / max(used + unused, 1))


class Spent:
    """Processor time of the servers' processes from start() to stop(), those included that begin meanwhile."""

    def __init__(self, servers):
        self.servers = servers
        self.pids = pids(servers)  # takes a while; reading their clocks does not

    @staticmethod
    def _now(some):
        spent = {}
        for pid in some:
            try:
                spent[pid] = processes.processor_seconds(pid)
            except OSError:
                continue  # it has just ended
        return spent

    def start(self):
        self.before = self._now(self.pids)

    def stop(self):
        self.after = self._now(self.pids)

    def seconds(self):
        begun = self._now(pids(self.servers) - self.pids)
        return sum(self.after[pid] - self.before[pid] for pid in self.after) + sum(begun.values())


def pids(servers):
    """Those of all: sessions of one Fernwerk share most of theirs."""
    return {pid for server in servers for pid in server.pids()}


def delays(seen, appeared, frames):
    """How long after each frame's appearance it was seen, s."""
    return [delay for _, delay in timed(seen, appeared, frames)]


def timed(seen, appeared, frames):
    """The same, each with the time at which it was seen."""
    found = []
    for when, number in seen:
        newest = bisect.bisect_right(appeared, when) - 1
        which = newest - (newest - number) % frames
        if which >= 0:
            found.append((when, when - appeared[which]))
    return found


def recovery(arrived, step, end, rtt, gap=GAP_S):
    """How long after `step` frames arrive steadily, s: from then until `end` none keeps the next one waiting for longer
    than `gap`, and their latency's p95 is that of the round trip. None: not before the last STEADY_S. arrived: as
    timed() tells."""
    after = [(when, delay) for when, delay in arrived if when >= step]
    latest_begin = bisect.bisect_right(after, (end - STEADY_S, math.inf))
    first = 0  # behind the last gap
    times = [when for when, _ in after] + [end]
    for i in range(len(after)):
        if times[i + 1] - times[i] > gap:
            first = i + 1
    late = [delay for _, delay in after]
    for i in range(first, latest_begin):
        if max(late[i], numpy.percentile(late[i:], 95)) <= rtt + RECOVERED_S:
            return after[i][0] - step
    return None


def compared(samples, film):
    """Medians of PSNR and SSIM over what was seen; None when nothing was."""
    pictures = film.some(number for number, _ in samples)
    pairs = [(quality.luma(shown), quality.luma(pictures[number])) for number, shown in samples]
    if not pairs:
        return None, None
    return tuple(statistics.median(figure(*pair) for pair in pairs) for figure in (quality.psnr, quality.ssim))


def pss_mib(some):
    """{pid: MiB} of those that still live."""
    found = {}
    for pid in some:
        try:
            found[pid] = processes.memory(pid)["Pss"] / 1024
        except OSError:
            continue
    return found


def memory_of(servers):
    """The sum of all processes, a session's share; the largest of each of Fernwerk's two kinds that serve a session."""
    each = pss_mib(pids(servers))
    by_program = {}
    for server in servers:
        for pid, program in server.of_session().items():
            if pid in each:
                by_program.setdefault(program, set()).add(each[pid])
    largest = {program: max(sizes) for program, sizes in by_program.items()}
    return {"pss_mb": sum(each.values()) / len(servers), "seat_mb": largest.get("fernwerk-seat"),
            "client_mb": largest.get("fernwerk-rdp", largest.get("fernwerk-vnc"))}


def moving_area(film, number):
    """What this frame draws besides the code: x, y, width, height."""
    begin, count = film.table[number]
    drawn = [(x, y, x + width, y + height) for x, y, width, height, *_ in film.ops[begin:begin + count]
             if y + height > recording.CELL or x + width > recording.CODE_WIDTH]
    left, top, right, bottom = (edge(sides) for edge, sides in zip((min, min, max, max), zip(*drawn)))
    return left, top, right - left, bottom - top


def zrle_bytes(program, film, number, picture):
    """What ZRLE takes for the area of this frame that moves."""
    x, y, width, height = moving_area(film, number)
    pixels = numpy.ascontiguousarray(picture[y:y + height, x:x + width]).tobytes()
    done = subprocess.run([program, str(width), str(height)], input=pixels, capture_output=True, check=True)
    return int(done.stdout)


def await_picture(server, watch):
    def shown():
        watch.window.check()
        return watch.number() is not None
    until(shown, 60, lambda: f"a picture by {type(server).__name__}; it says:\n{server.log_tail()}\n"
                             f"the client says:\n{watch.window.output()[-2000:]}")


def played_until(server, end, film):
    """When frames appeared, once all are known until then: the seat writes the last ones when its client has left, which
    may be before the next one is due."""
    until_then = end - 1.5e-6 * film.interval_us
    def known():
        appeared = server.played()
        return appeared if film.frames == 1 or appeared.at and appeared.at[-1] >= until_then else None
    return until(known, 10, "the times of all frames", pause=0.1)


def round_of(kind, tools, workload, path, seconds, sessions=1, link=None, viewers=1):
    """The round's figures by the names of the JSON document, `sessions` desktops being watched by `viewers` clients
    each. All figures are one session's share: what its desktop costs for all who watch it. link: (round trip in ms,
    Mbit/s, Mbit/s in the second half or None) of a slow one in between."""
    if link and link[2]:
        seconds = max(seconds, STEP_S)
    film = recording.Recording(path)
    last = film.last_moving()
    still = (last, film.some([last])[last]) if last is not None else None
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(kind(tools, workload, path, number)) for number in range(sessions)]
        with contextlib.ExitStack() as clients:
            watches = []
            counters = [clients.enter_context(contextlib.closing(Sent(port)))
                        for port in {server.port for server in servers}]
            alone = sessions == viewers == 1 and not link  # else bytes are another client's as well, or wait in between
            for number, server in enumerate(servers):
                if link:
                    server.target = Relayed(server, *link)
                    clients.callback(server.target.close)
                for viewer in range(viewers):
                    window = clients.enter_context(server.opened(tools.screen(number * viewers + viewer)))
                    watches.append(Watch(window, film, still, counters[0].bytes if alone else None))
                    await_picture(server, watches[-1])
            time.sleep(SETTLE_S)
            spent = Spent(servers)
            before = sum(counter.bytes() for counter in counters)
            spent.start()
            busy = Busy()
            between = look_at(watches, seconds, lambda: step(servers, link))
            spent.stop()
            busy = busy.share()
            sent = sum(counter.bytes() for counter in counters) - before
            used = spent.seconds()
            memory = memory_of(servers)
            for watch in watches:
                watch.window.check()
        appeared = [one for server in servers for one in [played_until(server, between[2], film)] * viewers]
    found = {**figures(film, watches, appeared, between, used, sent, viewers), **memory, "busy": busy}
    if found["exact_bytes"] is not None:
        found["zrle_bytes"] = zrle_bytes(tools.zrle, film, *still)
        found["exact_per_zrle"] = found["exact_bytes"] / found["zrle_bytes"]
    if link and link[2]:
        found["recovery_ms"] = slowest_recovery(film, watches, appeared, between, link[0] / 1000)
    return found


def step(servers, link):
    if link and link[2]:
        for server in servers:
            server.target.step()


def slowest_recovery(film, watches, appeared, between, rtt):
    """ms; None if any of them did not recover."""
    _, middle, end = between
    gap = max(GAP_S, 3e-6 * film.interval_us)
    found = [recovery(timed(watch.seen, one.at, film.frames), middle, end, rtt, gap)
             for watch, one in zip(watches, appeared)]
    return None if None in found else max(found) * 1000


def figures(film, watches, appeared, between, used, sent, viewers):
    begin, _, end = between
    drawn = sum(cost for one in appeared[::viewers] for at, cost in zip(one.at, one.drawing) if begin <= at < end)
    seen = sum(len(watch.seen) for watch in watches)
    # What stands still is given per second.
    units = (seen if film.frames > 1 else (end - begin) * len(watches)) / viewers
    psnr_y, ssim = compared(watches[0].samples, film)
    found = {"fps": seen / (end - begin) / len(watches), "cpu_ms": None, "bytes": None, "lat_p50_ms": None,
             "lat_p95_ms": None, "psnr_y": psnr_y, "ssim": ssim, "exact_ms": None, "exact_bytes": None}
    if units:
        found.update(cpu_ms=(used - drawn) * 1000 / units, bytes=sent / units)
    late = [delay for watch, one in zip(watches, appeared) for delay in delays(watch.seen, one.at, film.frames)]
    if late:
        p50, p95 = numpy.percentile(late, [50, 95]) * 1000
        found.update(lat_p50_ms=float(p50), lat_p95_ms=float(p95))
    exact = [delay for watch, one in zip(watches, appeared) for delay in delays(watch.exact, one.at, film.frames)]
    if exact:
        found.update(exact_ms=statistics.median(exact) * 1000)
    if watches[0].exact_bytes:
        found.update(exact_bytes=statistics.median(watches[0].exact_bytes))
    return found
