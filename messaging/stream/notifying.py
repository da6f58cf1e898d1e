"""Create notifications and mark them as read; keep agents' preferences and push subscriptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent, Inbox
from messaging.models import Message, Notification, NotificationPreference, PushSubscription
from messaging.models.notifications import MOST_BROWSERS, NotificationQuerySet
from messaging.stream.jobs import defer_activity_pushes, defer_agent_pushes, defer_push
from threads.models import Activity, Thread

# One statement for any number of members: everybody who may see the inbox, except the author and
# those who muted the thread or chose fewer notifications. A mention overrides both.
# Whoever chose “Mine and mentions” is told of threads that are theirs, and of those that are
# nobody's, if the inbox says so.
# It returns whether any of them has a browser to push to.
NOTIFY = """
WITH notified AS (
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
       OR (NOT %(only_mentioned)s AND NOT COALESCE(state.is_muted, false)
           AND CASE COALESCE(preference.level, 'everything')
                   WHEN 'everything' THEN true
                   WHEN 'inbound' THEN %(kind)s = 'inbound'
                   WHEN 'mine' THEN COALESCE(
                       (SELECT assignee_id FROM threads_thread WHERE id = %(thread)s) = agent.id,
                       (SELECT unassigned_notifies FROM inboxes_inbox WHERE id = %(inbox)s))
                   ELSE false END))
RETURNING agent_id)
SELECT EXISTS (
    SELECT 1 FROM messaging_pushsubscription AS browser
    WHERE browser.agent_id IN (SELECT agent_id FROM notified))
"""


def notify_members(message: Message, *, only_mentioned: bool = False) -> None:
    """Create the notifications of a message, for all or for those whom it mentions.

    Call in the message's transaction.
    """
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
                "only_mentioned": only_mentioned,
                "seq": message.seq,
                "at": message.created_at,
            },
        )
        (has_browsers,) = cursor.fetchone()
    if has_browsers:
        defer_push(message.pk)


# One statement for any number of activities and agents. It leaves out who may not see the inbox,
# and who did it themselves, and returns who has a browser to push to.
_NOTIFY_OF_ACTIVITIES = """
WITH wanted AS ({wanted}),
notified AS (
INSERT INTO messaging_notification
    (agent_id, activity_id, thread_id, inbox_id, reason, seq, created_at)
SELECT agent.id, activity.id, activity.thread_id, activity.inbox_id,
       %(reason)s, activity.seq, activity.created_at
FROM wanted
JOIN threads_activity AS activity ON activity.id = wanted.activity_id
JOIN inboxes_agent AS agent ON agent.id = wanted.agent_id
WHERE agent.is_active
  AND agent.id IS DISTINCT FROM activity.actor_id
  AND EXISTS (
        SELECT FROM inboxes_membership AS member
        WHERE member.inbox_id = activity.inbox_id AND member.agent_id = agent.id
        UNION ALL
        SELECT FROM inboxes_inbox WHERE id = activity.inbox_id AND owner_id = agent.id)
ON CONFLICT DO NOTHING
RETURNING agent_id, activity_id)
SELECT agent_id, activity_id FROM notified
WHERE EXISTS (
    SELECT FROM messaging_pushsubscription AS browser WHERE browser.agent_id = notified.agent_id)
