"""Find lines of activity by their words, and threads by the names of their labels."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from threads import words
from threads.activity_lines import searchable_words
from threads.labels import labels_of
from threads.models import Label
from threads.search import NEWEST_WALKED, Search, run_until_full_page

MOST_NAMED = 10  # Labels whose names one search finds

# The walk and the index are used as in threads/search.py.
_NEWEST_LINES = """
SELECT id FROM (
    SELECT id, thread_id, words FROM threads_activity
    WHERE {beyond} ORDER BY id DESC LIMIT %(walk)s
) AS newest WHERE words @@ %(query)s::tsquery AND {is_standing} ORDER BY id DESC LIMIT %(count)s
"""
_ALL_LINES = """
SELECT id FROM (
    SELECT id FROM threads_activity
    WHERE words @@ %(query)s::tsquery AND {beyond} AND {is_standing} OFFSET 0
) AS found ORDER BY id DESC LIMIT %(count)s
"""

# For each label one walk of its list, from the time of a message on.
_LABELLED = """
SELECT found.message_id, min(label.id) FROM unnest(%(labels)s::bigint[]) AS label (id)
CROSS JOIN LATERAL (
    SELECT thread.last_message_id AS message_id FROM threads_threadlabel AS held
    JOIN threads_thread AS thread ON thread.id = held.thread_id
    WHERE held.label_id = label.id AND thread.last_message_id IS NOT NULL
        AND thread.{standing} AND {beyond}
    ORDER BY held.last_at DESC, held.thread_id DESC LIMIT %(count)s
) AS found GROUP BY found.message_id ORDER BY found.message_id DESC LIMIT %(count)s
"""
_BLOCKED = (
    "(SELECT id FROM threads_thread WHERE status = 'blocked' AND inbox_id = ANY(%(inboxes)s))"
)
_BEYOND_MESSAGE = (
    "held.last_at <= (SELECT created_at FROM messaging_message WHERE id = %(before)s)"
    " AND thread.last_message_id < %(before)s"
)


def is_standing(search: Search) -> str:
    """Return the condition in SQL that a row is of a thread in which is searched.

    Few threads are blocked, and they have an index of their own.
    """
    return f"thread_id {'IN' if search.is_in_blocked else 'NOT IN'} {_BLOCKED}"


def find_lines(
    inbox_ids: Collection[int], search: Search, before: int | None, count: int
) -> list[int]:
    """Return keys of at most so many lines of activity, newest first."""
    searched = searchable_words(search.words)
    if not searched or not inbox_ids:
        return []
    beyond = "true" if before is None else "id < %(before)s"
    parts = {"beyond": beyond, "is_standing": is_standing(search)}
    return run_until_full_page(
        [statement.format(**parts) for statement in (_NEWEST_LINES, _ALL_LINES)],
        {
            "inboxes": [*inbox_ids],
            "query": words.build_tsquery(inbox_ids, searched),
            "walk": NEWEST_WALKED,
            "count": count,
            "before": before,
        },
    )


def find_labelled(
    inbox_ids: Collection[int], search: Search, before: int | None, count: int
) -> dict[int, Label]:
    """Return the last messages of threads that have a label of such a name, newest first, and the
    label of each; at most so many."""
    if not search.words or not inbox_ids:
        return {}
    inboxes = labels_of(inbox_ids).values()
    named = [label for label in inboxes if _is_called(label, search.words)]
    labels = {label.pk: label for label in named[:MOST_NAMED]}
    if not labels:
        return {}
    beyond = "true" if before is None else _BEYOND_MESSAGE
    statement = _LABELLED.format(beyond=beyond, standing=search.standing)
    details = {"labels": [*labels], "before": before, "count": count}
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        found = cursor.fetchall()
    return {message_id: labels[key] for message_id, key in found}


def _is_called(label: Label, wanted: list[str]) -> bool:
    """Return True if each wanted word begins one of the name's."""
    mine = words.split_words(label.name)
    return all(any(word.startswith(one) for word in mine) for one in wanted)
