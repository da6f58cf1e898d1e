"""List the time zones that one can choose from."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import timezone

from inboxes.times import zone_names

_REGIONS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe",
    "Indian", "Pacific",
)  # fmt: skip

Choices = list[tuple[str, list[tuple[str, str]]]]


def zone_choices() -> Choices:
    """Return the zones by region, each with its city and its distance from UTC today."""
    return _choices_at(timezone.now().replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=2)
def _choices_at(at: datetime) -> Choices:
    zones = sorted(name for name in zone_names() if name.partition("/")[0] in _REGIONS)
    grouped = groupby(zones, key=lambda name: name.partition("/")[0])
    choices = [(region, [(name, _label(name, at)) for name in names]) for region, names in grouped]
    return [*choices, ("Other", [("UTC", "UTC")])]


def _label(name: str, at: datetime) -> str:
    city = name.partition("/")[2].replace("_", " ").replace("/", ", ")
    offset = at.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    return f"{city} (UTC{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02})"
