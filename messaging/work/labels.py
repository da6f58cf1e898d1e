"""Put labels on threads and take them off, with the lines of activity that tell of it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from inboxes import bell, counters
from inboxes.models import Agent
from threads import activity, labels
from threads.changes import Change, group_threads
from threads.membership import check_member
from threads.models import Activity, Label


def take_counter(inbox_id: int, by: Agent | None) -> int:
    """Take the inbox's counter for what a member does. Raises Http404 if they have left."""
    seq = counters.next_inbox_seq(inbox_id)
    if by is not None:
        check_member(by, inbox_id)
    return seq


@transaction.atomic
def label_threads(
    *,
    inbox_id: int,
    thread_ids: Collection[int],
    label_id: int,
    is_on: bool,
    by: Agent,
    seq: int | None = None,
) -> list[Change]:
    """Put a label of the inbox on threads, or take it off. Raises threads.labels.NoSuchLabel.

    Takes the inbox's counter, unless the caller holds it and gives its value as `seq`.
    """
    seq = seq or take_counter(inbox_id, by)
    label = labels.get_label(inbox_id=inbox_id, label_id=label_id)
    write = labels.put_on if is_on else labels.take_off
    changes = write(inbox_id=inbox_id, thread_ids=thread_ids, label=label, seq=seq)
    return tell_of_labels(changes, inbox_id=inbox_id, by=by, seq=seq)


def tell_of_labels(
    changes: Collection[Change], *, inbox_id: int, by: Agent, seq: int
) -> list[Change]:
    """Record the activity, and ring; return the changes with their lines."""
    groups = group_threads(
        ((change.after["label"], change.after["is_on"]), change.thread_id) for change in changes
    )
    named = Label.objects.in_bulk({key for key, _ in groups}) if groups else {}
    lines: list[Activity] = []
    for (key, is_on), thread_ids in groups.items():
        lines += activity.record(
            thread_ids=thread_ids,
            inbox_id=inbox_id,
            actor=by,
            kind=Activity.Kind.LABELLED if is_on else Activity.Kind.UNLABELLED,
            details=activity.about_label(named[key]),
            seq=seq,
        )
    if changes:
        bell.ring_inbox(inbox_id, seq)
    return activity.name_lines(changes, lines)
