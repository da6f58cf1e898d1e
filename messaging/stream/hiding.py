"""Hide a thread that an agent deletes, and bring it back when it mentions them."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction
from django.utils import timezone

from inboxes.models import Agent
from messaging.models import Message, Notification
from messaging.stream.notifying import mark_notifications_read
from threads.actions import change_state, hide_thread, restore_for_agents, restore_thread
from threads.membership import assignable_agents
from threads.models import Thread, ThreadState


@transaction.atomic
def delete_thread(*, thread: Thread, agent: Agent, message_id: int) -> bool:
    """Hide the thread for the agent, who was shown it up to `message_id`.

    Their notifications of what they were shown are read with it. Return False if it stays: a
    newer text, or a newer message that mentions the agent, keeps it in the list.
    """
    _lock_agents([agent.pk])
    newest = Message.objects.shown_upto(thread, message_id)
    if newest is None:
        return False
    unseen = Message.objects.filter(thread=thread, pk__gt=newest.pk, kind=Message.Kind.INTERNAL)
    if any(message.mentions_agent(agent.pk) for message in unseen.only("mentions")):
        return False
    now = timezone.now()
    is_hidden = hide_thread(thread=thread, agent=agent, message_id=newest.pk, at=now)
    if is_hidden:
        mark_notifications_read(agent=agent, thread=thread, upto=newest.pk, at=now)
    return is_hidden


# Greater than every message's key so far, and smaller than those to come.
_NEXT_MESSAGE = "SELECT nextval(pg_get_serial_sequence('messaging_message', 'id'))"


def hide_empty_thread(thread_id: int) -> None:
    """Hide a thread without any message, which nobody works on, for all who see its inbox.

    A text that waits, or its first message, brings it back. The caller holds the inbox's counter.
    """
    empty = Thread.objects.filter(pk=thread_id, last_message_id=None, scheduled_count=0)
    untouched = empty.filter(assignee=None, label_ids=[], status=Thread.Status.OPEN)
    thread = untouched.filter(priority="").first()
    if thread is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_MESSAGE)
        (hidden_id,) = cursor.fetchone()
    members = assignable_agents(thread.inbox_id).order_by("pk")
    _lock_agents(members.values_list("pk", flat=True))
    for agent in members:
        change_state(thread=thread, agent=agent, hidden_id=hidden_id)


def show_empty_thread(thread: Thread) -> None:
    """Put a thread without any message back into the lists: a text waits in it now."""
    hidden = ThreadState.objects.filter(thread=thread, hidden_id__gt=0)
    restore_for_agents(thread=thread, agent_ids=hidden.values_list("agent", flat=True))


@transaction.atomic
def undo_delete(*, thread: Thread, agent: Agent) -> None:
    """Put the thread back into the agent's lists, and make unread what was read by deleting it."""
    _lock_agents([agent.pk])
    state = ThreadState.objects.filter(agent=agent, thread=thread).first()
    if state is not None and state.hidden_at is not None:
        read = Notification.objects.filter(agent=agent, thread=thread, read_at=state.hidden_at)
        read.update(read_at=None)
    restore_thread(thread=thread, agent=agent)


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
