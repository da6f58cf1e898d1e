"""An inbox is open by the clock of its own zone, also on the days when clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inboxes.hours.opening import ClosedPeriod, Hours
from inboxes.hours.weekly import (
    DAY,
    NO_HOURS,
    Week,
    join_at_midnight,
    merge_spans,
    read_week,
    split_at_midnight,
    write_week,
)
from inboxes.models.inboxes import EPOCH
from tests.cast import Cast

MICROSECOND = timedelta(microseconds=1)

# A busy machine is no reason to fail.
ANY_SPEED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}

# With a year in which they change their clocks, some by half an hour or two, some at midnight, one
# a minute after it; Samoa skipped a day.
ZONES = [
    ("America/New_York", 2026),
    ("Europe/Berlin", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Antarctica/Troll", 2026),
    ("Asia/Kathmandu", 2026),
    ("Asia/Beirut", 2026),
    ("Africa/Cairo", 2026),
    ("America/Havana", 2026),
    ("America/Santiago", 2026),
    ("America/Sao_Paulo", 2018),
    ("America/St_Johns", 2008),
    ("Pacific/Apia", 2011),
]

FIVE_MINUTES = st.integers(0, DAY // 5 - 1)
spans = st.tuples(FIVE_MINUTES, st.integers(1, DAY // 5)).map(
    lambda pair: (pair[0] * 5, min(pair[0] + pair[1], DAY // 5) * 5)
)
days = st.lists(spans, max_size=3).map(merge_spans)
weeks = st.tuples(days, days, days, days, days, days, days).filter(any)


@cache
def changes_of(zone: str, year: int) -> list[datetime]:
    """Return the hours of the year in which the zone changes its clocks, and a common one."""
    known = ZoneInfo(zone)
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24)]
    offsets = [hour.astimezone(known).utcoffset() for hour in hours]
    found = [b for b, x, y in zip(hours[1:], offsets, offsets[1:], strict=False) if x != y]
    return [*found, datetime(year, 6, 17, tzinfo=UTC)]


@st.composite
def situations(draw: st.DrawFn) -> tuple[Hours, datetime]:
    """Draw hours, and an instant not far from a change of the clocks."""
    zone, year = draw(st.sampled_from(ZONES))
    at = draw(st.sampled_from(changes_of(zone, year)))
    at += timedelta(minutes=draw(st.integers(-3 * DAY, 3 * DAY)))
    closed = draw(st.sets(st.integers(-2, 2), max_size=2))
    closed_days = frozenset(at.date() + timedelta(days=number) for number in closed)
    return Hours(draw(weeks), ZoneInfo(zone), closed_days), at


def is_within(hours: Hours, at: datetime) -> bool:
    """Return True if what the clocks show is within the hours."""
    local = at.astimezone(hours.zone)
    if local.date() in hours.closed_days:
        return False
    minutes = local.hour * 60 + local.minute
    return any(start <= minutes < end for start, end in hours.week[local.weekday()])


def is_shown_twice(hours: Hours, at: datetime) -> bool:
    local = at.astimezone(hours.zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@settings(max_examples=600, **ANY_SPEED)
@given(situations())
def test_it_is_open_when_its_clock_is_within_the_hours(given: tuple[Hours, datetime]) -> None:
    hours, at = given
    if is_within(hours, at):
        assert hours.is_open(at)
    else:  # an hour that comes twice does not close it in between
        assert not hours.is_open(at) or is_shown_twice(hours, at)


@settings(max_examples=300, **ANY_SPEED)
@given(situations(), st.floats(0, 0.999))
def test_a_closed_period_is_the_same_from_its_first_moment_to_its_last(
    given: tuple[Hours, datetime], part: float
) -> None:
    hours, at = given
    period = hours.closed_period(at)
    if period is None:
        return
    assert period.start <= at
    if period.start > EPOCH:
        assert hours.is_open(period.start - MICROSECOND)
        assert hours.closed_period(period.start) == period
    if period.end is not None:
        assert at < period.end
        assert hours.is_open(period.end)
        assert hours.closed_period(period.end - MICROSECOND) == period
        if period.start > EPOCH:
            inside = period.start + (period.end - period.start) * part
            assert hours.closed_period(min(inside, period.end - MICROSECOND)) == period


@settings(max_examples=150, **ANY_SPEED)
@given(situations(), st.floats(0, 0.999))
def test_nothing_changes_before_the_next_change(
    given: tuple[Hours, datetime], part: float
) -> None:
    hours, at = given
    change = hours.next_change(at)
    until = change or at + timedelta(days=300)
    assert hours.is_open(at + (until - at) * part) == hours.is_open(at)
    if change is not None:
        assert hours.is_open(change) != hours.is_open(change - MICROSECOND)


@settings(**ANY_SPEED)
@given(weeks)
def test_hours_past_midnight_read_as_one_evening_and_are_stored_as_two_days(week: Week) -> None:
    assert split_at_midnight(join_at_midnight(week)) == read_week(write_week(week))


def hours(*week: list[list[str]], zone: str = "America/New_York", closed: str = "") -> Hours:
    days = [date.fromisoformat(closed)] if closed else []
    return Hours.from_columns([*week], zone, "", days)


NINE_TO_FIVE = [[["09:00", "17:00"]]] * 5 + [[], []]


def utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def test_a_weekend_is_one_closed_period() -> None:
    found = hours(*NINE_TO_FIVE).closed_period(utc("2026-11-28T12:00"))
    assert found == ClosedPeriod(utc("2026-11-27T22:00"), utc("2026-11-30T14:00"))


def test_a_closed_day_makes_it_longer() -> None:
    found = hours(*NINE_TO_FIVE, closed="2026-11-30").closed_period(utc("2026-11-28T12:00"))
    assert found == ClosedPeriod(utc("2026-11-27T22:00"), utc("2026-12-01T14:00"))


def test_so_does_a_public_holiday_of_the_country_or_of_a_part_of_it() -> None:
    at = utc("2027-01-06T12:00")
    for region, is_open in [("DE-BY", False), ("DE", True), ("DE-BE", True), ("", True)]:
        found = Hours.from_columns(NINE_TO_FIVE, "Europe/Berlin", region, [])
        assert found.is_open(at) == is_open, region


def test_a_day_of_23_hours_has_the_same_hours_by_the_clock() -> None:
    # In New York, clocks skip from 2:00 to 3:00 on March 8, 2026.
    week = [*NINE_TO_FIVE[:6], [["01:00", "02:30"], ["04:00", "05:00"]]]
    found = hours(*week)
    assert found.closed_period(utc("2026-03-08T07:00")) == ClosedPeriod(
        utc("2026-03-08T07:00"), utc("2026-03-08T08:00")
    )
    assert found.is_open(utc("2026-03-08T06:59"))


def test_hours_that_the_clocks_skip_do_not_open_it() -> None:
    week = [*NINE_TO_FIVE[:6], [["02:10", "02:50"]]]
    found = hours(*week).closed_period(utc("2026-03-08T12:00"))
    assert found == ClosedPeriod(utc("2026-03-06T22:00"), utc("2026-03-09T13:00"))


def test_an_hour_that_comes_twice_does_not_close_it_in_between() -> None:
    # On November 1 the hour from 1:00 to 2:00 comes twice.
    week = [*NINE_TO_FIVE[:6], [["00:30", "01:30"]]]
    found = hours(*week)
    assert found.is_open(utc("2026-11-01T05:45"))  # 1:45, the first time
    assert found.is_open(utc("2026-11-01T06:15"))  # 1:15, the second time
    assert not found.is_open(utc("2026-11-01T06:30"))


def test_where_midnight_comes_twice_a_day_ends_at_the_first() -> None:
    # In Havana, clocks go from 1:00 back to 0:00 on November 1, 2026.
    week = [*NINE_TO_FIVE[:5], [["20:00", "24:00"]], []]
    found = hours(*week, zone="America/Havana")
    assert found.is_open(utc("2026-11-01T03:59"))
    assert not found.is_open(utc("2026-11-01T04:00"))


def test_an_inbox_that_never_opens_has_been_closed_for_ever() -> None:
    closed = [date(2026, 1, 1) + timedelta(days=number) for number in range(1200)]
    found = Hours.from_columns(NINE_TO_FIVE, "America/New_York", "", closed)
    assert found.closed_period(utc("2027-08-01T12:00")) == ClosedPeriod(EPOCH, None)
    assert found.next_change(utc("2027-08-01T12:00")) is None


def test_an_inbox_that_is_always_open_does_not_change() -> None:
    found = hours(*[[["00:00", "24:00"]]] * 7)
    assert found.closed_period(utc("2026-11-01T05:45")) is None
    assert found.next_change(utc("2026-11-01T05:45")) is None


@pytest.mark.parametrize(
    "stored",
    [
        [],
        [[]] * 7,
        [[["09:00", "17:00"]]],
        "Monday",
        {"Monday": 1},
        [[["9", "17"]]] * 7,
        [[["17:00", "09:00"]]] * 7,
        [[["09:00"]], 5, None, {}, [[None, None]], [["25:00", "26:00"]], [["09:60", "10:00"]]],
    ],
)
def test_an_inbox_without_hours_that_make_sense_is_never_closed(stored: object) -> None:
    assert read_week(stored) == NO_HOURS
    found = Hours.from_columns(stored, "", "", [])
    assert not found
    assert found.is_open(utc("2026-11-01T05:45"))


def test_an_inbox_has_its_own_hours_and_closed_days(cast: Cast) -> None:
    inbox = cast.front_desk
    assert not Hours.of(inbox)
    inbox.weekly_hours, inbox.time_zone = NINE_TO_FIVE, "Asia/Kathmandu"
    inbox.closed_days.create(date=date(2026, 11, 30))
    found = Hours.of(inbox)
    assert found.is_open(utc("2026-11-27T03:15"))
    assert not found.is_open(utc("2026-11-27T03:14"))
    assert not found.is_open(utc("2026-11-30T05:00"))


def test_a_zone_that_is_not_known_is_the_installations() -> None:
    assert hours(*NINE_TO_FIVE, zone="Mars/Olympus").is_open(utc("2026-11-27T09:00"))
