"""Count contacts, those that are opted out and those that are blocked, as far as anybody cares."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from messaging.contacts.queries import MOST_SORTED

MOST_COUNTED = 10_000
MOST_EXAMINED = 10_000  # Opt-outs
_CAP = 999  # What a filter's count says at most

_ALL = """SELECT count(DISTINCT address), count(*) FROM (
    SELECT address FROM threads_contact WHERE inbox_id = ANY(%(inboxes)s) LIMIT %(most)s
) AS known"""

# Opt-outs outlive contacts and are many, so no more are looked up among the contacts than so many.
# They are taken in the order of an index, which no reading of the whole table can give.
_OPTED_OUT = """WITH examined AS MATERIALIZED (
    (SELECT number.inbox_id, opt_out.address FROM messaging_number AS number
    CROSS JOIN LATERAL (SELECT address FROM messaging_optout
        WHERE our_address = number.address AND ended_at IS NULL
        ORDER BY address LIMIT %(examined)s) AS opt_out
    WHERE number.inbox_id = ANY(%(inboxes)s) LIMIT %(examined)s)
    UNION ALL
    (SELECT at.inbox_id, for_all.address FROM (SELECT address FROM messaging_optout
        WHERE ended_at IS NULL AND is_for_all ORDER BY address LIMIT %(examined)s) AS for_all
    CROSS JOIN unnest(%(inboxes)s::bigint[]) AS at (inbox_id) LIMIT %(examined)s)
), opted_out AS (
    SELECT contact.id, contact.address FROM examined
    CROSS JOIN LATERAL (SELECT id, address FROM threads_contact
        WHERE inbox_id = examined.inbox_id AND address = examined.address OFFSET 0) AS contact
)"""
_ARE_ALL_EXAMINED = "(SELECT count(*) < %(examined)s FROM examined)"
_BLOCKED = """WITH blocked AS (
    SELECT id, address FROM threads_contact
    WHERE inbox_id = ANY(%(inboxes)s) AND blocked_at IS NOT NULL
)"""
_LABELLED = """WITH labelled AS (
    SELECT contact.id, contact.address FROM threads_threadlabel AS placed
    JOIN threads_thread AS thread ON thread.id = placed.thread_id
    JOIN threads_contact AS contact ON contact.id = thread.contact_id
    WHERE placed.label_id = ANY(%(labels)s) AND thread.inbox_id = ANY(%(inboxes)s)
)"""
_COUNT = """{found} SELECT count(DISTINCT address), coalesce(array_agg(DISTINCT id), '{{}}'),
count(*) < %(most)s AND {are_all}
FROM (SELECT id, address FROM {name} LIMIT %(most)s) AS counted"""


@dataclass(frozen=True, slots=True)
class Count:
    """Hold how many numbers there are at least, and their contacts if these are all of them."""

    numbers: int
    keys: Sequence[int] | None = None

    @property
    def is_exact(self) -> bool:
        return self.keys is not None

    def __str__(self) -> str:
        if self.is_exact:
            return str(self.numbers)
        return f"{min(self.numbers, _CAP)}+" if self.numbers else ""


def count_opted_out(inbox_ids: Collection[int]) -> Count:
    """Count those to whom the number of their inbox, or none of ours, may send."""
    return _count(_OPTED_OUT, "opted_out", inbox_ids, are_all=_ARE_ALL_EXAMINED)


def count_blocked(inbox_ids: Collection[int]) -> Count:
    return _count(_BLOCKED, "blocked", inbox_ids)


def count_labelled(inbox_ids: Collection[int], label_ids: Collection[int]) -> Count:
    return _count(_LABELLED, "labelled", inbox_ids, label_ids)


def _count(
    found: str,
    name: str,
    inbox_ids: Collection[int],
    label_ids: Collection[int] = (),
    are_all: str = "true",
) -> Count:
    details: dict[str, Any] = {
        "inboxes": list(inbox_ids),
        "labels": list(label_ids),
        "most": MOST_SORTED + 1,
        "examined": MOST_EXAMINED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(found=found, name=name, are_all=are_all), details)
        numbers, keys, is_exact = cursor.fetchone()
    return Count(numbers, keys if is_exact else None)


def count_contacts(inbox_ids: Collection[int]) -> str:
    """Return in words how many numbers the inboxes know."""
    most = MOST_COUNTED + 1 if len(inbox_ids) < 2 else 2 * MOST_COUNTED
    details: dict[str, Any] = {"inboxes": list(inbox_ids), "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_ALL, details)
        numbers, rows = cursor.fetchone()
    if rows < most and numbers <= MOST_COUNTED:
        return in_words(numbers)
    if numbers > MOST_COUNTED:
        return f"more than {MOST_COUNTED:,} contacts"
    return f"more than {(numbers - 1) // 1000 * 1000:,} contacts"


def in_words(count: int) -> str:
    return "1 contact" if count == 1 else f"{count:,} contacts"
