"""One deed on many threads: it begins, goes on in batches, ends, and is taken back as one.

The threads are rows of the action from its beginning, each with the newest message that the page
showed of it. A batch is one transaction on threads of one inbox. It locks the action first, so
that no thread is done twice. Afterwards its rows say what it changed, and those of threads that it
did not change are gone. Whoever goes on after a worker was killed finds the rows that are left.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent, Inbox
from messaging.models import BulkAction, BulkItem
from messaging.stream import jobs
from messaging.work import bulk_deeds, summaries
from messaging.work.bulk_deeds import Batch, Deed
from messaging.work.whole_views import WholeView
from threads.changes import Change
from threads.models import Thread

log = logging.getLogger(__name__)

State = BulkAction.State

AT_ONCE = 100  # threads that a request does itself; a job does more
BATCH = 500  # threads

# So long whoever did it may take it back. Some time later nothing of the action is kept.
UNDO_FOR = timedelta(hours=24)
KEEP_FOR = timedelta(days=3)

# Seconds after which a job gives others their turn, and goes on behind them.
ROUND = 10.0


class CannotUndo(Exception):
    """The action was taken back already, or is too long ago."""


def begin(
    *,
    agent: Agent,
    deed: Deed,
    shown: Mapping[int, int],
    details: Mapping[str, Any],
    inbox: Inbox | None = None,
) -> BulkAction:
    """Do a deed with threads: here if they are few, else a job begins with them.

    `shown` has the newest message that the page showed of each thread. Threads that the agent may
    not see are left out.
    """
    action = _create_action(agent=agent, deed=deed, shown=shown, details=details, inbox=inbox)
    return _go_on_here(action)


@transaction.atomic
def begin_with_view(
    *, agent: Agent, deed: Deed, view: WholeView, details: Mapping[str, Any]
) -> BulkAction:
    """Do a deed with all threads of a view; a job begins with it, and first finds them.

    What came in later than the agent saw is left out.
    """
    action = BulkAction.objects.create(
        agent=agent,
        inbox_id=view.inbox_id,
        deed=deed,
        details={**details, "view": view.to_json()},
        total=0,
    )
    jobs.defer_bulk_action(action.pk)
    return action


@transaction.atomic
def _create_action(
    *,
    agent: Agent,
    deed: Deed,
    shown: Mapping[int, int],
    details: Mapping[str, Any],
    inbox: Inbox | None,
) -> BulkAction:
    visible = Thread.objects.visible_to(agent).filter(pk__in=shown)
    keys = list(visible.values_list("pk", flat=True))
    action = BulkAction.objects.create(
        agent=agent, inbox=inbox, deed=deed, details=dict(details), total=len(keys)
    )
    BulkItem.objects.bulk_create(
        BulkItem(bulk=action, thread_id=key, before={"shown": shown[key]}) for key in keys
    )
    _defer_if_many(action)
    return action


def undo(*, action: BulkAction) -> BulkAction:
    """Take an action back: here if it changed few threads, else a job begins with them.

    One that still goes on stops. What somebody has changed since stays as it is. Raises
    CannotUndo.
    """
    return _go_on_here(_turn_back(action.pk))


def can_be_undone(action: BulkAction) -> bool:
    """Return True if it has changed, or still changes, something that can be taken back."""
    is_recent = action.created_at > timezone.now() - UNDO_FOR
    is_forward = action.state in {State.RUNNING, State.FINISHED}
    has_changes = action.state == State.RUNNING or bool(action.details.get("changed"))
    return is_recent and is_forward and has_changes


@transaction.atomic
def _turn_back(action_id: int) -> BulkAction:
    action = BulkAction.objects.select_for_update(of=("self",)).get(pk=action_id)
    if not can_be_undone(action):
        raise CannotUndo
    action.items.filter(after={}).delete()
    action.state, action.done_count = State.UNDOING, 0
    action.undone_at = timezone.now()
    action.total = action.items.count()
    action.save(update_fields=["state", "undone_at", "total", "done_count"])
    _defer_if_many(action)
    return action


def _defer_if_many(action: BulkAction) -> None:
    if action.total > AT_ONCE:
        jobs.defer_bulk_action(action.pk)


def _go_on_here(action: BulkAction) -> BulkAction:
    if action.total <= AT_ONCE:
        go_on(action.pk)
        action.refresh_from_db()
    return action


def go_on(action_id: int, *, seconds: float | None = None) -> bool:
    """Do what is left of an action, batch by batch; return False if time was up before the end."""
    until = None if seconds is None else time.monotonic() + seconds
    action = BulkAction.objects.filter(pk=action_id).first()
    if action is None or action.state not in {State.RUNNING, State.UNDOING}:
        return True
    if "view" in action.details:
        _collect(action_id)
    do_batch = _undo_batch if action.state == State.UNDOING else _do_batch
    for inbox_id, thread_ids in _batches(action):
        do_batch(action_id, inbox_id, thread_ids)
        if until is not None and time.monotonic() > until:
            return False
    _end(action_id, State(action.state))
    return True


@transaction.atomic
def _collect(action_id: int) -> None:
    """Find the threads of a view that an action was begun with. It is done once."""
    action = _lock(action_id, State.RUNNING)
    if action is not None and "view" in action.details:
        view = WholeView.from_json(action.details.pop("view"))
        action.total = view.collect(action)
        action.save(update_fields=["details", "total"])


def _batches(action: BulkAction) -> Iterator[tuple[int, list[int]]]:
    """Yield the action's threads that are left, by inbox."""
    items = action.items.all() if action.state == State.UNDOING else action.items.filter(after={})
    last = 0
    while True:
        further = items.filter(thread__gt=last).order_by("thread")
        rows = list(further.values_list("thread__inbox", "thread")[:BATCH])
        if not rows:
            return
        last = rows[-1][1]
        for inbox_id, batch in groupby(sorted(rows), itemgetter(0)):
            yield inbox_id, [thread_id for _, thread_id in batch]


