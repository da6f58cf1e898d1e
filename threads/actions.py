"""Changes of an agent's own state in a thread."""

from __future__ import annotations

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
def mark_read(*, thread: Thread, agent: Agent, message_id: int, position: int) -> bool:
    """Note the newest message that the agent's page showed, and its place; never goes back.

    Returns whether anything changed. Other pages of the same agent follow.
    """
    known = ThreadState.objects.filter(agent=agent, thread=thread).first()
    if known is not None and known.last_read_id >= message_id and not known.is_marked_unread:
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
