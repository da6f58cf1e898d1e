"""Write whose a thread is: nobody's, or that of one member of its inbox.

The callers hold the inbox's counter, so that nobody else changes its threads or ends a membership
in it meanwhile. They record the activity, notify, and ring.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from inboxes.models import Agent, MembershipChange
from threads.changes import Change, group_threads
from threads.membership import assignable_agents
from threads.models import Thread

STRANGER = "This person isn't in this inbox."


class NotAMember(Exception):
    """The agent can't be given threads of the inbox; the message says so to an agent."""


def assign(
    *,
    inbox_id: int,
    thread_ids: Collection[int],
    assignee: Agent | None,
    seq: int,
    are_nobodys: bool = False,
) -> list[Change]:
    """Assign threads of the inbox to one of its members, or to nobody; return what changed.

    `are_nobodys` leaves those alone that are somebody's already. Raises NotAMember.
    """
    if assignee is not None and not assignable_agents(inbox_id).filter(pk=assignee.pk).exists():
        raise NotAMember(_describe_stranger(inbox_id, assignee))
    threads = Thread.objects.filter(inbox=inbox_id, pk__in=thread_ids)
    if are_nobodys:
        threads = threads.filter(assignee=None)
    return _write(threads, assignee.pk if assignee else None, seq)


def unassign_some(*, inbox_id: int, agent_id: int, limit: int, seq: int) -> list[Change]:
    """Unassign at most so many threads of an agent who left the inbox; return what changed.

    Somebody who has come back meanwhile keeps what is still theirs.
    """
    if assignable_agents(inbox_id).filter(pk=agent_id).exists():
        return []
    theirs = Thread.objects.filter(inbox=inbox_id, assignee=agent_id)
    keys = list(theirs.values_list("pk", flat=True)[:limit])
    return _write(Thread.objects.filter(pk__in=keys), None, seq)


def restore(*, inbox_id: int, changes: Collection[Change], seq: int) -> list[Change]:
    """Take changes of the assignee back where nobody has assigned the thread anew since then.

    A thread whose former assignee is no longer a member becomes nobody's.
    """
    members = set(assignable_agents(inbox_id).values_list("pk", flat=True))
    wanted = group_threads(
        ((change.before["assignee"], change.after["assignee"]), change.thread_id)
        for change in changes
    )
    done: list[Change] = []
    for (before, after), thread_ids in wanted.items():
        threads = Thread.objects.filter(inbox=inbox_id, pk__in=thread_ids, assignee=after)
        done += _write(threads, before if before in members else None, seq)
    return done


def _write(threads: QuerySet[Thread], assignee_id: int | None, seq: int) -> list[Change]:
    is_assigned = Q(assignee=assignee_id)
    found = dict(threads.exclude(is_assigned).order_by("pk").values_list("pk", "assignee"))
    Thread.objects.filter(pk__in=found).update(assignee=assignee_id, seq=seq)
    after = {"assignee": assignee_id}
    return [Change(key, {"assignee": before}, after) for key, before in found.items()]


def _describe_stranger(inbox_id: int, agent: Agent) -> str:
    """Name only somebody whom the inbox's members know."""
    was_member = MembershipChange.objects.filter(inbox=inbox_id, agent=agent).exists()
    return f"{agent.display_name} is no longer in this inbox." if was_member else STRANGER
