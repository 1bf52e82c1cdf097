"""The results of all rounds: medians, as a table, as JSON, in docs/performance.md."""

import dataclasses
import json
import os
import platform
import re
import statistics
import subprocess
import time

import plot
from options import BUSY
from quality import EQUAL_DB

# Name in the JSON document, heading, digits after the point.
COLUMNS = [("fps", "fps", 1), ("cpu_ms", "CPU ms/frame", 2), ("bytes", "bytes/frame", 0), ("lat_p50_ms", "p50 ms", 1),
           ("lat_p95_ms", "p95 ms", 1), ("psnr_y", "PSNR-Y dB", 1),
           ("ssim", "SSIM", 3), ("exact_ms", "exact ms", 0), ("exact_per_zrle", "exact bytes/ZRLE", 2),
           ("pss_mb", "PSS MiB", 0), ("client_mb", "client MiB", 1), ("seat_mb", "seat MiB", 1),
           ("recovery_ms", "recovery ms", 0)]
# What several sessions or viewers add to that, each beside a single one's.
RATIOS = [("busy", "busy", 2), ("cost_ratio", "cost(N)/(N cost(1))", 2),
          ("viewer_cpu_ratio", "CPU of a viewer more", 2), ("viewer_mb", "MiB of a viewer more", 1)]
MORE = ["exact_bytes", "zrle_bytes"]  # in the document, but in no table
# Parts of docs/performance.md, each with its pictures: a file's name, what it shows in words, and of which columns.
PARTS = {
    "peers": [("peers", "Processor time, bytes and latency of each server, in bars",
               ["cpu_ms", "bytes", "lat_p50_ms", "lat_p95_ms"]),
              ("peers-picture", "Frames, fidelity and memory of each server, in bars",
               ["fps", "psnr_y", "ssim", "exact_ms", "pss_mb"])],
    "sessions": [("sessions", "What several sessions cost, each one's share, in bars",
                  ["fps", "cpu_ms", "lat_p95_ms", "pss_mb"])],
    "viewers": [("viewers", "What several viewers of a desktop cost, all together, in bars",
                 ["fps", "cpu_ms", "lat_p95_ms", "pss_mb"])],
    "links": [("links", "Frames, latency and bytes over slow links, in bars",
               ["fps", "lat_p50_ms", "lat_p95_ms", "bytes", "recovery_ms"])],
    "input": [("input", "From a key press to the picture's answer, in bars", ["lat_p50_ms", "lat_p95_ms"])],
}
RATIO_NAMES = {name for name, _, _ in RATIOS}
BEGIN, END = "<!-- {}: written by scripts/bench --docs -->", "<!-- end of {} -->"
INPUT = "input"  # the workload that is no recording


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured; link: (round trip in ms, Mbit/s, Mbit/s later or None), None: the machine's own."""

    workload: str
    server: str
    sessions: int = 1
    link: tuple | None = None
    viewers: int | None = None  # None: not asked for, one

    def __str__(self):
        several = f" x {self.sessions}" if self.sessions > 1 else ""
        if self.viewers:
            several += f", {self.viewers} viewer{'s' if self.viewers > 1 else ''}"
        return self.server + several + (f", {words(self.link)}" if self.link else "")


def words(link):
    rtt_ms, mbit_s, later = link
    rate = f"{mbit_s:g} then {later:g}" if later else f"{mbit_s:g}"
    return f"{rtt_ms:g} ms" + (f", {rate} Mbit/s" if mbit_s else "")


