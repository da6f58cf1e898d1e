"""Changes of an agent's own state in a thread."""

from __future__ import annotations

from django.db import transaction

from inboxes import bell, counters
from inboxes.models import Agent
from threads.models import Thread, ThreadState


@transaction.atomic
def mark_read(*, thread: Thread, agent: Agent, message_id: int) -> bool:
    """Note the newest message that the agent's page showed; never goes back.

    Returns whether anything changed. Other pages of the same agent follow.
    """
    known = ThreadState.objects.filter(agent=agent, thread=thread).first()
    if known is not None and known.last_read_id >= message_id:
        return False
    seq = counters.next_agent_seq(agent.pk)
    state, is_new = ThreadState.objects.get_or_create(
        agent=agent, thread=thread, defaults={"last_read_id": message_id, "seq": seq}
    )
    if not is_new:
        ThreadState.objects.filter(pk=state.pk, last_read_id__lt=message_id).update(
            last_read_id=message_id, seq=seq
        )
    bell.ring_agent(agent.pk, seq)
    return True
