"""Alert members to texts that have waited too long for a reply; each wait is told once."""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction

from inboxes import bell, counters
from messaging.stream import notifying
from messaging.work.each_inbox import raise_first, set_aside
from threads import activity
from threads.models import Activity, Thread

# Of one transaction, so that nobody waits long for the inbox's counter.
BATCH = 100

# Waits that were too long for more than a day are history: of those that began long before the
# alert was turned on, or while no worker ran.
_IS_DUE = """
thread.status = 'open' AND thread.needs_reply AND NOT thread.was_alerted
AND thread.waiting_since <= now() - inbox.alert_after_minutes * interval '1 minute'
AND thread.waiting_since > now() - inbox.alert_after_minutes * interval '1 minute'
                                 - interval '1 day'
"""

_FIND_INBOXES = f"""
SELECT inbox.id FROM inboxes_inbox AS inbox
WHERE inbox.alert_after_minutes IS NOT NULL
  AND EXISTS (SELECT FROM threads_thread AS thread WHERE thread.inbox_id = inbox.id AND {_IS_DUE})
ORDER BY inbox.id
"""  # noqa: S608  a constant of ours

_FIND_THREADS = f"""
SELECT thread.id, inbox.alert_after_minutes
FROM inboxes_inbox AS inbox JOIN threads_thread AS thread ON thread.inbox_id = inbox.id
WHERE inbox.id = %(inbox)s AND {_IS_DUE}
ORDER BY thread.waiting_since LIMIT %(limit)s
"""  # noqa: S608  as above


def alert_of_waits() -> int:
    """Alert of all waits that have become too long; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_INBOXES)
        inboxes = [inbox_id for (inbox_id,) in cursor.fetchall()]
    count = 0
    failed: dict[int, DatabaseError] = {}
    for inbox_id in inboxes:
        with set_aside(failed, inbox_id):
            while alerted := alert_some(inbox_id=inbox_id, limit=BATCH):
                count += alerted
                if alerted < BATCH:
                    break
    raise_first(failed)
    return count


@transaction.atomic
def alert_some(*, inbox_id: int, limit: int) -> int:
    """Alert of at most so many waits in the inbox, the longest first; return how many.

    They are looked for under the inbox's counter, so that two workers alert of each once.
    """
    seq = counters.next_inbox_seq(inbox_id)
    with connection.cursor() as cursor:
        cursor.execute(_FIND_THREADS, {"inbox": inbox_id, "limit": limit})
        due = dict(cursor.fetchall())
    if not due:
        return 0
    Thread.objects.filter(pk__in=due).update(was_alerted=True, seq=seq)
    (minutes,) = set(due.values())
    lines = activity.record(
        thread_ids=due.keys(),
        inbox_id=inbox_id,
        actor=None,
        kind=Activity.Kind.WAITING,
        details={"minutes": minutes},
        seq=seq,
    )
    notifying.notify_of_waiting(lines)
    bell.ring_inbox(inbox_id, seq)
    return len(due)
