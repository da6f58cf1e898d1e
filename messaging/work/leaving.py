"""Unassign the threads of an agent who leaves an inbox, or is deactivated.

A few are unassigned at once, the rest by a job, each time under the inbox's counter for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from inboxes.actions import agent_deactivated, membership_ended
from inboxes.models import Agent, Inbox
from messaging.stream import jobs
from messaging.work import deeds
from threads.models import Thread

BATCH = 200


def connect_receivers() -> None:
    membership_ended.connect(end_assignments, dispatch_uid="messaging.end_assignments")
    agent_deactivated.connect(end_all_assignments, dispatch_uid="messaging.end_all_assignments")


def end_assignments(*, inbox: Inbox, agent: Agent, **_: Any) -> None:
    """Unassign what is the agent's in one inbox.

    The membership ends under the inbox's counter with it. So whoever assigns something to them at
    the same moment has done so before, or is refused.
    """
    if not _unassign_batch(inbox.pk, agent.pk):
        jobs.defer_unassigning(agent_id=agent.pk, inbox_ids=[inbox.pk])


def end_all_assignments(*, agent: Agent, **_: Any) -> None:
    """Unassign what is the agent's anywhere, after the commit: agents are locked by now.

    Whoever assigns something to them meanwhile has the counter of its inbox. So each inbox in
    which that is possible is looked at under its counter, whatever is assigned there.
    """
    theirs = Thread.objects.filter(assignee=agent).values_list("inbox", flat=True)
    visible = Inbox.objects.visible_to(agent).values_list("pk", flat=True)
    inbox_ids = sorted({*visible, *theirs.distinct()})
    jobs.defer_unassigning(agent_id=agent.pk, inbox_ids=inbox_ids)

    def unassign_a_few() -> None:
        for inbox_id in inbox_ids:
            _unassign_batch(inbox_id, agent.pk)

    transaction.on_commit(unassign_a_few, robust=True)


def unassign_all(*, agent_id: int, inbox_ids: Sequence[int]) -> None:
    """Unassign all threads of an agent who may no longer see these inboxes."""
    for inbox_id in inbox_ids:
        while not _unassign_batch(inbox_id, agent_id):
            pass


def _unassign_batch(inbox_id: int, agent_id: int) -> bool:
    """Unassign at most a batch; return True if no more may be left."""
    changes = deeds.unassign_some(inbox_id=inbox_id, agent_id=agent_id, limit=BATCH)
    return len(changes) < BATCH
