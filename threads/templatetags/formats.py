"""Times and names as the pages write them; `static/js/shared/times.js` writes times alike."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Literal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

Style = Literal["row", "bubble", "day", "wait", "hour"]

# Not from the locale, because the browser's script has to write the same words.
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
]  # fmt: skip


@register.simple_tag(name="when")
def time_element(at: datetime | None, style: Style) -> SafeString:
    """Return a `<time>` element.

    Styles for the past: `row` in a list, `bubble` for the clock alone, `day` for a heading. For
    the future: `wait` for how long it takes until then, `hour` for the day and the clock.
    """
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    if style == "wait":
        words = _format_wait(at)
    elif style == "hour":
        words = _format_future(local)
    else:
        words = _format_clock(local) if style == "bubble" else _format_past(local, style)
    return format_html(
        '<time datetime="{}" data-time="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        style,
        words,
    )


@register.filter(name="since")
def format_since(at: datetime | None) -> str:
    """Return the month in which something began, as in "First contact in March"."""
    if at is None:
        return ""
    day, today = timezone.localtime(at).date(), timezone.localdate()
    if day == today:
        return "today"
    month = _MONTHS[day.month - 1]
    return f"in {month}" if day.year == today.year else f"in {month} {day.year}"


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first word and of the last, for an avatar."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def day_key(at: datetime) -> str:
    return timezone.localtime(at).date().isoformat()


@register.filter(name="unix")
def unix_seconds(at: datetime) -> int:
    return int(at.timestamp())


def _format_clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def _format_wait(at: datetime) -> str:
    minutes = math.ceil((at - timezone.now()).total_seconds() / 60)
    if minutes <= 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 90 else f"about {math.ceil(minutes / 60)} h"


def _format_future(local: datetime) -> str:
    ahead = (local.date() - timezone.localdate()).days
    if ahead in {0, 1}:
        return f"{'Tomorrow' if ahead else 'Today'}, {_format_clock(local)}"
    weekday = _WEEKDAYS[local.weekday()][:3]
    year = "" if local.year == timezone.localdate().year else f" {local.year}"
    return f"{weekday} {local.day} {_MONTHS[local.month - 1][:3]}{year}, {_format_clock(local)}"


def _format_past(local: datetime, style: Style) -> str:
    day, today = local.date(), timezone.localdate()
    age = (today - day).days
    if age == 0:
        return _format_clock(local) if style == "row" else "Today"
    if age == 1:
        return "Yesterday"
    weekday = _WEEKDAYS[day.weekday()]
    if 1 < age < 7:
        return weekday[:3] if style == "row" else weekday
    return _format_date(day, today, style, weekday)


def _format_date(day: date, today: date, style: Style, weekday: str) -> str:
    month = _MONTHS[day.month - 1]
    year = "" if day.year == today.year else f" {day.year}"
    if style == "row":
        return f"{day.day} {month[:3]}{year}"
    return f"{weekday}, {day.day} {month}{year}"
