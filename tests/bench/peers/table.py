"""The results of all rounds: medians, as a table, as JSON, in docs/performance.md."""

import json
import os
import platform
import re
import statistics
import subprocess
import time

# Name in the JSON document, heading, digits after the point.
COLUMNS = [("fps", "fps", 1), ("cpu_ms", "CPU ms/frame", 2), ("bytes", "bytes/frame", 0), ("lat_p50_ms", "p50 ms", 1),
           ("lat_p95_ms", "p95 ms", 1), ("psnr_y", "PSNR-Y dB", 1), ("pss_mb", "PSS MiB", 0)]
NOT_YET = ["ssim", "exact_ms"]  # fields of the document that nothing measures yet
BEGIN, END = "<!-- peers: written by scripts/bench --docs -->", "<!-- end of peers -->"


class Results:
    """Rounds by (workload, server), in the order in which they first came."""

    def __init__(self):
        self.rounds = {}
        self.load = os.getloadavg()[0]

    def add(self, workload, server, figures):
        self.rounds.setdefault((workload, server), []).append(figures)

    def median(self, key, name):
        values = [figures[name] for figures in self.rounds[key] if figures[name] is not None]
        return statistics.median(values) if values else None

    def shown(self, key, name, digits):
        value = self.median(key, name)
        if value is None:
            return "-"
        if name == "psnr_y" and value == 99:
            return "equal"
        return f"{value:,.{digits}f}"

    def rows(self):
        """Heading and rows of words, by workload."""
        workloads = dict.fromkeys(workload for workload, _ in self.rounds)
        for workload in workloads:
            keys = [key for key in self.rounds if key[0] == workload]
            yield workload, [[key[1], *(self.shown(key, name, digits) for name, _, digits in COLUMNS)] for key in keys]

    def terminal(self):
        head = ["", *(title for _, title, _ in COLUMNS)]
        tables = list(self.rows())
        every = [head, *(row for _, rows in tables for row in rows)]
        width = [max(len(row[i]) for row in every) for i in range(len(head))]
        lines = []
        for workload, rows in tables:
            head[0] = workload
            for row in [head, *rows]:
                lines.append("  ".join([row[0].ljust(width[0] + 2), *(word.rjust(size)
                                                                     for word, size in zip(row[1:], width[1:]))]))
            lines.append("")
        return "\n".join(lines + [self.about()])

    def markdown(self):
        lines = [self.about(), ""]
        for workload, rows in self.rows():
            lines += [f"| {workload} | {' | '.join(title for _, title, _ in COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
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
                f"{model[1] if model else platform.machine()}, {system[1] if system else platform.system()}; medians of "
                f"{rounds} rounds; load average before {self.load:.1f}.")

    def write_json(self, path):
        """A list of objects, one for each server and workload; what is not known is null."""
        document = [{"server": server, "workload": workload, "sessions": 1,
                     **{name: self.median((workload, server), name) for name, _, _ in COLUMNS},
                     **dict.fromkeys(NOT_YET), "rounds": rounds}
                    for (workload, server), rounds in self.rounds.items()]
        with open(path, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")

    def write_docs(self, path):
        with open(path) as file:
            before, _, rest = file.read().partition(BEGIN)
        _, _, after = rest.partition(END)
        with open(path, "w") as file:
            file.write(f"{before}{BEGIN}\n{self.markdown()}{END}{after}")
