"""Assign, mark as done, reopen and snooze threads, and take that back.

Each deed is one transaction on any number of threads of one inbox. It takes the inbox's counter,
unless the caller holds it and gives its value as `seq`,
having checked under it that the agent is a member. Of two deeds at once the later one wins;
the activity tells of both. Each returns what it changed, which `undo` can take back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent
from messaging.models import Notification
from messaging.stream import notifying
from messaging.work.labels import take_counter, tell_of_labels
from threads import activity, assignment, labels, status
from threads.actions import restore_threads
from threads.changes import Change, group_threads
from threads.models import Activity, Thread

Kind = Activity.Kind
Reason = Notification.Reason


@dataclass(frozen=True, slots=True)
class PutAside:
    """Hold what marking as done or snoozing changed, and the threads that an unseen text kept."""

    changes: list[Change]
    kept_open: list[int]


@transaction.atomic
def assign_threads(
    *,
    inbox_id: int,
    thread_ids: Collection[int],
    assignee: Agent | None,
    by: Agent | None,
    by_answering: bool = False,
    notifies: bool = True,
    seq: int | None = None,
) -> list[Change]:
    """Assign threads to a member of the inbox, or to nobody. Raises threads.assignment.NotAMember.

    A thread that its new assignee had deleted comes back for them. `by_answering` tells that they
    get it because they answered first; then it has to be nobody's. Without `notifies` the caller
    tells them of all threads at once.
    """
    seq = seq or take_counter(inbox_id, by)
    changes = assignment.assign(
        inbox_id=inbox_id,
        thread_ids=thread_ids,
        assignee=assignee,
        seq=seq,
        are_nobodys=by_answering,
    )
    details = {"is_first_answer": True} if by_answering else {}
    return _tell_of_assignments(changes, inbox_id, by, seq, notifies=notifies, **details)


@transaction.atomic
def unassign_some(*, inbox_id: int, agent_id: int, limit: int) -> list[Change]:
    """Unassign at most so many threads of an agent who has left the inbox."""
    seq = counters.next_inbox_seq(inbox_id)
    changes = assignment.unassign_some(inbox_id=inbox_id, agent_id=agent_id, limit=limit, seq=seq)
    return _tell_of_assignments(changes, inbox_id, None, seq, has_left=True)


@transaction.atomic
def mark_done(
    *, inbox_id: int, shown: Mapping[int, int], by: Agent, seq: int | None = None
) -> PutAside:
    """Mark threads as done. `shown` holds for each the newest message that the page showed.

    An inbound text that came in after it keeps its thread as it is. A blocked one stays blocked,
    as with every deed on the status.
    """
    seq = seq or take_counter(inbox_id, by)
    kept_open = _threads_with_unseen_texts(shown)
    thread_ids = shown.keys() - set(kept_open)
    changes = status.mark_done(inbox_id=inbox_id, thread_ids=thread_ids, seq=seq)
    lines = _tell_of_statuses(changes, inbox_id, by, seq)
    return PutAside(activity.name_lines(changes, lines), kept_open)


@transaction.atomic
def reopen(
    *, inbox_id: int, thread_ids: Collection[int], by: Agent, seq: int | None = None
) -> list[Change]:
    """Open threads that are done or snoozed."""
    seq = seq or take_counter(inbox_id, by)
    changes = status.reopen(inbox_id=inbox_id, thread_ids=thread_ids, seq=seq)
    return activity.name_lines(changes, _tell_of_statuses(changes, inbox_id, by, seq))


@transaction.atomic
def snooze(
    *,
    inbox_id: int,
    shown: Mapping[int, int],
    until: datetime,
    by: Agent,
    seq: int | None = None,
) -> PutAside:
    """Snooze threads until a moment; they come back then, or with the next text.

    `shown` is as for `mark_done`: a text that nobody has seen would be put aside too.
    """
    seq = seq or take_counter(inbox_id, by)
    kept_open = _threads_with_unseen_texts(shown)
    thread_ids = shown.keys() - set(kept_open)
    changes = status.snooze(
        inbox_id=inbox_id, thread_ids=thread_ids, until=until, by_id=by.pk, seq=seq
    )
    lines = _tell_of_statuses(changes, inbox_id, by, seq)
    return PutAside(activity.name_lines(changes, lines), kept_open)


@transaction.atomic
def wake_some(*, inbox_id: int, limit: int) -> list[Change]:
    """Open at most so many threads whose snooze has ended; notify whoever waits for them."""
    seq = counters.next_inbox_seq(inbox_id)
    changes = status.wake_due(inbox_id=inbox_id, now=timezone.now(), limit=limit, seq=seq)
    _tell_of_return(changes, inbox_id, seq)
    return changes


def _tell_of_return(changes: Collection[Change], inbox_id: int, seq: int) -> list[Change]:
    """Record that snoozes have ended, notify whoever waits for them, and ring."""
    lines = _tell_of_statuses(changes, inbox_id, None, seq)
    woken = [change.thread_id for change in changes]
    assignees = dict(Thread.objects.filter(pk__in=woken).values_list("pk", "assignee"))
    snoozers = {change.thread_id: change.before["snoozed_by"] for change in changes}
    told = [(line, assignees[line.thread_id] or snoozers[line.thread_id]) for line in lines]
    notifying.notify_of_activities(
        [(line, agent_id) for line, agent_id in told if agent_id is not None], Reason.SNOOZED
    )
    return activity.name_lines(changes, lines)


@transaction.atomic
def undo(
    *,
    inbox_id: int,
    changes: Collection[Change],
    by: Agent,
    notifies: bool = True,
    seq: int | None = None,
) -> list[Change]:
    """Take changes back, each only where its thread is still as the change left it.

    Where somebody else has decided since, it stays, even if they decided the same. So does a
    thread that would be put aside with a text that came in since the change.
    """
    seq = seq or take_counter(inbox_id, by)
    changes = _changes_that_stand(changes)
    assigned = [change for change in changes if "assignee" in change.after]
    done = assignment.restore(inbox_id=inbox_id, changes=assigned, seq=seq)
    done = _tell_of_assignments(done, inbox_id, by, seq, notifies=notifies)
    others = [change for change in changes if "status" in change.after]
    restored = _restore_statuses(others, inbox_id, by, seq)
    labelled = [change for change in changes if "label" in change.after]
    relabelled = labels.restore(inbox_id=inbox_id, changes=labelled, seq=seq)
    relabelled = tell_of_labels(relabelled, inbox_id=inbox_id, by=by, seq=seq)
    return done + restored + relabelled


def _changes_that_stand(changes: Collection[Change]) -> list[Change]:
    """Leave out what somebody else has decided anew, and what would put an unseen text aside."""
    standing = activity.lines_that_stand([change.after["line"] for change in changes])
    kept = [change for change in changes if change.after["line"] in standing]
    aside = {
        change.thread_id: standing[change.after["line"]]
        for change in kept
        if change.before.get("status", Thread.Status.OPEN) != Thread.Status.OPEN
    }
    unseen = set(_threads_with_unseen_texts(aside))
    return [
        change for change in kept if "status" not in change.after or change.thread_id not in unseen
    ]


def _restore_statuses(
    changes: Collection[Change], inbox_id: int, by: Agent, seq: int
) -> list[Change]:
    """Take changes of the status back; a snooze that ended meanwhile ends now, for all to see."""
    now = timezone.now()
    restored = status.restore(inbox_id=inbox_id, changes=changes, now=now, seq=seq)
    snoozes = {one.thread_id for one in changes if one.before["status"] == Thread.Status.SNOOZED}
    ended: list[Change] = []
    others: list[Change] = []
    for one in restored:
        is_open = one.after["status"] == Thread.Status.OPEN
        (ended if one.thread_id in snoozes and is_open else others).append(one)
    lines = _tell_of_statuses(others, inbox_id, by, seq)
    return activity.name_lines(others, lines) + _tell_of_return(ended, inbox_id, seq)


_UNSEEN = """
SELECT shown.thread_id
FROM unnest(%(threads)s::bigint[], %(shown)s::bigint[]) AS shown (thread_id, message_id)
JOIN threads_thread AS thread ON thread.id = shown.thread_id AND thread.status <> 'blocked'
WHERE thread.last_text_id > shown.message_id AND EXISTS (
    SELECT FROM messaging_message AS message
    WHERE message.thread_id = shown.thread_id AND message.id > shown.message_id
      AND message.kind = 'inbound' AND message.reaction = '')
