"""Public holidays of a country, or of a part of it, from the library `holidays`.

A region is a country's two letters, as US, or these with a part of it, as US-CA.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from types import ModuleType

from babel import Locale

LONGEST_REGION = 16


def is_region(region: str) -> bool:
    country, dash, part = region.partition("-")
    if len(region) > LONGEST_REGION or country not in _parts_by_country():
        return False
    return part in _parts_by_country()[country] if dash else True


@cache
def list_countries() -> tuple[tuple[str, str], ...]:
    """Return each country's letters and its English name, by name."""
    names = Locale("en").territories
    return tuple(
        sorted(((country, names[country]) for country in _parts_by_country()), key=lambda c: c[1])
    )


@lru_cache(maxsize=50)
def list_parts(country: str) -> tuple[tuple[str, str], ...]:
    """Return the regions of a country that has several, and their names, by name."""
    parts = _parts_by_country().get(country, ())
    if not parts:
        return ()
    aliases = _import_library().country_holidays(country).get_subdivision_aliases()
    named = []
    for part in parts:
        # Some aliases are codes of other lists; the name has small letters.
        names = [name for name in aliases.get(part, ()) if not name.isupper()]
        named.append((f"{country}-{part}", names[0] if names else part))
    return tuple(sorted(named, key=lambda one: one[1]))


def name_region(region: str) -> str:
    """Return the name as people say it: California, United States."""
    country, _, part = region.partition("-")
    name = dict(list_countries()).get(country, country)
    if not part:
        return name
    return f"{dict(list_parts(country)).get(region, part)}, {name}"


@lru_cache(maxsize=200)
def holidays_of(region: str, year: int) -> dict[date, str]:
    """Return the names of the year's holidays by date, in English where the library knows it."""
    if not is_region(region):
        return {}
    country, _, part = region.partition("-")
    library = _import_library()
    languages = library.country_holidays(country).supported_languages
    english = next((one for one in languages if one.startswith("en")), None)
    found = library.country_holidays(country, subdiv=part or None, years=year, language=english)
    return dict(sorted(found.items()))


def next_holidays(region: str, since: date, count: int) -> list[tuple[date, str]]:
    """Return the next holidays from the day on."""
    days = (pair for year in (since.year, since.year + 1) for pair in _pairs(region, year))
    coming = [(day, name) for day, name in days if day >= since]
    return coming[:count]


def _pairs(region: str, year: int) -> Iterator[tuple[date, str]]:
    yield from holidays_of(region, year).items()


@cache
def _parts_by_country() -> dict[str, tuple[str, ...]]:
    """Return the parts of each country that the library knows, without its other names."""
    names = Locale("en").territories
    return {
        country: tuple(part for part in parts if len(f"{country}-{part}") <= LONGEST_REGION)
        for country, parts in _import_library().list_supported_countries().items()
        if len(country) == 2 and country in names
    }


def _import_library() -> ModuleType:
    """Import the library when it is needed: it takes a tenth of a second, and most inboxes have no
    holidays."""
    import holidays

    return holidays
