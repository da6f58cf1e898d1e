"""Record what the team does with its threads, as lines of their histories.

A line is no message: nothing counts it, notifies of it by itself, or could send it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from inboxes.models import Agent
from threads import words
from threads.activity_lines import index_words
from threads.changes import Change
from threads.models import Activity, Label, Thread


def record(
    *,
    thread_ids: Collection[int],
    inbox_id: int,
    actor: Agent | None,
    kind: Activity.Kind,
    details: Mapping[str, Any] | None = None,
    seq: int,
    at: datetime | None = None,
) -> list[Activity]:
    """Write one line for each thread, behind its newest message; two queries for any number.

    The caller holds the inbox's counter, whose value is `seq`, and rings. `actor` is None for what
    Partyline does by itself. `details` by kind:

    - assigned, unassigned: `about_agent`; also `is_first_answer` if answering assigned it, and
      `has_left` if it was theirs and they left the inbox
    - snoozed: `until`, in ISO 8601 with an offset
    - unsnoozed: `is_by_text` if a text ended the snooze
    - labelled, unlabelled: `about_label`
    - priority: `priority`, empty for none
    - waiting: `minutes`
    - consent: `how`; also `has_ended` if it counts no more
    - blocked: `before`, the status that the thread had, as a change has it
    """
    threads = Thread.objects.filter(pk__in=thread_ids, inbox=inbox_id).order_by("pk")
    lines = [
        Activity(
            thread_id=key,
            inbox_id=inbox_id,
            actor=actor,
            kind=kind,
            details=dict(details or {}),
            after_id=last_message_id or 0,
            seq=seq,
            created_at=at or timezone.now(),
        )
        for key, last_message_id in threads.values_list("pk", "last_message_id")
    ]
    if lines:
        # Only the thread differs, and no word tells which it is.
        found_by = words.build_tsvector(inbox_id, index_words(lines[0], actor))
        for line in lines:
            line.words = found_by
    return Activity.objects.bulk_create(lines)


def about_agent(agent: Agent) -> dict[str, Any]:
    """Return the details that name an agent; the name is of today, and is searched for."""
    return {"agent": agent.pk, "name": agent.display_name}


def about_label(label: Label) -> dict[str, Any]:
    """Return the details that name a label as it is called today; a renamed one stays readable."""
    return {"label": label.pk, "name": label.name}


# Kinds that tell of the same thing about a thread. Lines of labels tell of one label each.
_ALIKE = (
    [Activity.Kind.ASSIGNED, Activity.Kind.UNASSIGNED],
    [
        Activity.Kind.DONE,
        Activity.Kind.REOPENED,
        Activity.Kind.SNOOZED,
        Activity.Kind.UNSNOOZED,
        Activity.Kind.BLOCKED,
        Activity.Kind.UNBLOCKED,
    ],
    [Activity.Kind.LABELLED, Activity.Kind.UNLABELLED],
)

_LINES_THAT_STAND = """
SELECT line.id, line.after_id FROM threads_activity AS line
WHERE line.id = ANY(%(lines)s) AND line.kind = ANY(%(kinds)s) AND NOT EXISTS (
    SELECT FROM threads_activity AS later
    WHERE later.thread_id = line.thread_id AND later.id > line.id
      AND later.kind = ANY(%(kinds)s) AND later.actor_id IS DISTINCT FROM line.actor_id
      AND later.details -> 'label' IS NOT DISTINCT FROM line.details -> 'label')
"""


def lines_that_stand(line_ids: Collection[int]) -> dict[int, int]:
    """Return those lines whose matter nobody else has decided since, with their `after_id`.

    What their own actor has done and taken back since then does not count.
    """
    found: dict[int, int] = {}
    if line_ids:
        with connection.cursor() as cursor:
            for kinds in _ALIKE:
                cursor.execute(_LINES_THAT_STAND, {"lines": [*line_ids], "kinds": kinds})
                found.update(cursor.fetchall())
    return found


def name_lines(changes: Iterable[Change], lines: Collection[Activity]) -> list[Change]:
    """Return the changes, each with the key of the line that tells of it on its thread."""
    keys = {line.thread_id: line.pk for line in lines}
    return [
        replace(change, after={**change.after, "line": keys[change.thread_id]})
        for change in changes
    ]
