"""Say what a deed changed on a thread, so that it can be told and taken back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Change:
    """The columns that one deed changed on one thread, before and after, as JSON has them.

    A change of the assignee has `assignee`; one of the status has `status`, `snoozed_until` (in
    ISO 8601) and `snoozed_by`; one of the labels has `label`, its key, and `is_on`. `line` in
    `after` is the activity that tells of it.
    """

    thread_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def group_threads(pairs: Iterable[tuple[Key, int]]) -> dict[Key, list[int]]:
    """Return the keys of threads by what they have in common."""
    groups: dict[Key, list[int]] = {}
    for common, thread_id in pairs:
        groups.setdefault(common, []).append(thread_id)
    return groups
