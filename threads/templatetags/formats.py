"""Times and names as the pages write them."""

from __future__ import annotations

from datetime import datetime, time

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes import times
from threads.direction import isolate_direction

register = template.Library()


@register.simple_tag(name="when")
def time_element(at: datetime | None, style: times.Style) -> SafeString:
    """Return a `<time>` element in one of the styles of `inboxes.times.time_element`."""
    return times.time_element(at, style)


@register.simple_tag(name="time_zone")
def name_zone() -> str:
    """Return the name of the time zone in which the server words times."""
    return times.name_zone()


@register.simple_tag(name="clock")
def clock_element(hour: str) -> SafeString:
    """Return a time of no special day, which the page words again with the browser's clock."""
    words = times.format_clock(time.fromisoformat(hour))
    return format_html('<span data-clock="{}">{}</span>', hour, words)


@register.simple_tag
def first_workday() -> str:
    """Return the weekday after the reader's weekend."""
    return times.WEEKDAYS[times.current_conventions().first_workday]


register.filter("isolated", isolate_direction)


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first word and of the last, for an avatar.

    What stands before the letters of a word is left out, as is a word without any. A name without
    letters has its first digit.
    """
    firsts = [next(filter(str.isalpha, word), "") for word in name.split()]
    letters = [letter for letter in firsts if letter] or [*filter(str.isalnum, name)][:1]
    return "".join(letters[:1] + letters[1:][-1:]).upper()


@register.filter
def thousands(count: int) -> str:
    """Return a number as people write it, like 1,284."""
    return f"{count:,}"


@register.filter
def break_at_sign(email: str) -> SafeString:
    """Return an e-mail address that breaks behind its @ where it does not fit into a line."""
    name, sign, host = email.rpartition("@")
    return format_html("{}{}<wbr>{}", name, sign, host)


@register.filter
def day_key(at: datetime) -> str:
    return timezone.localtime(at).date().isoformat()


@register.filter(name="unix")
def unix_seconds(at: datetime) -> int:
    return int(at.timestamp())
