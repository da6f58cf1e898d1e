"""A thread deleted by one agent, and back again."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from inboxes.models import Agent
from messaging.models import Message
from threads.actions import hide_thread, restore_for_agents
from threads.models import Thread


@transaction.atomic
def delete_thread(*, thread: Thread, agent: Agent, message_id: int) -> bool:
    """Hide the thread for this agent, who was shown it up to a message.

    Returns whether it is hidden now: a text, or a word that mentions them, that arrived unseen
    keeps it in the list.
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
    """Put the thread back into the lists of those whom a message mentions. In its transaction.

    The author's counter is taken next: all of them are locked at once, in order of their keys.
    """
    if mentioned:
        _lock_agents([author.pk, *mentioned])
        restore_for_agents(thread=thread, agent_ids=mentioned)


def _lock_agents(agent_ids: Collection[int]) -> None:
    """Whoever hides a thread and whoever mentions them in it come one after the other."""
    list(
        Agent.objects.select_for_update(no_key=True)
        .filter(pk__in=agent_ids)
        .order_by("pk")
        .values_list("pk")
    )
