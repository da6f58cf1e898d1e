"""Read weekly hours as they are typed into a form: for each day, when it opens and closes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from inboxes.hours.weekly import (
    DAY,
    DAYS,
    NO_HOURS,
    Span,
    Week,
    join_at_midnight,
    split_at_midnight,
    write_minutes,
)

MOST_SPANS = 6

# As browsers send it, and as people type it where a browser has no field for times.
_TIME = re.compile(
    r"(\d{1,2})(?:[:.](\d{2})(?::00)?)?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE | re.ASCII
)

INCOMPLETE = "Enter when it opens and when it closes."
NO_TIME = "Enter times such as 8:30 AM or 17:00."
SAME_TIME = "It can't open and close at the same time."
OVERLAP = "These times overlap."


class TypedSpan(NamedTuple):
    opens: str = ""
    closes: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.opens or self.closes)


@dataclass(slots=True)
class TypedWeek:
    """Hold what was typed for each day from Monday on, what it says, and what is wrong by day."""

    days: list[list[TypedSpan]]
    week: Week = NO_HOURS
    errors: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_week(cls, week: Week) -> TypedWeek:
        """Return the hours as a form shows them."""
        days = [
            [TypedSpan(write_minutes(opens), write_minutes(closes % DAY)) for opens, closes in day]
            for day in join_at_midnight(week) or [[] for _ in range(DAYS)]
        ]
        return cls(days, week)

    @classmethod
    def from_data(cls, data: Mapping[str, str], name: str) -> TypedWeek:
        """Read the fields of a form."""
        typed = cls([_read_spans(data, f"{name}-{day}") for day in range(DAYS)])
        days: list[list[Span]] = []
        for day, spans in enumerate(typed.days):
            try:
                days.append(_read_day(spans))
            except ValueError as error:
                typed.errors[day] = str(error)
        if not typed.errors and any(days):
            typed.week = split_at_midnight(days)
        return typed


def is_in_data(data: Mapping[str, str], name: str) -> bool:
    return any(key.startswith(f"{name}-") for key in data)


def field_name(name: str, day: int, number: int, end: str) -> str:
    """Return the name of the field for when a span of a day `opens` or `closes`."""
    return f"{name}-{day}-{number}-{end}"


def _read_spans(data: Mapping[str, str], prefix: str) -> list[TypedSpan]:
    spans = []
    for number in range(MOST_SPANS):
        opens, closes = (
            str(data.get(f"{prefix}-{number}-{end}", "")).strip()[:20]
            for end in ("opens", "closes")
        )
        spans.append(TypedSpan(opens, closes))
    return [span for span in spans if not span.is_empty]


def _read_day(spans: list[TypedSpan]) -> list[Span]:
    """Return the spans of a day; hours past midnight end after DAY. Raises ValueError with what is
    wrong."""
    read = sorted(_read_span(span) for span in spans)
    if any(later[0] < earlier[1] for earlier, later in pairwise(read)):
        raise ValueError(OVERLAP)
    return read


def _read_span(span: TypedSpan) -> Span:
    if not (span.opens and span.closes):
        raise ValueError(INCOMPLETE)
    opens, closes = _read_time(span.opens), _read_time(span.closes)
    closes = closes or DAY
    if opens == closes:
        raise ValueError(SAME_TIME)
    return opens, closes if opens < closes else closes + DAY


def _read_time(words: str) -> int:
    found = _TIME.fullmatch(words)
    if found is None:
        raise ValueError(NO_TIME)
    hours, minutes, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half and 1 <= hours <= 12:
        hours = hours % 12 + (12 if half == "p" else 0)
    elif half:
        raise ValueError(NO_TIME)
    at = hours * 60 + minutes
    if minutes > 59 or at > DAY:
        raise ValueError(NO_TIME)
    return at
