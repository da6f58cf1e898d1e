"""Who is told of a message, and what they have seen of it."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent
from messaging.models import Message, Notification, NotificationPreference, PushSubscription
from messaging.models.notifications import MOST_BROWSERS
from messaging.stream.jobs import defer_push
from threads.models import Thread

# One statement whatever the number of members: who may see the inbox and did not write the
# message, unless they muted the thread or asked for less. A mention passes both.
# It returns whether any of them has a browser to be woken.
NOTIFY = """
WITH told AS (
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
RETURNING agent_id)
SELECT EXISTS (
    SELECT 1 FROM messaging_pushsubscription AS browser
    WHERE browser.agent_id IN (SELECT agent_id FROM told))
"""


def notify_members(message: Message) -> None:
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
        (has_browsers,) = cursor.fetchone()
    if has_browsers:
        defer_push(message.pk)


@transaction.atomic
def mark_notifications_read(
    *,
    agent: Agent,
    notification_id: int | None = None,
    thread: Thread | None = None,
    upto: int | None = None,
) -> int:
    """Mark one, a thread's, or all of the agent's notifications as read; returns how many.

    `upto` is the newest message that the page has shown: what came after it stays unread. Other
    pages of the same agent follow.
    """
    unread = Notification.objects.filter(agent=agent).unread()
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    if thread is not None:
        unread = unread.filter(thread=thread)
    if upto is not None:
        unread = unread.filter(message__lte=upto)
    count = unread.update(read_at=timezone.now())
    if count:
        bell.ring_agent(agent.pk, counters.next_agent_seq(agent.pk))
    return count


def set_preference(*, agent: Agent, inbox_id: int, level: NotificationPreference.Level) -> None:
    NotificationPreference.objects.update_or_create(
        agent=agent, inbox_id=inbox_id, defaults={"level": level}
    )


def set_sound(*, agent: Agent, has_sound: bool) -> None:
    """Whether a short sound comes with each of the agent's notifications."""
    Agent.objects.filter(pk=agent.pk).update(has_sound=has_sound)
    agent.has_sound = has_sound


KEEP_READ = timedelta(days=30)
KEEP_UNREAD = timedelta(days=90)
DELETING_BATCH = 1_000


def delete_old_notifications() -> int:
    """Delete what was read a month ago or overlooked for three; returns how many.

    In small transactions, so that nobody waits for it.
    """
    now = timezone.now()
    old = Notification.objects.filter(
        Q(read_at__lt=now - KEEP_READ) | Q(read_at=None, created_at__lt=now - KEEP_UNREAD),
        created_at__lt=now - KEEP_READ,
    )
    count = 0
    while True:
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[:DELETING_BATCH])
        Notification.objects.filter(pk__in=batch).delete()
        count += len(batch)
        if len(batch) < DELETING_BATCH:
            return count


@transaction.atomic
def subscribe_push(
    *, agent: Agent, session_key: str, endpoint: str, p256dh: str, auth: str
) -> PushSubscription:
    """Have this browser woken for the agent while the session lives.

    A browser that was somebody else's changes hands. One too many takes the place of the agent's
    worst: the one that failed most often, else the oldest.
    """
    # One at a time for an agent, or two at once would leave them with one too many.
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    subscription, _ = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "agent": agent,
            "p256dh": p256dh,
            "auth": auth,
            "session_key": session_key,
            "session_hash": agent.get_session_auth_hash(),
            "failures": 0,
            "paused_until": None,
        },
    )
    others = agent.push_subscriptions.exclude(pk=subscription.pk).best_first()
    too_many = list(others.values_list("pk", flat=True)[MOST_BROWSERS - 1 :])
    PushSubscription.objects.filter(pk__in=too_many).delete()
    return subscription


def unsubscribe_push(*, agent: Agent, subscription_id: int) -> None:
    PushSubscription.objects.filter(agent=agent, pk=subscription_id).delete()
