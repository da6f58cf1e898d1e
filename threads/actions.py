"""Actions on a thread for everybody, and on an agent's own state in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from inboxes import bell, counters
from inboxes.models import Agent
from threads import activity
from threads.membership import check_member
from threads.models import Activity, Thread, ThreadState


class _Unset:
    """The type of UNSET, which leaves a column as it is."""


UNSET = _Unset()


@transaction.atomic
def set_priority(*, thread: Thread, priority: str, by: Agent) -> None:
    """Set the thread's priority for the whole team: one of Thread.Priority, or "" for none."""
    seq = counters.next_inbox_seq(thread.inbox_id)
    check_member(by, thread.inbox_id)
    changed = Thread.objects.filter(pk=thread.pk).exclude(priority=priority)
    if changed.update(priority=priority, seq=seq):
        activity.record(
            thread_ids=[thread.pk],
            inbox_id=thread.inbox_id,
            actor=by,
            kind=Activity.Kind.PRIORITY,
            details={"priority": priority},
            seq=seq,
        )
        bell.ring_inbox(thread.inbox_id, seq)
    thread.priority, thread.seq = priority, seq


@transaction.atomic
def mark_read(
    *, thread: Thread, agent: Agent, message_id: int, position: int, is_opening: bool = False
) -> bool:
    """Record the newest message that the agent's page showed; a read mark never moves back.

    `position` is the message's position in the thread. Opening the thread also removes the agent's
    own mark "unread"; a page that shows it already does so only with a newer message. Returns True
    if anything changed.
    """
    known = ThreadState.objects.filter(agent=agent, thread=thread).first()
    is_known = known is not None and known.last_read_id >= message_id
    if is_known and not (is_opening and known is not None and known.is_marked_unread):
        return False
    change_state(
        thread=thread,
        agent=agent,
        last_read_id=message_id,
        read_count=position,
        is_marked_unread=False,
    )
    return True


@transaction.atomic
def mark_unread(*, thread: Thread, agent: Agent) -> None:
    """Show the thread as unread to this agent until they open it or read a newer message."""
    change_state(thread=thread, agent=agent, is_marked_unread=True)


@transaction.atomic
def hide_thread(
    *, thread: Thread, agent: Agent, message_id: int, at: datetime | None = None
) -> bool:
    """Delete the thread for this agent; the others keep it.

    `message_id` is the newest message that the page showed: a text that came in after it keeps the
    thread in the list. Returns True if the thread is hidden now.
    """
    change_state(thread=thread, agent=agent, hidden_id=message_id, hidden_at=at)
    return not Thread.objects.filter(pk=thread.pk, last_text_id__gt=message_id).exists()


@transaction.atomic
def restore_thread(*, thread: Thread, agent: Agent) -> None:
    """Put a thread that the agent deleted back into their lists."""
    change_state(thread=thread, agent=agent, hidden_id=0, hidden_at=None)


def restore_for_agents(*, thread: Thread, agent_ids: Collection[int]) -> None:
    """Put the thread back into the lists of those of the agents who deleted it.

    The caller needs a transaction in which it has locked the agents.
    """
    hidden = ThreadState.objects.filter(thread=thread, agent__in=agent_ids, hidden_id__gt=0)
    seqs = counters.next_agent_seqs(hidden.values_list("agent", flat=True))
    for agent_id, seq in seqs.items():
        ThreadState.objects.filter(thread=thread, agent=agent_id).update(hidden_id=0, seq=seq)
        bell.ring_agent(agent_id, seq)


def restore_threads(*, thread_ids: Collection[int], agent_id: int) -> None:
    """Put those of the threads that the agent deleted back into their lists.

    The caller needs a transaction, and has to take any inbox's counter first.
    """
    hidden = ThreadState.objects.filter(agent=agent_id, thread__in=thread_ids, hidden_id__gt=0)
    if hidden.exists():
        seq = counters.next_agent_seq(agent_id)
        hidden.update(hidden_id=0, hidden_at=None, seq=seq)
        bell.ring_agent(agent_id, seq)


@transaction.atomic
def set_mute(*, thread: Thread, agent: Agent, is_muted: bool) -> None:
    """Stop or resume this agent's notifications of the thread; mentions still notify them."""
    change_state(thread=thread, agent=agent, is_muted=is_muted)


@transaction.atomic
def save_draft(*, thread: Thread, agent: Agent, body: str, is_internal: bool) -> None:
    """Save the text in the agent's composer, and its mode. Other tabs of the agent follow."""
    change_state(thread=thread, agent=agent, draft_body=body, draft_is_internal=is_internal)


def change_state(
    *,
    thread: Thread,
    agent: Agent,
    last_read_id: int | _Unset = UNSET,
    read_count: int | _Unset = UNSET,
    is_marked_unread: bool | _Unset = UNSET,
    hidden_id: int | _Unset = UNSET,
    hidden_at: datetime | _Unset | None = UNSET,
    is_muted: bool | _Unset = UNSET,
    draft_body: str | _Unset = UNSET,
    draft_is_internal: bool | _Unset = UNSET,
) -> None:
    """Change the given columns of the agent's state, and stamp it with the agent's counter.

    The caller needs a transaction, and has to take any inbox's counter first: agents are locked
    last. The read mark only moves forward.
    """
    values = {
        "last_read_id": last_read_id,
        "read_count": read_count,
        "is_marked_unread": is_marked_unread,
        "hidden_id": hidden_id,
        "hidden_at": hidden_at,
        "is_muted": is_muted,
        "draft_body": draft_body,
        "draft_is_internal": draft_is_internal,
    }
    columns: dict[str, Any] = {
        name: value for name, value in values.items() if not isinstance(value, _Unset)
    }
    seq = counters.next_agent_seq(agent.pk)
    state, is_new = ThreadState.objects.get_or_create(
        agent=agent, thread=thread, defaults={**columns, "seq": seq}
    )
    if not is_new:
        for name in {"last_read_id", "read_count"} & columns.keys():
            columns[name] = Greatest(F(name), columns[name])
        ThreadState.objects.filter(pk=state.pk).update(**columns, seq=seq)
    bell.ring_agent(agent.pk, seq)
