"""Narrow the list of contacts, order it, and point at places in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from inboxes.integers import read_integer
from threads.cursors import Cursor
from threads.search import Search


class Order(StrEnum):
    RECENT = "recent"
    NAME = "name"


class Phase(StrEnum):
    """A stretch of the list that has an index of its own."""

    NAMED = "n"  # by name
    TEXTED = "t"  # the newest text first
    UNUSED = "u"  # without a conversation, the last one added first


PHASES = {
    Order.RECENT: (Phase.TEXTED, Phase.UNUSED),
    Order.NAME: (Phase.NAMED, Phase.TEXTED, Phase.UNUSED),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list: the last row before it.

    `key` is the contact's, and in the phase *texted* its thread's.
    """

    phase: Phase
    key: int
    name: str = ""
    at: datetime | None = None

    @classmethod
    def from_text(cls, text: str) -> Place:
        """Raise ValueError for what is no place."""
        phase, _, rest = text.partition("-")
        if phase == Phase.TEXTED:
            cursor = Cursor.from_key(rest)
            return cls(Phase.TEXTED, cursor.pk, at=cursor.at)
        digits, _, name = rest.partition("-")
        key = read_integer(digits)
        if key is None or (phase == Phase.UNUSED and name) or "\0" in name:
            raise ValueError(text)
        return cls(Phase(phase), key, name=name)

    @property
    def text(self) -> str:
        if self.at is not None:
            return f"{self.phase}-{Cursor(self.at, self.key).key}"
        name = f"-{self.name}" if self.phase == Phase.NAMED else ""
        return f"{self.phase}-{self.key}{name}"


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Hold what the list is narrowed to. `label` is one of those that are called the same."""

    search: Search | None = None
    inbox: int | None = None
    label: int | None = None
    is_opted_out: bool = False
    is_blocked: bool = False
    order: Order = Order.RECENT

    @property
    def is_narrowed(self) -> bool:
        """Return True if the list leaves out contacts of the chosen inboxes."""
        return bool(self.search or self.label or self.is_opted_out or self.is_blocked)

    def query(self, after: Place | None = None) -> str:
        """Return the query string that shows the list so."""
        parts = {
            "q": self.search.text if self.search else "",
            "inbox": self.inbox or "",
            "label": self.label or "",
            "opted_out": "1" if self.is_opted_out else "",
            "blocked": "1" if self.is_blocked else "",
            "order": self.order if self.order != Order.RECENT else "",
            "after": after.text if after else "",
        }
        given = {name: value for name, value in parts.items() if value}
        return f"?{urlencode(given)}" if given else ""

    def ordered(self, order: Order) -> ContactFilter:
        return replace(self, order=order)


@dataclass(frozen=True, slots=True)
class Scope:
    """Hold what a filter means for one agent: keys of inboxes, and of labels with the name."""

    inbox_ids: Collection[int]
    wanted: ContactFilter
    label_ids: Collection[int] = ()
    found_label_ids: Collection[int] = ()  # of labels whose names the search finds
