"""What was measured, beside its floor and its aim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

WIDE = 0.35
"""The middle half of a ratio's rounds may spread by this part of the median, else it is said."""


@dataclass(frozen=True)
class Figure:
    what: str
    ours: str
    floor: str = "–"
    ratio: str = "–"
    aim: str = "–"
    is_met: bool | None = None
    note: str = ""


def table(figures: Sequence[Figure]) -> str:
    heads = ("figure", "ours", "floor", "ratio", "aim", "", "note")
    rows = [heads] + [
        (f.what, f.ours, f.floor, f.ratio, f.aim, _verdict(f.is_met), f.note) for f in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "─" * max(len(line) for line in lines), *lines[1:]])


def _verdict(is_met: bool | None) -> str:
    return "" if is_met is None else "met" if is_met else "MISSED"


@dataclass(frozen=True)
class Ratio:
    """Ours to the floor's, from pairs that were measured one right after the other."""

    median: float
    spread: float

    @classmethod
    def of(cls, ours: Sequence[float], floors: Sequence[float]) -> Ratio:
        each = sorted(a / b for a, b in zip(ours, floors, strict=True))
        median = statistics.median(each)
        low, _, high = statistics.quantiles(each, n=4)
        return cls(median, (high - low) / median)

    def __str__(self) -> str:
        return f"{self.median:.2f}"

    @property
    def note(self) -> str:
        return f"wide spread, ±{self.spread:.0%}" if self.spread > WIDE else ""


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
