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
from quality import EQUAL_DB

# Name in the JSON document, heading, digits after the point.
COLUMNS = [("fps", "fps", 1), ("cpu_ms", "CPU ms/frame", 2), ("bytes", "bytes/frame", 0), ("lat_p50_ms", "p50 ms", 1),
           ("lat_p95_ms", "p95 ms", 1), ("psnr_y", "PSNR-Y dB", 1),
           ("ssim", "SSIM", 3), ("exact_ms", "exact ms", 0), ("pss_mb", "PSS MiB", 0)]
PICTURE = "Processor time, bytes and latency of each server, in bars"
BEGIN, END = "<!-- peers: written by scripts/bench --docs -->", "<!-- end of peers -->"


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured; link: (round trip in ms, Mbit/s), None: the machine's own."""

    workload: str
    server: str
    sessions: int = 1
    link: tuple | None = None

    def __str__(self):
        several = f" x {self.sessions}" if self.sessions > 1 else ""
        return self.server + several + (", {:g} ms, {:g} Mbit/s".format(*self.link) if self.link else "")


class Results:
    """Rounds by case, in the order in which they first came."""

    def __init__(self, fps):
        self.fps, self.rounds = fps, {}
        self.load = os.getloadavg()[0]

    def add(self, case, figures):
        self.rounds.setdefault(case, []).append(figures)

    def median(self, case, name):
        values = [figures[name] for figures in self.rounds[case] if figures[name] is not None]
        return statistics.median(values) if values else None

    def shown(self, case, name, digits):
        value = self.median(case, name)
        if value is None:
            return "-"
        if name == "psnr_y" and value == EQUAL_DB:
            return "equal"
        return f"{value:,.{digits}f}"

    def rows(self):
        """Heading and rows of words, by workload."""
        workloads = dict.fromkeys(case.workload for case in self.rounds)
        for workload in workloads:
            yield workload, [[str(case), *(self.shown(case, name, digits) for name, _, digits in COLUMNS)]
                             for case in self.rounds if case.workload == workload]

    def terminal(self):
        head = ["", *(title for _, title, _ in COLUMNS)]
        tables = list(self.rows())
        every = [head, *(row for _, rows in tables for row in rows)]
        width = [max(len(row[i]) for row in every) for i in range(len(head))]
        lines = []
        for workload, rows in tables:
            head[0] = workload
            for row in [head, *rows]:
                words = [word.rjust(size) for word, size in zip(row[1:], width[1:])]
                lines.append("  ".join([row[0].ljust(width[0] + 2), *words]))
            lines.append("")
        return "\n".join(lines + [self.about()])

    def markdown(self):
        lines = [self.about(), ""]
        for workload, rows in self.rows():
            lines += [f"| {workload} | {' | '.join(title for _, title, _ in COLUMNS)} |",
                      "|---" * (len(COLUMNS) + 1) + "|"]
            lines += [f"| {' | '.join(row)} |" for row in rows] + [""]
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
            rtt_ms, mbit_s = case.link or (0, 0)
            document.append({"server": case.server, "workload": case.workload, "sessions": case.sessions,
                             **{name: self.median(case, name) for name, _, _ in COLUMNS},
                             "rtt_ms": rtt_ms, "mbit_s": mbit_s, "played_fps": self.fps, "rounds": rounds})
        with open(path, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")

    def write_docs(self, folder):
        with open(f"{folder}/peers.svg", "w") as file:
            file.write(plot.svg(self))
        with open(f"{folder}/performance.md") as file:
            before, _, rest = file.read().partition(BEGIN)
        _, _, after = rest.partition(END)
        with open(f"{folder}/performance.md", "w") as file:
            file.write(f"{before}{BEGIN}\n![{PICTURE}](peers.svg)\n\n{self.markdown()}{END}{after}")
