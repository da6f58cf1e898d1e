"""Record what the team does with its threads, as lines of their histories.

A line is no message: nothing counts it, notifies of it by itself, or could send it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from inboxes.models import Agent
from threads import words
from threads.activity_lines import index_words
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
