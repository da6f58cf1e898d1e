"""Mark many threads as read or unread for one agent, or delete them for that agent.

They follow the rules of the actions on a single thread: `threads/actions.py` and
`messaging/stream/hiding.py`. `shown` names, for each thread, the newest message that the page
showed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from inboxes import counters
from inboxes.models import Agent
from messaging.models import Message, Notification
from threads.changes import Change
from threads.models import Thread
from threads.state_changes import change_states, restore_states

# The newest message of each thread that the page showed, and its position.
_SHOWN = """
SELECT wanted.thread_id, message.id, message.position
FROM unnest(%(threads)s::bigint[], %(messages)s::bigint[]) AS wanted (thread_id, message_id)
CROSS JOIN LATERAL (
    SELECT id, position FROM messaging_message
    WHERE thread_id = wanted.thread_id AND id <= wanted.message_id
    ORDER BY id DESC LIMIT 1) AS message
"""

_READ_NOTIFICATIONS = """
UPDATE messaging_notification AS notification SET read_at = %(at)s
FROM unnest(%(threads)s::bigint[], %(messages)s::bigint[]) AS shown (thread_id, message_id)
WHERE notification.agent_id = %(agent)s AND notification.read_at IS NULL
  AND notification.thread_id = shown.thread_id
  AND (notification.message_id <= shown.message_id OR EXISTS (
        SELECT FROM threads_activity AS activity
        WHERE activity.id = notification.activity_id AND activity.after_id <= shown.message_id))
RETURNING notification.thread_id
"""


@transaction.atomic
def mark_many_read(*, agent: Agent, shown: Mapping[int, int], at: datetime) -> list[Change]:
    """Mark the threads as read up to what was shown, and the notifications about that.

    `at` is when the notifications are read; by it `take_back` finds them again.
    """
    counters.next_agent_seq(agent.pk)  # locks the agent before their notifications
    newest = _find_shown(shown)
    upto = {thread_id: message_id for thread_id, (message_id, _) in newest.items()}
    return change_states(
        agent_id=agent.pk,
        wanted={
            thread_id: {
                "last_read_id": message_id,
                "read_count": position,
                "is_marked_unread": False,
            }
            for thread_id, (message_id, position) in newest.items()
        },
        unchanged_too=_read_notifications(agent, upto, at),
    )


@transaction.atomic
def mark_many_unread(*, agent: Agent, thread_ids: Iterable[int]) -> list[Change]:
    """Show the threads as unread to this agent until they open them or read a newer message."""
    wanted = {thread_id: {"is_marked_unread": True} for thread_id in thread_ids}
    return change_states(agent_id=agent.pk, wanted=wanted)


@transaction.atomic
def delete_many(
    *, agent: Agent, shown: Mapping[int, int], at: datetime
) -> tuple[list[Change], set[int]]:
    """Hide the threads for this agent. Return the changes, and the threads that stay.

    A newer text keeps a thread in the lists, and so does a newer message that mentions the agent.
    """
    # It serialises hiding a thread and mentioning the agent in it.
    counters.next_agent_seq(agent.pk)
    upto = {thread_id: message_id for thread_id, (message_id, _) in _find_shown(shown).items()}
    kept = _find_unseen(agent, upto)
    hidden = {thread_id: key for thread_id, key in upto.items() if thread_id not in kept}
    wanted = {key: {"hidden_id": newest, "hidden_at": at} for key, newest in hidden.items()}
    changes = change_states(agent_id=agent.pk, wanted=wanted)
    _read_notifications(agent, hidden, at)
    return changes, kept


@transaction.atomic
def take_back(*, agent: Agent, changes: Collection[Change], at: datetime) -> set[int]:
    """Undo what one of these actions did at that time; return in which threads.

    What has changed since then stays as it is.
    """
    undone = restore_states(agent_id=agent.pk, changes=changes)
    read = Notification.objects.filter(agent=agent, thread__in=undone, read_at=at)
    read.update(read_at=None)
    return undone


def _find_shown(shown: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return the newest message of each thread that the page showed, and its position."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, _as_arrays(shown))
        return {thread_id: (key, position) for thread_id, key, position in cursor.fetchall()}


def _find_unseen(agent: Agent, upto: Mapping[int, int]) -> set[int]:
    """Return the threads with something newer that keeps them in the agent's lists."""
    threads = Thread.objects.filter(pk__in=upto)
    texts = threads.values_list("pk", "last_text_id")
    kept = {key for key, last_text_id in texts if last_text_id > upto[key]}
    messages = threads.values_list("pk", "last_message_id")
    written = [key for key, last in messages if (last or 0) > upto[key]]
    internal = Message.objects.filter(thread__in=written, kind=Message.Kind.INTERNAL)
    newer = internal.filter(pk__gt=min((upto[key] for key in written), default=0))
    return kept | {
        message.thread_id
        for message in newer.only("thread", "mentions")
        if message.pk > upto[message.thread_id] and message.mentions_agent(agent.pk)
    }


def _read_notifications(agent: Agent, upto: Mapping[int, int], at: datetime) -> set[int]:
    """Mark the agent's notifications as read; return the threads that they are about.

    The caller has locked the agent.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ_NOTIFICATIONS, _as_arrays(upto) | {"agent": agent.pk, "at": at})
        return {thread_id for (thread_id,) in cursor.fetchall()}


def _as_arrays(by_thread: Mapping[int, int]) -> dict[str, Any]:
    return {"threads": [*by_thread], "messages": [*by_thread.values()]}
