"""Word times as `static/js/shared/times.js` does: in English, with the clock, the order and the
time zone of whoever reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import cache, lru_cache
from typing import Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

Style = Literal[
    "row", "bubble", "day", "wait", "hour", "inline", "until", "opening", "past", "date", "month"
]

LONGEST_LANGUAGE = 35  # RFC 5646 asks for room for that many characters
LONGEST_ZONE = 64
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", re.IGNORECASE)

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conventions:
    """Hold how a language and country write times. Monday is day 0."""

    has_12_hours: bool = True
    has_month_first: bool = True
    first_workday: int = 0


AMERICAN = Conventions()
# The English of the administration whose formats, in config/formats/, fit a clock of 12 hours or
# not, and the month first or not.
FORMAT_LANGUAGES = {
    (True, True): "en-us",
    (True, False): "en-in",
    (False, True): "en-jp",
    (False, False): "en-gb",
}
_current: ContextVar[Conventions] = ContextVar("conventions", default=AMERICAN)


def is_language(tag: str) -> bool:
    """Return True for a tag as browsers name a language, like `en-GB`; it need not be known."""
    return len(tag) <= LONGEST_LANGUAGE and _LANGUAGE.fullmatch(tag) is not None


@cache
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=200)
def read_conventions(language: str) -> Conventions:
    """Return what the Unicode locale data say of a language tag; those of the United States if
    it is unknown."""
    locale = _find_locale(language)
    if locale is None:
        return AMERICAN
    pattern = str(locale.datetime_skeletons["MMMMd"].pattern)
    months = [pattern.index(letter) for letter in "ML" if letter in pattern]
    return Conventions(
        has_12_hours=any(letter in str(locale.time_formats["short"].pattern) for letter in "hK"),
        has_month_first=bool(months) and months[0] < pattern.index("d"),
        first_workday=(locale.weekend_end + 1) % 7,
    )


def _find_locale(language: str) -> Locale | None:
    parts = re.split("-[ux]-", language.lower(), maxsplit=1)[0].split("-")
    for tag in ("-".join(parts), parts[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


@contextmanager
def reading(language: str, zone: str) -> Iterator[None]:
    """Word times for a reader. What is not known of them is the installation's."""
    conventions = read_conventions(language) if is_language(language) else AMERICAN
    token = _current.set(conventions)
    try:
        with (
            timezone.override(ZoneInfo(zone if zone in zone_names() else settings.TIME_ZONE)),
            translation.override(
                FORMAT_LANGUAGES[conventions.has_12_hours, conventions.has_month_first]
            ),
        ):
            yield
    finally:
        _current.reset(token)


def current_conventions() -> Conventions:
    return _current.get()


def name_zone(zone: tzinfo | None = None) -> str:
    """Return a zone's name as people say it, as "New York time"; by default the reader's."""
    key = str(zone or timezone.get_current_timezone())
    city = name_city(key)
    return city if key.startswith("Etc/") or "/" not in key else f"{city} time"


