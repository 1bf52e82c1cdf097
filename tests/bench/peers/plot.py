"""Results as pictures: bars by workload and server. Colours that do on light and dark pages."""

import math
from xml.sax.saxutils import escape

from quality import EQUAL_DB

# How a panel shows a figure: its title, and whether on a logarithmic scale; shorter is better unless the title says it.
PANELS = {"fps": ("frames/s (long is good)", False), "cpu_ms": ("CPU, ms a frame (log)", True),
          "bytes": ("bytes a frame (log)", True), "lat_p50_ms": ("latency p50, ms (log)", True),
          "lat_p95_ms": ("latency p95, ms (log)", True), "psnr_y": ("PSNR-Y, dB (long is good)", False),
          "ssim": ("SSIM (long is good)", False), "exact_ms": ("exact after ms (log)", True),
          "pss_mb": ("PSS, MiB", False), "recovery_ms": ("recovered after ms (log)", True)}
FROM = {"psnr_y": 20, "ssim": 0.8}  # where a scale begins that is not logarithmic: 0 otherwise
OURS, THEIRS, INK = "#2f81f7", "#9aa4af", "#7d8590"
PANEL, GAP, ROW, HEAD, VALUE = 190, 20, 16, 30, 50  # px; VALUE: the room for the figure behind a bar
LETTER = 6.2                                        # px, about, of a name


class Scale:
    """From values to shares of a panel's width."""

    def __init__(self, name, values):
        known = [value for value in values if value is not None and value > 0]
        self.logarithmic = PANELS[name][1]
        self.low, self.high = FROM.get(name, 0), max(known, default=1)
        if name == "psnr_y":
            self.high = max((value for value in known if value < EQUAL_DB), default=50)
        if self.logarithmic:
            self.low = math.floor(math.log10(min(known, default=1)))
            self.high = max(math.ceil(math.log10(self.high)), self.low + 1)

    def share(self, value):
        if self.logarithmic:
            value = math.log10(value) if value > 0 else self.low
        return min(1.0, max(0.0, (value - self.low) / ((self.high - self.low) or 1)))


def shown(name, value):
    if name == "psnr_y" and value == EQUAL_DB:
        return "equal"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def text(x, y, words, weight="normal"):
    return f'<text x="{x:.1f}" y="{y}" font-weight="{weight}">{escape(words)}</text>'


def bar(x, y, name, value, scale, ours):
    if value is None:
        return [text(x, y + 12, "-")]
    width = max(1.0, scale.share(value) * (PANEL - VALUE))
    return [f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 5}" fill="{OURS if ours else THEIRS}"/>',
            text(x + width + 4, y + 12, shown(name, value))]


def svg(results, cases, names):
    """The document as text: a row for each case, a panel for each of the names that any case has."""
    names = [name for name in names if any(results.median(case, name) is not None for case in cases)]
    scales = {name: Scale(name, [results.median(case, name) for case in cases]) for name in names}
    left = 20 + LETTER * max(len(str(case)) for case in cases)
    at = {name: left + i * (PANEL + GAP) for i, name in enumerate(names)}
    parts, y = [text(at[name], 16, PANELS[name][0], "bold") for name in names], HEAD
    for workload in dict.fromkeys(case.workload for case in cases):
        parts.append(text(0, y + 12, workload, "bold"))
        y += ROW
        for case in (case for case in cases if case.workload == workload):
            parts.append(text(8, y + 12, str(case)))
            for name in names:
                parts += bar(at[name], y, name, results.median(case, name), scales[name],
                             case.server.startswith("fernwerk"))
            y += ROW
        y += ROW // 2
    width = round(left + len(names) * (PANEL + GAP))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" '
            f'font-family="sans-serif" font-size="11" fill="{INK}">\n' + "\n".join(parts) + "\n</svg>\n")
