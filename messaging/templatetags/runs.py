"""Runs of messages by one author, and the days between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()

# Messages of one author within this time share one line with time and state.
RUN_GAP = timedelta(minutes=5)


@dataclass(frozen=True)
class ArrangedEntry:
    """An entry of the history, with what depends on its neighbours."""

    entry: Any
    opens_day: bool  # a heading with the day comes before it
    follows: bool  # its author also wrote the one before, so the two stand close together
    is_joined: bool  # the next one shows time and state for both

    @property
    def classes(self) -> str:
        """Return the CSS classes that depend on its neighbours, each after a space."""
        return f"{' follows' if self.follows else ''}{' joined' if self.is_joined else ''}"


@register.filter(name="arranged")
def arrange_entries(entries: list[Any]) -> list[ArrangedEntry]:
    """Arrange a loaded page by days and runs; the browser does the same with new messages."""
    arranged: list[ArrangedEntry] = []
    for index, entry in enumerate(entries):
        before = entries[index - 1] if index else None
        after = entries[index + 1] if index + 1 < len(entries) else None
        arranged.append(
            ArrangedEntry(
                entry=entry,
                opens_day=before is None or not _is_same_day(before.message, entry.message),
                follows=before is not None
                and not entry.is_first_new
                and _is_run(before.message, entry.message),
                is_joined=after is not None
                and not after.is_first_new
                and _is_run(entry.message, after.message)
                and entry.message.state == after.message.state
                and entry.message.is_late == after.message.is_late
                and entry.message.state not in {"failed", "unknown"},
            )
        )
    return arranged


def _is_same_day(one: Any, other: Any) -> bool:
    return timezone.localtime(one.shown_at).date() == timezone.localtime(other.shown_at).date()


def _is_run(one: Any, other: Any) -> bool:
    return (
        one.kind == other.kind
        and one.author_id == other.author_id
        and other.shown_at - one.shown_at < RUN_GAP
        and _is_same_day(one, other)
    )
