"""Tell what time it is for a contact, and whether a text would come at a quiet hour.

The zones of a contact are those that their number allows, or the one that a member has chosen.
Laws and manners ask that businesses text people between 8 and 21 of their own day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers import timezone as number_zones

from inboxes import times

MORNING = time(8)
EVENING = time(21)

Reach = Literal["everywhere", "somewhere", "nowhere"]

# Other kinds, such as toll-free numbers, belong to no place.
_KINDS_OF_PEOPLE = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
}


def possible_zones(address: str, chosen: str = "") -> tuple[ZoneInfo, ...]:
    """Return the time zones that a contact may be in; none if nothing is known.

    `chosen` is the name of the zone that a member gave the contact, which then is the only one.
    """
    if chosen in times.zone_names():
        return (ZoneInfo(chosen),)
    return _zones_of_number(address) if address.startswith("+") else ()


@lru_cache(4_096)
def _zones_of_number(address: str) -> tuple[ZoneInfo, ...]:
    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException:
        return ()
    if phonenumbers.number_type(number) not in _KINDS_OF_PEOPLE:
        return ()
    names = number_zones.time_zones_for_number(number)
    return tuple(ZoneInfo(name) for name in names if name in times.zone_names())


def is_quiet(zone: ZoneInfo, at: datetime) -> bool:
    """Return True if it is before 8 or from 21 on there."""
    return not MORNING <= at.astimezone(zone).time() < EVENING


def find_quiet(zones: Sequence[ZoneInfo], at: datetime) -> Reach:
    """Return in how many of the zones the moment is quiet; without zones, nowhere."""
    quiet = [is_quiet(zone, at) for zone in zones]
    if not any(quiet):
        return "nowhere"
    return "everywhere" if all(quiet) else "somewhere"


def next_morning(zones: Sequence[ZoneInfo], after: datetime) -> datetime | None:
    """Return the first moment after that one when it is 8:00 in a zone and quiet in none.

    None if the zones are so far apart that one of them always sleeps.
    """
    mornings = sorted(moment for zone in zones for moment in _mornings(zone, after))
    return next((one for one in mornings if find_quiet(zones, one) == "nowhere"), None)


def zone_of_morning(zones: Sequence[ZoneInfo], at: datetime | None) -> ZoneInfo | None:
    """Return the first zone in which it is 8:00 then."""
    if at is None:
        return None
    return next((zone for zone in zones if at.astimezone(zone).time() == MORNING), None)


def _mornings(zone: ZoneInfo, after: datetime) -> Collection[datetime]:
    """Return the moments of 8:00 in the next three days.

    A day or an hour that the clocks skip has none: the moment would have another clock.
    """
    today = after.astimezone(zone).date()
    moments = (
        datetime.combine(today + timedelta(days=day), MORNING, zone).astimezone(UTC)
        for day in range(4)
    )
    return [
        moment
        for moment in moments
        if moment > after and moment.astimezone(zone).time() == MORNING
    ]


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Hold what time it is for a contact, as their details show it.

    `zones` has one zone for each time that it may be there, the earliest time first.
    """

    zones: tuple[ZoneInfo, ...]
    at: datetime
    is_guessed: bool

    @property
    def names(self) -> str:
        """Return the names of the zones, from which a page words the time anew."""
        return " ".join(str(zone) for zone in self.zones)

    @property
    def words(self) -> str:
        """Return the time there: "10:12 PM", or "7:12 to 10:12 PM" where it isn't certain."""
        clocks = [times.format_clock(self.at.astimezone(zone)) for zone in self.zones]
        return clocks[0] if len(clocks) == 1 else f"{clocks[0]} to {clocks[-1]}"

    @property
    def place(self) -> str:
        return times.name_zone(self.zones[0]) if len(self.zones) == 1 else ""


def read_local_time(address: str, chosen: str, at: datetime) -> LocalTime | None:
    """Return what time it is for a contact, or None if nobody can tell."""
    found = possible_zones(address, chosen)
    if not found:
        return None
    return LocalTime(distinct_zones(found, at), at, is_guessed=not chosen)


def distinct_zones(zones: Sequence[ZoneInfo], at: datetime) -> tuple[ZoneInfo, ...]:
    """Return the first zone for each clock that they show at that moment, the earliest first."""
    by_clock = {at.astimezone(zone).replace(tzinfo=None): zone for zone in reversed(zones)}
    return tuple(by_clock[clock] for clock in sorted(by_clock))