class Results:
    """Rounds by case, in the order in which they first came."""

    def __init__(self, fps):
        self.fps, self.rounds = fps, {}
        self.load = os.getloadavg()[0]

    def add(self, case, figures):
        self.rounds.setdefault(case, []).append(figures)

    def median(self, case, name):
        values = [value for figures in self.rounds[case] if (value := figures.get(name)) is not None]
        return statistics.median(values) if values else None

    def ratios(self, case):
        """What this case adds to that of one session and one viewer, by the names of RATIOS; None where that is not
        known, or where the machine was too busy to tell."""
        found = dict.fromkeys(name for name, _, _ in RATIOS)
        several = [one for one in self.rounds if one.sessions > 1 or one.viewers]
        if several:
            found["busy"] = self.median(case, "busy")
        one = dataclasses.replace(case, sessions=1, viewers=case.viewers and 1)
        if case == one or one not in self.rounds or (found["busy"] or 0) > BUSY:
            return found
        cpu, cpu_of_one = self.median(case, "cpu_ms"), self.median(one, "cpu_ms")
        ratio = cpu / cpu_of_one if cpu and cpu_of_one else None
        if case.sessions > 1:
            found["cost_ratio"] = ratio
        else:
            more = case.viewers - 1
            found["viewer_cpu_ratio"] = (ratio - 1) / more if ratio else None
            found["viewer_mb"] = (self.median(case, "pss_mb") - self.median(one, "pss_mb")) / more
        return found

    def value(self, case, name):
        return self.ratios(case)[name] if name in RATIO_NAMES else self.median(case, name)

    def is_saturated(self, case):
        """Whether fewer sessions of this have kept the machine too busy to tell about more of them."""
        return any((self.median(other, "busy") or 0) > BUSY for other in self.rounds
                   if other.sessions < case.sessions and dataclasses.replace(other, sessions=case.sessions) == case)

    def shown(self, case, name, digits):
        value = self.value(case, name)
        if value is None:
            return "-"
        if name == "psnr_y" and value == EQUAL_DB:
            return "equal"
        return f"{value:,.{digits}f}"

    def tables(self, cases):
        """By workload: a list of rows of words, the heading first. Without columns that no row has."""
        for workload in dict.fromkeys(case.workload for case in cases):
            columns = COLUMNS + RATIOS
            rows = [[str(case), *(self.shown(case, name, digits) for name, _, digits in columns)]
                    for case in cases if case.workload == workload]
            table = [[workload, *(title for _, title, _ in columns)], *rows]
            # Who did not recover is told.
            told = {1 + [name for name, _, _ in columns].index("recovery_ms")} if any(
                case.link and case.link[2] for case in cases if case.workload == workload) else set()
            kept = [i for i in range(len(table[0])) if i in {0} | told or any(row[i] != "-" for row in rows)]
            yield [[row[i] for i in kept] for row in table]

    def terminal(self):
        lines = []
        for table in self.tables(list(self.rounds)):
            width = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
            lines += ["  ".join([row[0].ljust(width[0] + 2), *(word.rjust(size) for word, size in
                                                               zip(row[1:], width[1:]))]) for row in table]
            lines.append("")
        return "\n".join(lines + [self.about()])

    def markdown(self, cases):
        lines = [self.about(), ""]
        for table in self.tables(cases):
            lines += [f"| {' | '.join(row)} |" for row in table] + [""]
            lines.insert(-len(table), "|---" * len(table[0]) + "|")
        return "\n".join(lines)

    def about(self):
        """What the figures depend on."""
        with open("/proc/cpuinfo") as file:
            model = re.search(r"model name\s*:\s*(.*)", file.read())
        with open("/etc/os-release") as file:
            system = re.search(r'PRETTY_NAME="(.*)"', file.read())
        version = subprocess.run(["git", "-C", os.path.dirname(__file__), "log", "-1", "--format=%h"],
                                 capture_output=True, text=True).stdout.strip()
        rounds = max(len(figures) for figures in self.rounds.values()) if self.rounds else 0
        return (f"{time.strftime('%Y-%m-%d')}, version {version}, {os.cpu_count()} cores, "
                f"{model[1] if model else platform.machine()}, {system[1] if system else platform.system()}; "
                f"{self.fps:g} frames a second; rounds: {rounds}; load average before: {self.load:.1f}.")

    def write_json(self, path):
        """A list of objects, one for each case; what is not known is null."""
        document = []
        for case, rounds in self.rounds.items():
            rtt_ms, mbit_s, later = case.link or (0, 0, None)
            document.append({"server": case.server, "workload": case.workload, "sessions": case.sessions,
                             "viewers": case.viewers or 1,
                             **{name: self.median(case, name) for name in [one for one, _, _ in COLUMNS] + MORE},
                             **self.ratios(case), "busy": self.median(case, "busy"),
                             "rtt_ms": rtt_ms, "mbit_s": mbit_s, "later_mbit_s": later or 0, "played_fps": self.fps,
                             "rounds": rounds})
        with open(path, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")

    def part(self, case):
        """Where in the docs a case belongs."""
        if case.workload == INPUT:
            return "input"
        if case.link:
            return "links"
        if case.viewers:
            return "viewers"
        return "sessions" if any(one.sessions > 1 for one in self.rounds) else "peers"

    def write_docs(self, folder):
        """Writes the parts of which something was measured; the others stay as they are."""
        with open(f"{folder}/performance.md") as file:
            document = file.read()
        for part, pictures in PARTS.items():
            cases = [case for case in self.rounds if self.part(case) == part]
            if cases:
                inside = self.markdown(cases)
                for name, title, columns in reversed(pictures):
                    # What is idle has no frames: no bar of its means what the others' do.
                    moving = [case for case in cases if case.workload != "idle"]
                    if moving:
                        with open(f"{folder}/{name}.svg", "w") as file:
                            file.write(plot.svg(self, moving, columns))
                        inside = f"![{title}]({name}.svg)\n\n{inside}"
                document = put(document, part, inside)
        with open(f"{folder}/performance.md", "w") as file:
            file.write(document)


def put(document, part, inside):
    """The document with this between the part's two marks."""
    begin, end = BEGIN.format(part), END.format(part)
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    assert found and closed, f"no place for {part} in the docs"
    return f"{before}{begin}\n{inside.rstrip()}\n{end}{after}"