@transaction.atomic
def _do_batch(action_id: int, inbox_id: int, thread_ids: list[int]) -> None:
    action = _lock(action_id, State.RUNNING)
    if action is None:
        return
    items = action.items.filter(thread__in=thread_ids, after={})
    shown = dict(items.values_list("thread", "before__shown"))
    batch = _take_counter(action, inbox_id, shown)
    if batch is None:
        action.total -= len(shown)
        outcome = bulk_deeds.Outcome()
    else:
        action.done_count += len(shown)
        outcome = bulk_deeds.carry_out(batch)
    _note_outcome(action, inbox_id, outcome, len(shown))
    _write_changes(action_id, outcome.changes)
    items.filter(thread__in=shown).delete()


@transaction.atomic
def _undo_batch(action_id: int, inbox_id: int, thread_ids: list[int]) -> None:
    action = _lock(action_id, State.UNDOING)
    if action is None:
        return
    items = action.items.filter(thread__in=thread_ids)
    rows = items.values_list("thread", "before", "after")
    changes = [Change(*row) for row in rows]
    batch = _take_counter(action, inbox_id, dict.fromkeys(thread_ids, 0))
    undone = bulk_deeds.take_back(batch, changes) if batch else set()
    action.done_count += len(changes)
    action.details["undone"] = action.details.get("undone", 0) + len(undone)
    action.save(update_fields=["details", "done_count"])
    items.delete()


def _lock(action_id: int, state: State) -> BulkAction | None:
    """Lock the action, and return it if it is still in this state."""
    locked = BulkAction.objects.select_for_update(of=("self",)).select_related("agent")
    return locked.filter(pk=action_id, state=state).first()


def _take_counter(action: BulkAction, inbox_id: int, shown: Mapping[int, int]) -> Batch | None:
    """Take the inbox's counter for a batch; None if the agent may not see the inbox any more.

    Deeds on the agent's own state need no counter of the inbox.
    """
    is_own = action.deed in bulk_deeds.OWN
    seq = 0 if is_own else counters.next_inbox_seq(inbox_id)
    may_see = action.agent.is_active and Inbox.objects.visible_to(action.agent)
    if not (may_see and may_see.filter(pk=inbox_id).exists()):
        return None
    return Batch(action, inbox_id, shown, seq)


def _note_outcome(
    action: BulkAction, inbox_id: int, outcome: bulk_deeds.Outcome, count: int
) -> None:
    """Count what the batch came to, for the sentence that tells the agent."""
    told = action.details
    told["changed"] = told.get("changed", 0) + len(outcome.changes)
    told["kept"] = told.get("kept", 0) + len(outcome.kept)
    told["blocked"] = told.get("blocked", 0) + outcome.blocked
    if outcome.is_refused:
        refused = told.setdefault("refused", {})
        refused[str(inbox_id)] = refused.get(str(inbox_id), 0) + count
    action.save(update_fields=["details", "total", "done_count"])


_WRITE_CHANGES = """
UPDATE messaging_bulkitem AS item SET before = change.before::jsonb, after = change.after::jsonb
FROM unnest(%(threads)s::bigint[], %(before)s::text[], %(after)s::text[])
    AS change (thread_id, before, after)
WHERE item.bulk_id = %(action)s AND item.thread_id = change.thread_id
"""


def _write_changes(action_id: int, changes: Collection[Change]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_CHANGES,
            {
                "action": action_id,
                "threads": [change.thread_id for change in changes],
                "before": [json.dumps(change.before) for change in changes],
                "after": [json.dumps(change.after) for change in changes],
            },
        )


@transaction.atomic
def _end(action_id: int, state: State) -> None:
    action = _lock(action_id, state)
    if action is None:
        return
    is_undone = state == State.UNDOING
    action.state = State.UNDONE if is_undone else State.FINISHED
    if action.deed == Deed.ASSIGN:
        summaries.withdraw(action) if is_undone else summaries.notify_assignee(action)
    action.save(update_fields=["state", "details"])


# A request that does few threads itself is over by then.
FORGOTTEN_AFTER = timedelta(minutes=1)


def wake_forgotten_actions() -> None:
    """Queue a job for every action that nobody goes on with: its process may be gone."""
    begun = BulkAction.objects.annotate(turned_at=Coalesce("undone_at", "created_at"))
    unended = begun.filter(
        state__in=[State.RUNNING, State.UNDOING],
        turned_at__lt=timezone.now() - FORGOTTEN_AFTER,
    )
    for action_id in jobs.actions_without_a_job(unended.values_list("pk", flat=True)):
        log.warning("Action %s on many threads had no job left and is woken.", action_id)
        jobs.defer_bulk_action(action_id)


def delete_old_actions() -> int:
    """Delete actions that nobody can take back any more, with their items; return how many."""
    old = BulkAction.objects.filter(created_at__lt=timezone.now() - KEEP_FOR)
    keys = list(old.values_list("pk", flat=True))
    for key in keys:
        with transaction.atomic():
            BulkItem.objects.filter(bulk=key)._raw_delete(BulkItem.objects.db)
            BulkAction.objects.filter(pk=key).delete()
    return len(keys)
