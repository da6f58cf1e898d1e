"""Find out when an inbox is open and closed, also across a change of the clocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from inboxes.hours.public_holidays import holidays_of
from inboxes.hours.weekly import DAY, Week, read_week
from inboxes.models import Inbox
from inboxes.models.inboxes import EPOCH
from inboxes.times import zone_names

# An inbox that is closed for longer counts as closed for good.
FURTHEST = timedelta(days=366)
_ONE_DAY = timedelta(days=1)


class ClosedPeriod(NamedTuple):
    """Hold when an inbox closed, and when it opens: None if that is not within a year.

    One that has not been open for a year closed at the epoch.
    """

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Hours:
    """Hold when an inbox is open. Without weekly hours it is never closed."""

    week: Week
    zone: ZoneInfo
    closed_days: frozenset[date] = frozenset()
    holiday_region: str = ""

    @classmethod
    def of(cls, inbox: Inbox) -> Hours:
        """Return the hours of an inbox; one query, and none for an inbox without hours."""
        if not inbox.weekly_hours:
            return cls.from_columns([], "", "", ())
        days = inbox.closed_days.values_list("date", flat=True)
        return cls.from_columns(inbox.weekly_hours, inbox.time_zone, inbox.holiday_region, days)

    @classmethod
    def from_columns(
        cls, weekly_hours: object, zone: str, holiday_region: str, closed_days: Collection[date]
    ) -> Hours:
        return cls(
            read_week(weekly_hours), find_zone(zone), frozenset(closed_days), holiday_region
        )

    def __bool__(self) -> bool:
        """Return True if the inbox has hours."""
        return bool(self.week)

    def is_open(self, at: datetime) -> bool:
        return self.closed_period(at) is None

    def closed_period(self, at: datetime) -> ClosedPeriod | None:
        """Return the closed period that the instant is in; None while it is open."""
        if not self.week:
            return None
        today = at.astimezone(self.zone).date()
        if any(start <= at < end for start, end in self._open_around(today)):
            return None
        days = (today + number * _ONE_DAY for number in range(-1, FURTHEST.days + 2))
        starts = (start for day in days for start, _ in self._open_on(day))
        opens = next((start for start in starts if at < start <= at + FURTHEST), None)
        return ClosedPeriod(self._closed_since(at, today), opens)

    def next_change(self, at: datetime) -> datetime | None:
        """Return when it closes or opens next; None if that is not within a year."""
        if not self.week:
            return None
        today = at.astimezone(self.zone).date()
        periods = self._open_from(today - _ONE_DAY)
        changes = (change for period in periods for change in period)
        return next((change for change in changes if at < change <= at + FURTHEST), None)

    def closing_reason(self, day: date) -> str:
        """Return "closed day" or "holiday" if it is closed on that day whatever its weekday."""
        if day in self.closed_days:
            return "closed day"
        is_holiday = bool(self.holiday_region) and day in holidays_of(
            self.holiday_region, day.year
        )
        return "holiday" if is_holiday else ""

    def _open_around(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for number in (-1, 0, 1):
            yield from self._open_on(day + number * _ONE_DAY)

    def _closed_since(self, at: datetime, today: date) -> datetime:
        """Return when it was open last before `at`."""
        for back in range(-1, FURTHEST.days):
            ended = [end for _, end in self._open_on(today - back * _ONE_DAY) if end <= at]
            if ended:
                return max(ended)
        return EPOCH

    def _open_from(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield when it is open from that day on, for a year; what meets at midnight is one."""
        last: tuple[datetime, datetime] | None = None
        for number in range(FURTHEST.days + 2):
            for start, end in self._open_on(day + number * _ONE_DAY):
                if last is not None and start <= last[1]:
                    last = last[0], max(last[1], end)
                    continue
                if last is not None:
                    yield last
                last = start, end
        if last is not None:
            yield last

    def _open_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield when it is open on a day of its own calendar.

        A day that the zone skips yields nothing, and neither do hours that a change of the clocks
        leaves out.
        """
        if self.closing_reason(day):
            return
        for opens, closes in self.week[day.weekday()]:
            start = first_instant(day, opens, self.zone)
            end = last_instant(day, closes, self.zone)
            if start < end:
                yield start, end


def load_holidays() -> int:
    """Load the public holidays on which inboxes answer, and return of how many regions.

    The first time takes more than a tenth of a second in a process. A text that comes in would
    wait for it while its inbox is locked.
    """
    answering = Inbox.objects.filter(answers_when_closed=True).exclude(holiday_region="")
    year = timezone.now().year
    regions = list(answering.values_list("holiday_region", flat=True).distinct())
    for region in regions:
        holidays_of(region, year)
    return len(regions)


def find_zone(name: str) -> ZoneInfo:
    """Return the zone of that name, or the installation's."""
    return ZoneInfo(name if name in zone_names() else settings.TIME_ZONE)


def first_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return when the clocks first show that time of the day, or a later one if they skip it."""
    wall = _wall_clock(day, minutes)
    instant = _to_instant(wall, zone, fold=0)
    if _shows(instant, zone) == wall:
        return instant
    return _end_of_gap(wall, zone)


def last_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return when the clocks reach that time of the day for good.

    Where an hour comes twice, a time in it is reached for good the second time. The first time
    counts if the clocks are set back to just that time: then it was never left behind.
    """
    wall = _wall_clock(day, minutes)
    instant = _to_instant(wall, zone, fold=1)
    if _shows(instant, zone) != wall:
        return _end_of_gap(wall, zone)
    if _shows(instant - timedelta(seconds=1), zone) < wall:
        return instant
    return _to_instant(wall, zone, fold=0)


def _wall_clock(day: date, minutes: int) -> datetime:
    """Return what the clocks show then; midnight at the end of a day is the next day's."""
    if minutes == DAY:
        return datetime.combine(day + _ONE_DAY, time())
    return datetime.combine(day, time(minutes // 60, minutes % 60))


def _to_instant(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _shows(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks show at that instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when the clocks are set forward over that time, to the second."""
    # By the offset after the change it would be before the change, and the other way round.
    before, after = (_to_instant(wall, zone, fold=fold) for fold in (1, 0))
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if _shows(before + timedelta(seconds=middle), zone) >= wall:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)
