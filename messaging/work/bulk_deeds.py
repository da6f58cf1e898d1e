"""Say what each deed does with a batch of threads of one inbox, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from inboxes.models import Agent
from messaging.models import BulkAction
from messaging.work import deeds, marks
from messaging.work.labels import label_threads
from threads.assignment import NotAMember
from threads.changes import Change
from threads.labels import NoSuchLabel, find_label
from threads.models import Thread


class Deed(TextChoices):
    """Name what can be done with many threads at once."""

    ASSIGN = "assign", "Assign"
    DONE = "done", "Done"
    REOPEN = "reopen", "Reopen"
    SNOOZE = "snooze", "Snooze"
    LABEL = "label", "Add label"
    UNLABEL = "unlabel", "Remove label"
    READ = "read", "Mark as read"
    UNREAD = "unread", "Mark as unread"
    DELETE = "delete", "Delete"


# Deeds on the agent's own state in the threads.
OWN = frozenset({Deed.READ, Deed.UNREAD, Deed.DELETE})


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold some of an action's threads, of one inbox, with the newest message shown of each."""

    action: BulkAction
    inbox_id: int
    shown: Mapping[int, int]
    seq: int  # of the inbox's counter, which is held; 0 for deeds on the agent's own state

    @property
    def agent(self) -> Agent:
        return self.action.agent

    @property
    def details(self) -> Mapping[str, Any]:
        details: dict[str, Any] = self.action.details
        return details

    @property
    def team_deed(self) -> dict[str, Any]:
        """Return what every deed on the threads themselves is told."""
        return {
            "inbox_id": self.inbox_id,
            "thread_ids": [*self.shown],
            "by": self.agent,
            "seq": self.seq,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what a deed changed, the threads that something unseen kept as they were, how many are
    blocked and stay so, and whether it could not be done in this inbox."""

    changes: Collection[Change] = ()
    kept: Collection[int] = ()
    blocked: int = 0
    is_refused: bool = False


def carry_out(batch: Batch) -> Outcome:
    """Do the action's deed with a batch. Call in a transaction."""
    return _DEEDS[Deed(batch.action.deed)](batch)


def take_back(batch: Batch, changes: Collection[Change]) -> set[int]:
    """Take a batch of changes back where nothing has changed since; return in which threads."""
    agent, action = batch.agent, batch.action
    if action.deed in OWN:
        return marks.take_back(agent=agent, changes=changes, at=action.created_at)
    undone = deeds.undo(
        inbox_id=batch.inbox_id, changes=changes, by=agent, notifies=False, seq=batch.seq
    )
    return {change.thread_id for change in undone}


def _assign(batch: Batch) -> Outcome:
    key = batch.details["assignee"]
    assignee = Agent.objects.filter(pk=key).first() if key else None
    if key and assignee is None:
        return Outcome(is_refused=True)
    try:
        changes = deeds.assign_threads(**batch.team_deed, assignee=assignee, notifies=False)
        return Outcome(changes)
    except NotAMember:
        return Outcome(is_refused=True)


def _mark_done(batch: Batch) -> Outcome:
    marked = deeds.mark_done(
        inbox_id=batch.inbox_id, shown=batch.shown, by=batch.agent, seq=batch.seq
    )
    return Outcome(marked.changes, kept=marked.kept_open, blocked=_count_blocked(batch))


def _count_blocked(batch: Batch) -> int:
    return Thread.objects.filter(pk__in=batch.shown, status=Thread.Status.BLOCKED).count()


def _reopen(batch: Batch) -> Outcome:
    return Outcome(deeds.reopen(**batch.team_deed), blocked=_count_blocked(batch))


def _snooze(batch: Batch) -> Outcome:
    until = datetime.fromisoformat(batch.details["until"])
    snoozed = deeds.snooze(
        inbox_id=batch.inbox_id, shown=batch.shown, until=until, by=batch.agent, seq=batch.seq
    )
    return Outcome(snoozed.changes, kept=snoozed.kept_open, blocked=_count_blocked(batch))


def _put_label_on(batch: Batch) -> Outcome:
    return _label(batch, is_on=True)


def _take_label_off(batch: Batch) -> Outcome:
    return _label(batch, is_on=False)


def _label(batch: Batch, *, is_on: bool) -> Outcome:
    """Do it with the inbox's own label of the name that was chosen."""
    try:
        label = find_label(inbox_id=batch.inbox_id, name=batch.details["name"])
    except NoSuchLabel:
        return Outcome(is_refused=True)
    return Outcome(label_threads(**batch.team_deed, label_id=label.pk, is_on=is_on))


def _mark_read(batch: Batch) -> Outcome:
    at = batch.action.created_at
    return Outcome(marks.mark_many_read(agent=batch.agent, shown=batch.shown, at=at))


def _mark_unread(batch: Batch) -> Outcome:
    return Outcome(marks.mark_many_unread(agent=batch.agent, thread_ids=batch.shown))


def _delete(batch: Batch) -> Outcome:
    at = batch.action.created_at
    changes, kept = marks.delete_many(agent=batch.agent, shown=batch.shown, at=at)
    return Outcome(changes, kept=kept)


_DEEDS: dict[Deed, Callable[[Batch], Outcome]] = {
    Deed.ASSIGN: _assign,
    Deed.DONE: _mark_done,
    Deed.REOPEN: _reopen,
    Deed.SNOOZE: _snooze,
    Deed.LABEL: _put_label_on,
    Deed.UNLABEL: _take_label_off,
    Deed.READ: _mark_read,
    Deed.UNREAD: _mark_unread,
    Deed.DELETE: _delete,
}
