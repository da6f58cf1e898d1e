"""Weekly hours as they are stored: for each day from Monday on, pairs of times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

DAY = 24 * 60
DAYS = 7

# Of one day: when it opens and closes, in minutes since midnight; the second is at most DAY.
Span = tuple[int, int]
Week = tuple[tuple[Span, ...], ...]
NO_HOURS: Week = ()

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def read_minutes(words: str) -> int | None:
    """Return the minutes since midnight of a time such as 08:30 or 24:00; None for others."""
    found = _TIME.fullmatch(words)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2])
    at = hours * 60 + minutes
    return at if minutes < 60 and at <= DAY else None


def write_minutes(at: int) -> str:
    return f"{at // 60:02}:{at % 60:02}"


def read_week(stored: Any) -> Week:
    """Return the hours of a week, each day's in order; NO_HOURS for none.

    What is stored may be anything, since it is JSON: spans that make no sense are left out.
    """
    if not isinstance(stored, list) or len(stored) != DAYS:
        return NO_HOURS
    week = tuple(merge_spans([*_read_spans(day)]) for day in stored)
    return week if any(week) else NO_HOURS


def _read_spans(stored: Any) -> list[Span]:
    spans = []
    for pair in stored if isinstance(stored, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            start, end = (read_minutes(str(time)) for time in pair)
            if start is not None and end is not None and start < end:
                spans.append((start, end))
    return spans


def write_week(week: Sequence[Sequence[Span]]) -> list[list[list[str]]]:
    """Return the hours as they are stored; an empty list for none."""
    if not any(week):
        return []
    return [[[write_minutes(at) for at in span] for span in day] for day in week]


def merge_spans(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans of a day in order, those that meet or overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def split_at_midnight(days: Sequence[Sequence[Span]]) -> Week:
    """Return the week in which hours past midnight belong to the next day from 0:00 on.

    In what is given they end after DAY.
    """
    week: list[list[Span]] = [[] for _ in range(DAYS)]
    for number, spans in enumerate(days):
        for start, end in spans:
            week[number].append((start, min(end, DAY)))
            if end > DAY:
                week[(number + 1) % DAYS].append((0, end - DAY))
    return tuple(merge_spans(day) for day in week)


def join_at_midnight(week: Week) -> list[list[Span]]:
    """Return the days as people say them: an evening that goes on after midnight is one span.

    Undone by `split_at_midnight`. Only what ends before it began, by the clock, is joined.
    """
    days = [list(day) for day in week]
    for number, day in enumerate(week):
        later = week[(number + 1) % DAYS]
        if not day or not later or day[-1][1] != DAY or later[0][0] != 0:
            continue
        start, end = day[-1][0], later[0][1]
        if end < start and end < DAY:
            days[number][-1] = start, DAY + end
            days[(number + 1) % DAYS].remove((0, end))
    return days
