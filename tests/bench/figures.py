"""Describe what was measured, with its floor and its aim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# More spread than this, as a part of the median, is mentioned: that of the middle half of rounds.
WIDE_SPREAD = 0.35


@dataclass(frozen=True)
class Figure:
    name: str
    ours: str
    floor: str = "–"
    ratio: str = "–"
    aim: str = "–"
    is_met: bool | None = None
    note: str = ""


def format_table(figures: Sequence[Figure]) -> str:
    headings = ("figure", "ours", "floor", "ratio", "aim", "", "note")
    rows = [headings] + [
        (f.name, f.ours, f.floor, f.ratio, f.aim, _describe_verdict(f.is_met), f.note)
        for f in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "─" * max(len(line) for line in lines), *lines[1:]])


def _describe_verdict(is_met: bool | None) -> str:
    return "" if is_met is None else "met" if is_met else "MISSED"


@dataclass(frozen=True)
class Ratio:
    """Hold the ratio of ours to the floor's, from pairs measured right after each other."""

    median: float
    spread: float

    @classmethod
    def from_pairs(cls, ours: Sequence[float], floors: Sequence[float]) -> Ratio:
        ratios = sorted(a / b for a, b in zip(ours, floors, strict=True))
        median = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4)
        return cls(median, (high - low) / median)

    def __str__(self) -> str:
        return f"{self.median:.2f}"

    @property
    def note(self) -> str:
        return f"wide spread, ±{self.spread:.0%}" if self.spread > WIDE_SPREAD else ""


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