ORDER BY activity_id, agent_id
"""

_NOTIFY_GIVEN = _NOTIFY_OF_ACTIVITIES.format(
    wanted="""
    SELECT * FROM unnest(%(activities)s::bigint[], %(agents)s::bigint[])
        AS told (activity_id, agent_id)"""
)

# The assignee of the thread, or all members of its inbox whose level covers a text that came in.
_NOTIFY_OF_WAITING = _NOTIFY_OF_ACTIVITIES.format(
    wanted="""
    SELECT activity.id AS activity_id, agent.id AS agent_id
    FROM threads_activity AS activity
    JOIN threads_thread AS thread ON thread.id = activity.thread_id
    JOIN inboxes_inbox AS inbox ON inbox.id = thread.inbox_id
    JOIN inboxes_agent AS agent ON CASE
            WHEN thread.assignee_id IS NOT NULL THEN agent.id = thread.assignee_id
            ELSE agent.id = inbox.owner_id OR agent.id IN (
                SELECT agent_id FROM inboxes_membership WHERE inbox_id = inbox.id) END
    LEFT JOIN threads_threadstate AS state
           ON state.agent_id = agent.id AND state.thread_id = thread.id
    LEFT JOIN messaging_notificationpreference AS preference
           ON preference.agent_id = agent.id AND preference.inbox_id = inbox.id
    WHERE activity.id = ANY(%(activities)s)
      AND NOT COALESCE(state.is_muted, false)
      AND (thread.assignee_id IS NOT NULL
           OR CASE COALESCE(preference.level, 'everything')
                   WHEN 'mentions' THEN false
                   WHEN 'mine' THEN inbox.unassigned_notifies
                   ELSE true END)"""
)


def notify_of_activity(activity: Activity, agent_ids: Iterable[int], reason: str) -> None:
    """Notify agents of a change of a thread's work, also if they muted the thread.

    Leaves out who made the change, and who may not see the inbox. Call in the transaction that
    recorded the activity, under the inbox's counter.
    """
    notify_of_activities([(activity, agent_id) for agent_id in agent_ids], reason)


def notify_of_activities(told: Collection[tuple[Activity, int]], reason: str) -> None:
    """Notify each agent of the activity beside them, in one statement, as `notify_of_activity`
    does."""
    if told:
        _insert_and_push(
            _NOTIFY_GIVEN,
            reason,
            activities=[activity.pk for activity, _ in told],
            agents=[agent_id for _, agent_id in told],
        )


def notify_of_waiting(activities: Collection[Activity]) -> None:
    """Notify of texts that have waited for too long: whose thread it is, else all members by their
    levels; nobody who muted the thread. One statement for any number of threads."""
    _insert_and_push(
        _NOTIFY_OF_WAITING,
        Notification.Reason.WAITING,
        activities=[activity.pk for activity in activities],
    )


def _insert_and_push(statement: str, reason: str, **details: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"reason": Notification.Reason(reason), **details})
        pushed = cursor.fetchall()
    agents: dict[int, list[int]] = defaultdict(list)
    for agent_id, activity_id in pushed:
        agents[activity_id].append(agent_id)
    for activity_id, agent_ids in agents.items():
        defer_activity_pushes(activity_id, agent_ids)


def notify_author(message: Message, reason: str, seq: int) -> None:
    """Tell the author that a text of theirs failed or is unknown, also in a muted thread.

    Tells nobody if no agent wrote it, or if its author has left the inbox. Each failure is told
    once: a retry that fails too is told anew. The caller holds the inbox's counter.
    """
    author = message.author
    if (
        author is None
        or not author.is_active
        or not Inbox.objects.visible_to(author).filter(pk=message.inbox_id).exists()
    ):
        return
    _of_author(message).delete()
    Notification.objects.create(
        agent=author,
        message=message,
        thread_id=message.thread_id,
        inbox_id=message.inbox_id,
        reason=Notification.Reason(reason),
        seq=seq,
        created_at=timezone.now(),
    )
    if author.push_subscriptions.exists():
        defer_agent_pushes(message.pk, [author.pk])


def reword_failure(message: Message, reason: str) -> None:
    """Let the author's notification say what is known by now, without telling them again."""
    _of_author(message).update(reason=Notification.Reason(reason))


def withdraw_failure(message: Message, seq: int) -> None:
    """Mark the author's notification as read: the text is on its way again, or was delivered.

    Their bell follows with the inbox's counter, which the caller holds.
    """
    _of_author(message).unread().update(read_at=timezone.now(), seq=seq)


def _of_author(message: Message) -> NotificationQuerySet:
    return Notification.objects.filter(message=message, agent=message.author_id)


@transaction.atomic
def mark_notifications_read(
    *,
    agent: Agent,
    notification_id: int | None = None,
    thread: Thread | None = None,
    upto: int | None = None,
    at: datetime | None = None,
) -> int:
    """Mark one, a thread's, or all of the agent's notifications as read; return how many.

    `upto` is the newest message that the page has shown; notifications of what came after it stay
    unread.
    `at` is when they were read, if not now.
    The agent's other open pages follow. The agent is locked before the notifications, as where a
    thread is deleted.
    """
    unread = Notification.objects.filter(agent=agent).unread()
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    if thread is not None:
        unread = unread.filter(thread=thread)
    if upto is not None:
        shown = Activity.objects.filter(thread=thread, after_id__lte=upto)
        unread = unread.filter(Q(message__lte=upto) | Q(activity__in=shown.values("pk")))
    # A notification is updated once the agent's row has come out of this, and so is locked.
    locked = Agent.objects.select_for_update(no_key=True).filter(pk=agent.pk)
    count = unread.filter(agent__in=locked).update(read_at=at or timezone.now())
    if count:
        bell.ring_agent(agent.pk, counters.next_agent_seq(agent.pk))
    return count


def set_preference(*, agent: Agent, inbox_id: int, level: NotificationPreference.Level) -> None:
    NotificationPreference.objects.update_or_create(
        agent=agent, inbox_id=inbox_id, defaults={"level": level}
    )


def set_sound(*, agent: Agent, has_sound: bool) -> None:
    """Turn the sound of the agent's notifications on or off."""
    Agent.objects.filter(pk=agent.pk).update(has_sound=has_sound)
    agent.has_sound = has_sound


KEEP_READ = timedelta(days=30)
KEEP_UNREAD = timedelta(days=90)
DELETING_BATCH = 1_000


def delete_old_notifications() -> int:
    """Delete notifications, read ones after a month, unread ones after three; return how many.

    The transactions are small, so that nobody waits for their locks.
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
    """Subscribe a browser to the agent's pushes for as long as the session lives.

    A browser that another agent had subscribed changes hands. If the agent has too many browsers,
    the one that failed most often is dropped, or else the oldest.
    """
    # The lock keeps two subscriptions at once from exceeding the limit.
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
