"""Changes of a thread for all, and of an agent's own state in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from inboxes import bell, counters
from inboxes.models import Agent
from threads.models import Thread, ThreadState


class _Unset:
    """Stands for a column that a change leaves alone."""


UNSET = _Unset()


@transaction.atomic
def set_priority(*, thread: Thread, priority: str) -> None:
    """How urgent the thread is to the whole team; one of Thread.Priority, or "" for none."""
    seq = counters.next_inbox_seq(thread.inbox_id)
    changed = Thread.objects.filter(pk=thread.pk).exclude(priority=priority)
    if changed.update(priority=priority, seq=seq):
        bell.ring_inbox(thread.inbox_id, seq)
    thread.priority, thread.seq = priority, seq


@transaction.atomic
def mark_read(
    *, thread: Thread, agent: Agent, message_id: int, position: int, is_opening: bool = False
) -> bool:
    """Note the newest message that the agent's page showed, and its place; never goes back.

    Whoever opens the thread takes their own mark "unread" from it; a page that shows it still
    does so only with something newer. Returns whether anything changed. Other pages of the same
    agent follow.
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
    """Have the thread look unread to this agent until they open it, or something newer is read."""
    change_state(thread=thread, agent=agent, is_marked_unread=True)


@transaction.atomic
def hide_thread(*, thread: Thread, agent: Agent, message_id: int) -> bool:
    """Delete the thread for this agent; the others keep it.

    `message_id` is the newest message that the page showed: a text that came after it keeps the
    thread in the list. Returns whether it is hidden now.
    """
    change_state(thread=thread, agent=agent, hidden_id=message_id)
    return not Thread.objects.filter(pk=thread.pk, last_text_id__gt=message_id).exists()


@transaction.atomic
def restore_thread(*, thread: Thread, agent: Agent) -> None:
    """Put a thread that the agent deleted back into their lists."""
    change_state(thread=thread, agent=agent, hidden_id=0)


def bring_back(*, thread: Thread, agent_ids: Collection[int]) -> None:
    """Put the thread back into the lists of those of the agents who deleted it.

    Call inside a transaction, with the agents locked.
    """
    hidden = ThreadState.objects.filter(thread=thread, agent__in=agent_ids, hidden_id__gt=0)
    seqs = counters.next_agent_seqs(hidden.values_list("agent", flat=True))
    for agent_id, seq in seqs.items():
        ThreadState.objects.filter(thread=thread, agent=agent_id).update(hidden_id=0, seq=seq)
        bell.ring_agent(agent_id, seq)


@transaction.atomic
def set_mute(*, thread: Thread, agent: Agent, is_muted: bool) -> None:
    """Stop or resume this agent's notifications of the thread; mentions pass all the same."""
    change_state(thread=thread, agent=agent, is_muted=is_muted)


@transaction.atomic
def save_draft(*, thread: Thread, agent: Agent, body: str, is_internal: bool) -> None:
    """Keep what stands in the agent's composer, and its mode. Other tabs follow."""
    change_state(thread=thread, agent=agent, draft_body=body, draft_is_internal=is_internal)


def change_state(
    *,
    thread: Thread,
    agent: Agent,
    last_read_id: int | _Unset = UNSET,
    read_count: int | _Unset = UNSET,
    is_marked_unread: bool | _Unset = UNSET,
    hidden_id: int | _Unset = UNSET,
    is_muted: bool | _Unset = UNSET,
    draft_body: str | _Unset = UNSET,
    draft_is_internal: bool | _Unset = UNSET,
) -> None:
    """Write what is given of the agent's state, stamped with the agent's counter.

    Call inside a transaction, after any inbox's counter was taken: agents are locked last. What
    was read stays read.
    """
    given = {
        "last_read_id": last_read_id,
        "read_count": read_count,
        "is_marked_unread": is_marked_unread,
        "hidden_id": hidden_id,
        "is_muted": is_muted,
        "draft_body": draft_body,
        "draft_is_internal": draft_is_internal,
    }
    columns: dict[str, Any] = {
        name: value for name, value in given.items() if not isinstance(value, _Unset)
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
