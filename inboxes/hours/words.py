"""Say in words when an inbox is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from inboxes.hours.opening import Hours
from inboxes.hours.public_holidays import name_region
from inboxes.hours.weekly import DAY, DAYS, Span, Week, join_at_midnight
from inboxes.times import WEEKDAYS, format_minutes, format_opening, name_zone, reading

LATER = "later"


def describe_hours(hours: Hours) -> str:
    """Return how weekly hours read: a sentence for the days, one for the rest."""
    if not hours:
        return "No hours: never closed."
    open_days = "; ".join(
        f"{_name_days(days)} {_list_in_words([_describe_span(span) for span in spans])}"
        for days, spans in _group_days(hours.week)
    )
    return f"Open {open_days} ({name_zone(hours.zone)}).{_describe_closed(hours)}"


def _describe_closed(hours: Hours) -> str:
    joined = join_at_midnight(hours.week)
    parts = [WEEKDAYS[number] for number in range(DAYS) if not joined[number]]
    if hours.holiday_region:
        parts.append(f"public holidays ({name_region(hours.holiday_region)})")
    return f" Closed on {_list_in_words(parts)}." if parts else ""


def _group_days(week: Week) -> Iterator[tuple[list[int], Sequence[Span]]]:
    """Yield runs of days that have the same hours, and these; closed days are left out."""
    joined = join_at_midnight(week)
    for spans, numbers in groupby(range(DAYS), key=lambda number: joined[number]):
        if spans:
            yield list(numbers), spans


def _name_days(days: Sequence[int]) -> str:
    """Return "Monday to Friday", "Saturday and Sunday" or "every day"."""
    if len(days) == DAYS:
        return "every day"
    names = [WEEKDAYS[day] for day in days]
    if len(names) > 2:
        return f"{names[0]} to {names[-1]}"
    return " and ".join(names)


def _describe_span(span: Span) -> str:
    start, end = span
    if (start, end) == (0, DAY):
        return "all day"
    closes = "midnight" if end == DAY else format_minutes(end % DAY)
    opens = "midnight" if start == 0 else format_minutes(start)
    return f"{opens} to {closes}"


def _list_in_words(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def opening_in_words(hours: Hours, opens: datetime | None) -> str:
    """Return when it opens, as a customer reads it: "tomorrow at 8:00 AM".

    In the zone of the hours, and with the clock of its country.
    """
    if opens is None:
        return LATER
    zone = str(hours.zone)
    with reading(language_of_zone(zone), zone):
        return format_opening(opens)


@lru_cache(maxsize=200)
def language_of_zone(zone: str) -> str:
    """Return the language of most people where the zone is, as "de-DE"; "" if it is unknown."""
    territory = get_global("zone_territories").get(zone, "")
    try:
        found = Locale.parse(f"und_{territory}")
    except (UnknownLocaleError, ValueError):
        return ""
    return f"{found.language}-{territory}"
