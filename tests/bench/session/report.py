"""The table of a run: on the terminal, as JSON, in docs/performance.md."""

import json
import os
import platform
import re
import subprocess

BEGIN, END = "<!-- figures: written by tests/bench/session/bench --docs -->", "<!-- end of figures -->"
HEAD = ("figure", "at most", "median", "least", "most", "verdict")


def machine(run):
    """What the figures depend on."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    version = subprocess.run(["git", "-C", os.path.dirname(__file__), "log", "-1", "--format=%h of %cs"],
                             capture_output=True, text=True).stdout.strip()
    acceleration = re.search(r"desktops run with (\w+)", run.demo.log_text())
    encoder = re.search(r"H\.264 by (\w+)", run.demo.log_text())
    return {"cpu": f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}",
            "virtualization": acceleration[1] if acceleration else "none (pattern source)",
            "encoder": encoder[1] if encoder else "none", "system": f"{_system()}, Linux {platform.release()}",
            "version": version, "load": f"{run.load[0]:.1f} before, {os.getloadavg()[0]:.1f} after",
            "repetitions": run.repeat, "idle seconds": run.idle_s}


def _system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _rows(figures):
    groups = list(dict.fromkeys(figure.group for figure in figures.list))
    for figure in sorted(figures.list, key=lambda one: groups.index(one.group)):
        unit = f" {figure.unit}".rstrip()
        target = "" if figure.target is None else f"{figure.target:g}{unit}"
        yield figure.group, (figure.name, target, figure.shown(figure.median) + unit,
                             figure.shown(min(figure.values)), figure.shown(max(figure.values)), figure.verdict)


def terminal(figures, about):
    lines = [f"{key}: {value}" for key, value in about.items()]
    rows = list(_rows(figures))
    widths = [max(len(row[i]) for row in [HEAD, *(row for _, row in rows)]) for i in range(len(HEAD))]
    group = None
    for name, row in rows:
        if name != group:
            group = name
            lines += ["", f"[{name}]", "  ".join(text.ljust(width) for text, width in zip(HEAD, widths)).rstrip()]
        lines.append("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    return "\n".join(lines)


def markdown(figures, about):
    lines = [f"Machine: {about['cpu']}; virtualization {about['virtualization']}; H.264 by {about['encoder']}; "
             f"{about['system']}. Version {about['version']}, {about['repetitions']} repetitions, load average "
             f"{about['load']}."]
    group = None
    for name, row in _rows(figures):
        if name != group:
            group = name
            lines += ["", f"**{name[0].upper()}{name[1:]}**", "", f"| {' | '.join(HEAD)} |",
                      "|---|---|---|---|---|---|"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def write_json(path, figures, about):
    with open(path, "w") as file:
        json.dump({"machine": about, "figures": [figure.as_json() for figure in figures.list]}, file, indent=2)
        file.write("\n")


def write_docs(path, figures, about):
    """Replaces what stands between the two marks."""
    with open(path) as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{path} has no place for figures"
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{markdown(figures, about)}\n{END}{after}")
