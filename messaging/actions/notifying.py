"""Who is told of a message, and what they have seen of it."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent
from messaging.models import Message, Notification, NotificationPreference
from threads.models import Thread

# One statement whatever the number of members: who may see the inbox and did not write the
# message, unless they muted the thread or asked for less. A mention passes both.
NOTIFY = """
INSERT INTO messaging_notification
    (agent_id, message_id, thread_id, inbox_id, reason, seq, created_at)
SELECT agent.id, %(message)s, %(thread)s, %(inbox)s,
       CASE WHEN agent.id = ANY(%(mentioned)s) THEN 'mention' ELSE %(kind)s END,
       %(seq)s, %(at)s
FROM inboxes_agent AS agent
LEFT JOIN threads_threadstate AS state
       ON state.agent_id = agent.id AND state.thread_id = %(thread)s
LEFT JOIN messaging_notificationpreference AS preference
       ON preference.agent_id = agent.id AND preference.inbox_id = %(inbox)s
WHERE agent.id IN (
        SELECT agent_id FROM inboxes_membership WHERE inbox_id = %(inbox)s
        UNION ALL
        SELECT owner_id FROM inboxes_inbox WHERE id = %(inbox)s AND owner_id IS NOT NULL)
  AND agent.is_active
  AND agent.id IS DISTINCT FROM %(author)s
  AND (agent.id = ANY(%(mentioned)s)
       OR (NOT COALESCE(state.is_muted, false)
           AND CASE COALESCE(preference.level, 'everything')
                   WHEN 'everything' THEN true
                   WHEN 'inbound' THEN %(kind)s = 'inbound'
                   ELSE false END))
"""


def notify(message: Message) -> None:
    """Tell the others of a message. Call in the message's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            NOTIFY,
            {
                "message": message.pk,
                "thread": message.thread_id,
                "inbox": message.inbox_id,
                "mentioned": [agent_id for _, _, agent_id in message.mentions],
                "kind": message.kind,
                "author": message.author_id,
                "seq": message.seq,
                "at": message.created_at,
            },
        )


@transaction.atomic
def mark_notifications_read(
    *, agent: Agent, notification_id: int | None = None, thread: Thread | None = None
) -> int:
    """Mark one, a thread's, or all of the agent's notifications as read; returns how many.

    Other pages of the same agent follow.
    """
    unread = Notification.objects.filter(agent=agent).unread()
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    if thread is not None:
        unread = unread.filter(thread=thread)
    count = unread.update(read_at=timezone.now())
    if count:
        bell.ring_agent(agent.pk, counters.next_agent_seq(agent.pk))
    return count


def set_preference(*, agent: Agent, inbox_id: int, level: NotificationPreference.Level) -> None:
    NotificationPreference.objects.update_or_create(
        agent=agent, inbox_id=inbox_id, defaults={"level": level}
    )
