"""Figures: what was measured, in which unit, against which target."""

import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """`values` are the repetitions of one measurement; `target` is the most their median may be, or None."""

    group: str
    name: str
    unit: str
    target: float | None = None
    values: list = dataclasses.field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def verdict(self):
        if not self.values:
            return "not measured"
        if self.target is None:
            return ""
        return "met" if self.median <= self.target else "missed"

    @staticmethod
    def shown(value):
        """A value with as many digits as it is worth."""
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

    def as_json(self):
        return {**dataclasses.asdict(self), "median": self.median if self.values else None, "verdict": self.verdict}


class Figures:
    """All figures of a run in the order in which they first came."""

    def __init__(self):
        self.list = []

    def add(self, group, name, unit, value, target=None):
        figure = next((one for one in self.list if (one.group, one.name) == (group, name)), None)
        if figure is None:
            figure = Figure(group, name, unit, target)
            self.list.append(figure)
        figure.values.append(value)
