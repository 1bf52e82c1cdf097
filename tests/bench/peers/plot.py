"""The results as a picture: bars on logarithmic scales, shorter is better. Colours that do on light and dark pages."""

import math
from xml.sax.saxutils import escape

PANELS = [("cpu_ms", "CPU, ms a frame (log)"), ("bytes", "bytes a frame (log)"),
          ("lat_p50_ms", "latency p50, ms (log)")]
OURS, THEIRS, INK = "#2f81f7", "#9aa4af", "#7d8590"
NAME, PANEL, GAP, ROW, HEAD = 150, 230, 24, 16, 30  # px


def scale(values):
    """The decades that hold all values: (exponent of the first, exponent of the last)."""
    known = [value for value in values if value and value > 0]
    if not known:
        return 0, 1
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return low, max(high, low + 1)


def bar(x, y, value, decades, ours):
    if value is None:
        return [text(x, y + 11, "-")]
    low, high = decades
    share = 0 if value <= 0 else max(0.0, (math.log10(value) - low) / (high - low))
    width = max(1.0, share * (PANEL - 50))
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return [f'<rect x="{x}" y="{y + 3}" width="{width:.1f}" height="{ROW - 5}" fill="{OURS if ours else THEIRS}"/>',
            text(x + width + 4, y + 12, shown)]


def text(x, y, words, weight="normal"):
    return f'<text x="{x:.1f}" y="{y}" font-weight="{weight}">{escape(words)}</text>'


def svg(results):
    """The document as text. What is idle has no frames and is left out."""
    cases = [case for case in results.rounds if case.workload != "idle"]
    decades = {name: scale([results.median(case, name) for case in cases]) for name, _ in PANELS}
    parts, y = [], HEAD
    for i, (_, title) in enumerate(PANELS):
        parts.append(text(NAME + i * (PANEL + GAP), 16, title, "bold"))
    for workload in dict.fromkeys(case.workload for case in cases):
        parts.append(text(0, y + 12, workload, "bold"))
        y += ROW
        for case in (case for case in cases if case.workload == workload):
            parts.append(text(8, y + 12, str(case)))
            for i, (name, _) in enumerate(PANELS):
                parts += bar(NAME + i * (PANEL + GAP), y, results.median(case, name), decades[name],
                             case.server.startswith("fernwerk"))
            y += ROW
        y += ROW // 2
    width = NAME + len(PANELS) * (PANEL + GAP)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" '
            f'font-family="sans-serif" font-size="11" fill="{INK}">\n' + "\n".join(parts) + "\n</svg>\n")
