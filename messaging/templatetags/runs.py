"""Runs of messages by one author, and the days between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone

from messaging.conversations.activity import ActivityGroup

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


@dataclass(frozen=True)
class ArrangedGroup:
    """A group of activity, which ends the run above it."""

    group: ActivityGroup


@register.filter(name="arranged")
def arrange_items(items: list[Any]) -> list[ArrangedEntry | ArrangedGroup]:
    """Arrange a loaded page by days and runs; the browser does the same with new messages."""
    arranged: list[ArrangedEntry | ArrangedGroup] = []
    last: Any = None
    for index, item in enumerate(items):
        if isinstance(item, ActivityGroup):
            arranged.append(ArrangedGroup(item))
            continue
        before, after = _neighbour(items, index - 1), _neighbour(items, index + 1)
        arranged.append(
            ArrangedEntry(
                entry=item,
                opens_day=last is None or not _is_same_day(last.message, item.message),
                follows=before is not None
                and not item.is_first_new
                and _is_run(before.message, item.message),
                is_joined=after is not None
                and not after.is_first_new
                and _is_run(item.message, after.message)
                and item.message.state == after.message.state
                and item.message.is_late == after.message.is_late
                and item.message.state not in {"failed", "unknown"},
            )
        )
        last = item
    return arranged


def _neighbour(items: list[Any], index: int) -> Any:
    """Return the entry at that index; None for a group, and beyond the ends."""
    inside = 0 <= index < len(items) and not isinstance(items[index], ActivityGroup)
    return items[index] if inside else None


def _is_same_day(one: Any, other: Any) -> bool:
    return timezone.localtime(one.shown_at).date() == timezone.localtime(other.shown_at).date()


def _is_run(one: Any, other: Any) -> bool:
    return (
        one.kind == other.kind
        and one.author_id == other.author_id
        and other.shown_at - one.shown_at < RUN_GAP
        and _is_same_day(one, other)
    )