def name_city(zone: tzinfo | str) -> str:
    """Return the city that a zone is named after."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def time_element(at: datetime | None, style: Style) -> SafeString:
    """Return a `<time>` element, which the page words again in the browser's time zone.

    Styles for the past: `row` in a list, `bubble` for the clock alone, `day` for a heading,
    `past` in a sentence, `date` and `month` without the clock. For the future: `wait` for how
    long it takes until then, `hour` for the day and the clock, `inline` for the same in a
    sentence, `until` for as few words as will do, and `opening` for when an inbox opens. Its title
    is the full date.
    """
    if at is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" data-time="{}" title="{}">{}</time>',
        timezone.localtime(at).isoformat(timespec="seconds"),
        style,
        format_full(at),
        format_time(at, style),
    )


class TimedSentence(str):
    """A sentence that tells a time in HTML, where the page can word it, and not in plain text."""

    html: SafeString

    def __new__(cls, before: str, at: datetime, after: str) -> Self:
        sentence = super().__new__(cls, f"{before}{after}")
        sentence.html = format_html("{} {}{}", before, time_element(at, "past"), after)
        return sentence

    def __html__(self) -> str:
        return self.html


def format_full(at: datetime) -> str:
    """Return the whole date with the clock and the time zone."""
    local = timezone.localtime(at)
    return (
        f"{WEEKDAYS[local.weekday()]}, {_format_day(local, has_year=True)}"
        f" at {format_clock(local)}, {name_zone()}"
    )


def format_clock(local: datetime | time) -> str:
    if not current_conventions().has_12_hours:
        return f"{local:%H:%M}"
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"


def format_minutes(since_midnight: int) -> str:
    """Return what a clock shows so many minutes after midnight."""
    return format_clock(time(since_midnight // 60, since_midnight % 60))


def format_time(at: datetime, style: Style) -> str:
    """Return the words of a time in one of the styles of `time_element`."""
    local, today = timezone.localtime(at), timezone.localdate()
    match style:
        case "bubble":
            return format_clock(local)
        case "wait":
            return _format_wait(at)
        case "hour" | "inline":
            words = _format_future(local, today)
            return _lower_today(words) if style == "inline" else words
        case "until":
            return _format_until(local, today)
        case "opening":
            return format_opening(at, before_clock=", ")
        case "past":
            return _format_in_sentence(local, today)
        case "date":
            return _format_day(local, has_year=True, is_short=True)
        case "month":
            return _format_month(local.date(), today)
        case "row" | "day":
            return _format_past(local, today, is_short=style == "row")


def _format_wait(at: datetime) -> str:
    minutes = math.ceil((at - timezone.now()).total_seconds() / 60)
    if minutes <= 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 90 else f"about {math.ceil(minutes / 60)} h"


def format_duration(minutes: int) -> str:
    """Return how long that is, in the largest unit that needs no fraction: "90 minutes"."""
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            number = minutes // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "a while"


def format_day(day: date) -> str:
    """Return a day of the calendar, which no time zone moves."""
    return _format_day(day, has_year=True, is_short=True)


def _format_day(day: date, *, has_year: bool, is_short: bool = False) -> str:
    month = MONTHS[day.month - 1][: 3 if is_short else None]
    if not current_conventions().has_month_first:
        return f"{day.day} {month}{f' {day.year}' if has_year else ''}"
    return f"{month} {day.day}{f', {day.year}' if has_year else ''}"


def format_date(day: date) -> str:
    """Return a day with its weekday, and with the year if it is another one: "Friday, December
    25"."""
    has_year = day.year != timezone.localdate().year
    return f"{WEEKDAYS[day.weekday()]}, {_format_day(day, has_year=has_year)}"


def _format_future(local: datetime, today: date) -> str:
    ahead = (local.date() - today).days
    clock = format_clock(local)
    if ahead in {0, 1}:
        return f"{'Tomorrow' if ahead else 'Today'}, {clock}"
    day = _format_day(local, has_year=local.year != today.year, is_short=True)
    return f"{WEEKDAYS[local.weekday()][:3]}, {day}, {clock}"


def _format_until(local: datetime, today: date) -> str:
    ahead = (local.date() - today).days
    if ahead == 0:
        return format_clock(local).replace(":00 ", " ")
    if ahead == 1:
        return "tomorrow"
    if 1 < ahead < 7:
        return WEEKDAYS[local.weekday()][:3]
    return _format_day(local, has_year=local.year != today.year, is_short=True)


def format_opening(at: datetime, *, before_clock: str = " at ") -> str:
    """Return when an inbox opens, in a sentence: "tomorrow at 8:00 AM", "Monday at 8:00 AM".

    `before_clock` stands between the day and the clock; today the clock is enough.
    """
    local, today = timezone.localtime(at), timezone.localdate()
    ahead, clock = (local.date() - today).days, format_clock(local)
    if ahead == 0:
        return f"{before_clock.lstrip(', ')}{clock}"
    if ahead == 1:
        day = "tomorrow"
    elif 1 < ahead < 7:
        day = WEEKDAYS[local.weekday()]
    else:
        day = format_date(local.date())
    return f"{day}{before_clock}{clock}"


def _lower_today(words: str) -> str:
    return words[0].lower() + words[1:] if words.startswith(("Today", "Tomorrow")) else words


def _format_in_sentence(local: datetime, today: date) -> str:
    age, clock = (today - local.date()).days, format_clock(local)
    if age in {0, 1}:
        return f"{'yesterday' if age else 'today'} at {clock}"
    return f"on {_format_day(local, has_year=local.year != today.year)} at {clock}"


def _format_month(day: date, today: date) -> str:
    if day == today:
        return "today"
    month = MONTHS[day.month - 1]
    return f"in {month}" if day.year == today.year else f"in {month} {day.year}"


def _format_past(local: datetime, today: date, *, is_short: bool) -> str:
    day = local.date()
    age = (today - day).days
    if age == 0:
        return format_clock(local) if is_short else "Today"
    if age == 1:
        return "Yesterday"
    weekday = WEEKDAYS[day.weekday()]
    if 1 < age < 7:
        return weekday[:3] if is_short else weekday
    words = _format_day(day, has_year=day.year != today.year, is_short=is_short)
    return words if is_short else f"{weekday}, {words}"
