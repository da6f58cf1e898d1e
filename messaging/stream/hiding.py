"""Hide a thread that an agent deletes, and bring it back when it mentions them."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from inboxes.models import Agent
from messaging.models import Message
from threads.actions import hide_thread, restore_for_agents
from threads.models import Thread


@transaction.atomic
def delete_thread(*, thread: Thread, agent: Agent, message_id: int) -> bool:
    """Hide the thread for the agent, who was shown it up to `message_id`.

    Return False if it stays: a newer text, or a newer message that mentions the agent, keeps it in
    the list.
    """
    _lock_agents([agent.pk])
    newest = Message.objects.shown_upto(thread, message_id)
    if newest is None:
        return False
    unseen = Message.objects.filter(thread=thread, pk__gt=newest.pk, kind=Message.Kind.INTERNAL)
    if any(message.mentions_agent(agent.pk) for message in unseen.only("mentions")):
        return False
    return hide_thread(thread=thread, agent=agent, message_id=newest.pk)


def restore_for_mentioned(*, thread: Thread, author: Agent, mentioned: Collection[int]) -> None:
    """Put the thread back into the lists of the agents whom a message mentions.

    Call in the message's transaction. The author is locked too, in order of keys, since the
    author's counter is advanced next.
    """
    if mentioned:
        _lock_agents([author.pk, *mentioned])
        restore_for_agents(thread=thread, agent_ids=mentioned)


def _lock_agents(agent_ids: Collection[int]) -> None:
    """Serialise hiding a thread and mentioning an agent in it."""
    list(
        Agent.objects.select_for_update(no_key=True)
        .filter(pk__in=agent_ids)
        .order_by("pk")
        .values_list("pk")
    )