"""


def _threads_with_unseen_texts(shown: Mapping[int, int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, {"threads": [*shown], "shown": [*shown.values()]})
        return [thread_id for (thread_id,) in cursor.fetchall()]


def _tell_of_assignments(
    changes: Collection[Change],
    inbox_id: int,
    by: Agent | None,
    seq: int,
    *,
    notifies: bool = True,
    **details: bool,
) -> list[Change]:
    """Record the activity, show the threads to those whose they are now, notify, and ring.

    Return the changes with their lines.
    """
    groups = group_threads(
        ((change.before["assignee"], change.after["assignee"]), change.thread_id)
        for change in changes
    )
    agents = Agent.objects.in_bulk({key for pair in groups for key in pair if key is not None})
    # All are locked at once, in the order of their keys: other groups may come in another order.
    counters.next_agent_seqs({after for _, after in groups if after is not None})
    told: list[Activity] = []
    for (before, after), thread_ids in groups.items():
        kind = Kind.UNASSIGNED if after is None else Kind.ASSIGNED
        about = activity.about_agent(agents[before if after is None else after])
        lines = _record(kind, thread_ids, inbox_id, by, seq, about | details)
        told += lines
        if after is not None:
            restore_threads(thread_ids=thread_ids, agent_id=after)
        if after is not None and notifies:
            notifying.notify_of_activities([(line, after) for line in lines], Reason.ASSIGNED)
    if changes:
        bell.ring_inbox(inbox_id, seq)
    return activity.name_lines(changes, told)


def _tell_of_statuses(
    changes: Collection[Change], inbox_id: int, by: Agent | None, seq: int
) -> list[Activity]:
    """Record the activity, and ring; return the lines."""
    groups = group_threads(
        ((_kind_of(change), change.after["snoozed_until"]), change.thread_id) for change in changes
    )
    lines: list[Activity] = []
    for (kind, until), thread_ids in groups.items():
        lines += _record(kind, thread_ids, inbox_id, by, seq, {"until": until} if until else {})
    if changes:
        bell.ring_inbox(inbox_id, seq)
    return lines


def _kind_of(change: Change) -> Kind:
    match change.before["status"], change.after["status"]:
        case _, Thread.Status.DONE:
            return Kind.DONE
        case _, Thread.Status.SNOOZED:
            return Kind.SNOOZED
        case Thread.Status.SNOOZED, _:
            return Kind.UNSNOOZED
        case _:
            return Kind.REOPENED


def _record(
    kind: Kind,
    thread_ids: list[int],
    inbox_id: int,
    by: Agent | None,
    seq: int,
    details: dict[str, Any],
) -> list[Activity]:
    return activity.record(
        thread_ids=thread_ids, inbox_id=inbox_id, actor=by, kind=kind, details=details, seq=seq
    )
