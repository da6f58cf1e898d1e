"""Positions in a list, which pages by cursor and not by offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inboxes.integers import read_integer
from inboxes.models.inboxes import EPOCH, MICROSECOND, sort_key


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: the last row of the previous page, by its sort key."""

    at: datetime
    pk: int

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for anything that is not a sort key."""
        micros, _, pk = map(read_integer, key.partition("-"))
        if micros is None or pk is None:
            raise ValueError(key)
        try:
            return cls(at=EPOCH + micros * MICROSECOND, pk=pk)
        except OverflowError as error:
            raise ValueError(key) from error

    @property
    def key(self) -> str:
        return sort_key(self.at, self.pk)

    @property
    def sort_position(self) -> tuple[int, int]:
        return (self.at - EPOCH) // MICROSECOND, self.pk
