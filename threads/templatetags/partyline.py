"""How times, days and runs of messages are written, as `static/js/shared/times.js` writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

Style = Literal["row", "bubble", "day", "wait", "hour"]

# Not from the locale: the browser's script writes the same words, and the two may not differ.
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
]  # fmt: skip
# Messages of one author that follow each other within this time share one line of particulars.
RUN = timedelta(minutes=5)


@register.simple_tag
def when(at: datetime | None, style: Style) -> SafeString:
    """A `<time>` element: `row` for a list, `bubble` for the clock alone, `day` for a heading;
    of what is to come, `wait` for how long until then and `hour` for when."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    if style == "wait":
        words = _wait(at)
    elif style == "hour":
        words = _hour(local)
    else:
        words = _clock(local) if style == "bubble" else _words(local, style)
    return format_html(
        '<time datetime="{}" data-time="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        style,
        words,
    )


@register.filter
def since(at: datetime | None) -> str:
    """The month in which something began, as in "with you since March"."""
    if at is None:
        return ""
    day, today = timezone.localtime(at).date(), timezone.localdate()
    if day == today:
        return "today"
    month = _MONTHS[day.month - 1]
    return month if day.year == today.year else f"{month} {day.year}"


@register.filter
def initials(name: str) -> str:
    """Two letters for the round sign of a person: of the first word and of the last."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def day_key(at: datetime) -> str:
    return timezone.localtime(at).date().isoformat()


@register.filter
def unix(at: datetime) -> int:
    return int(at.timestamp())


@dataclass(frozen=True)
class Arranged:
    """An entry with what its neighbours make of it."""

    entry: Any
    opens_day: bool
    """A heading with the day stands before it."""
    follows: bool
    """Its author wrote the one before, just now: they stand close together."""
    is_joined: bool
    """The next one carries the particulars for both."""

    @property
    def classes(self) -> str:
        """Return the CSS classes for its neighbours, each behind a space."""
        return f"{' follows' if self.follows else ''}{' joined' if self.is_joined else ''}"


@register.filter
def arranged(entries: list[Any]) -> list[Arranged]:
    """Days and runs, for the first load; the browser does it again when messages come in."""
    found: list[Arranged] = []
    for index, entry in enumerate(entries):
        before = entries[index - 1] if index else None
        after = entries[index + 1] if index + 1 < len(entries) else None
        found.append(
            Arranged(
                entry=entry,
                opens_day=before is None or not _same_day(before.message, entry.message),
                follows=before is not None
                and not entry.is_first_new
                and _is_run(before.message, entry.message),
                is_joined=after is not None
                and not after.is_first_new
                and _is_run(entry.message, after.message)
                and entry.message.state == after.message.state
                and entry.message.is_late == after.message.is_late
                and entry.message.state not in {"failed", "unknown"},
            )
        )
    return found


def _same_day(one: Any, other: Any) -> bool:
    return timezone.localtime(one.shown_at).date() == timezone.localtime(other.shown_at).date()


def _is_run(one: Any, other: Any) -> bool:
    return (
        one.kind == other.kind
        and one.author_id == other.author_id
        and other.shown_at - one.shown_at < RUN
        and _same_day(one, other)
    )


def _clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def _wait(at: datetime) -> str:
    minutes = math.ceil((at - timezone.now()).total_seconds() / 60)
    if minutes <= 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 90 else f"about {math.ceil(minutes / 60)} h"


def _hour(local: datetime) -> str:
    ahead = (local.date() - timezone.localdate()).days
    if ahead in {0, 1}:
        return f"{'Tomorrow' if ahead else 'Today'}, {_clock(local)}"
    weekday = _WEEKDAYS[local.weekday()][:3]
    year = "" if local.year == timezone.localdate().year else f" {local.year}"
    return f"{weekday} {local.day} {_MONTHS[local.month - 1][:3]}{year}, {_clock(local)}"


def _words(local: datetime, style: Style) -> str:
    day, today = local.date(), timezone.localdate()
    age = (today - day).days
    if age == 0:
        return _clock(local) if style == "row" else "Today"
    if age == 1:
        return "Yesterday"
    weekday = _WEEKDAYS[day.weekday()]
    if 1 < age < 7:
        return weekday[:3] if style == "row" else weekday
    return _date(day, today, style, weekday)


def _date(day: date, today: date, style: Style, weekday: str) -> str:
    month = _MONTHS[day.month - 1]
    year = "" if day.year == today.year else f" {day.year}"
    if style == "row":
        return f"{day.day} {month[:3]}{year}"
    return f"{weekday}, {day.day} {month}{year}"
