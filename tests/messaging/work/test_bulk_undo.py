"""Undo restores exactly what nobody has changed since, whatever was done before."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inboxes.models import Agent
from messaging.models import BulkAction, Notification
from messaging.work import bulk
from messaging.work.bulk_deeds import OWN, Deed
from tests.cast import DISPATCH, Cast
from threads.models import Thread, ThreadState

UNTIL = timezone.now() + timedelta(days=2)


def random_deed(chance: random.Random, cast: Cast) -> tuple[Deed, dict[str, Any]]:
    deed = chance.choice([one for one in Deed if one not in {Deed.LABEL, Deed.UNLABEL}])
    assignee = chance.choice([None, cast.ana.pk, cast.ben.pk])
    until = UNTIL + timedelta(hours=chance.randrange(3))
    return deed, {"assignee": assignee, "until": until.isoformat()}


def do(chance: random.Random, agent: Agent, cast: Cast, threads: list[Thread]) -> BulkAction:
    some = chance.sample(threads, chance.randint(1, len(threads)))
    newest = Thread.objects.filter(pk__in=[thread.pk for thread in some])
    shown = {one.pk: one.last_message_id or 0 for one in newest}
    deed, details = random_deed(chance, cast)
    return bulk.begin(agent=agent, deed=deed, shown=shown, details=details)


def work_of(thread: Thread) -> tuple[Any, ...]:
    """Return what is the team's of a thread."""
    now = Thread.objects.get(pk=thread.pk)
    return now.status, now.snoozed_until, now.snoozed_by_id, now.assignee_id


def state_of(agent: Agent, thread: Thread) -> tuple[Any, ...]:
    """Return what is the agent's own of a thread."""
    state = ThreadState.objects.filter(agent=agent, thread=thread).first()
    state = state or ThreadState(agent=agent, thread=thread)
    mine = Notification.objects.filter(agent=agent, thread=thread, message__isnull=False)
    unread = frozenset(mine.unread().values_list("message", flat=True))
    mark = (state.last_read_id, state.read_count, state.is_marked_unread)
    return (*mark, state.hidden_id, state.hidden_at, unread)


@pytest.mark.parametrize("seed", range(12))
def test_undo_restores_what_nobody_has_changed_since(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    threads = [
        cast.thread(sender=f"+1202555{1000 + n}", **({"to": DISPATCH} if n % 3 else {}))
        for n in range(6)
    ]
    for _ in range(4):
        do(chance, chance.choice([cast.ana, cast.ben]), cast, threads)
    before = {one.pk: (work_of(one), state_of(cast.ana, one)) for one in threads}
    action = do(chance, cast.ana, cast, threads)
    after = {one.pk: (work_of(one), state_of(cast.ana, one)) for one in threads}
    for _ in range(chance.randrange(3)):
        do(chance, cast.ben, cast, threads)
    since = {one.pk: (work_of(one), state_of(cast.ana, one)) for one in threads}
    if not bulk.can_be_undone(action):
        assert after == before
        return
    bulk.undo(action=action)
    for thread in threads:
        work, state = work_of(thread), state_of(cast.ana, thread)
        key = thread.pk
        # Who assigned it to whom does not concern its status, and the other way round.
        for part in (slice(0, 3), slice(3, 4)):
            is_same = since[key][0][part] == after[key][0][part]
            wanted = before[key][0][part] if is_same else since[key][0][part]
            assert work[part] == wanted
        is_same = action.deed in OWN and since[key][1] == after[key][1]
        assert state == (before if is_same else since)[key][1]
