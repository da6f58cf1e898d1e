"""Pace each number to its carrier's rate, and expire texts that waited too long.

The database holds when a number is next free, and every worker takes turns from it with a single
statement. A text that gets no turn is recorded as waiting, and its job ends. `give_turns` then
hands out turns fairly among the number's threads.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from inboxes import counters
from messaging.models import DeliveryState, Message, Number, Pace
from messaging.models.messages import MessageQuerySet
from messaging.stream import statements, writing
from messaging.stream.jobs import defer_delivery, defer_turns, queues
from messaging.stream.segments import count_segments

# A turn may be taken so much early; the following ones are that much later.
EARLY_SECONDS = 0.05

# Missed turns are made up for up to this, since the worker looks at scheduled jobs about once a
# second.
CATCH_UP_SECONDS = 1.0

# Every so many turns one goes to a text that answers nobody; the rest go to answers first.
OTHERS_EVERY = 4

# A text counts as an answer while the contact's last text is no older than this.
ANSWER_WINDOW = timedelta(hours=24)

RECHECK_AFTER = timedelta(seconds=1)

# The first so many waiting texts of a thread get an expected time, the others later.
MAX_ESTIMATES = 20

_TAKE_TURN = """
INSERT INTO messaging_pace AS pace (number_id, free_at, turn)
VALUES (%(number)s, clock_timestamp() + %(cost)s * interval '1 second', 1)
ON CONFLICT (number_id) DO UPDATE
SET free_at = greatest(pace.free_at, clock_timestamp() - %(catch_up)s * interval '1 second')
              + %(cost)s * interval '1 second',
    turn = pace.turn + 1
WHERE pace.free_at <= clock_timestamp() + %(lead)s * interval '1 second'
RETURNING turn
"""

# The same texts as MessageQuerySet.waiting_for_a_turn, in one inbox.
_WAITING_TEXT = """
SELECT 1 FROM messaging_message
 WHERE kind = 'outbound' AND state = 'queued' AND inbox_id = %s
   AND turn_at IS NULL AND expected_at IS NOT NULL
"""

_WAITING_TEXT_ELSEWHERE = _WAITING_TEXT + "AND thread_id <> %s LIMIT 1"

_COUNT_UNDER_WAY = """
SELECT (SELECT count(*) FROM messaging_attempt AS attempt
          JOIN messaging_message AS message ON message.id = attempt.message_id
         WHERE attempt.state = 'sending' AND message.inbox_id = %(inbox)s)
     + (SELECT count(*) FROM messaging_message
         WHERE kind = 'outbound' AND state = 'queued' AND inbox_id = %(inbox)s
           AND turn_at IS NOT NULL),
       (SELECT count(*) FROM procrastinate_workers
         WHERE last_heartbeat > now() - interval '30 seconds')
"""

_LOCK_INBOX = "SELECT id FROM inboxes_inbox WHERE id = %s FOR NO KEY UPDATE"
_LOCK_PACE = "SELECT turn FROM messaging_pace WHERE number_id = %s FOR UPDATE"

_FREE_AT = "SELECT free_at FROM messaging_pace WHERE number_id = %s"

_FIRST_WAITING_TEXTS = """
SELECT head.id, head.thread_id, head.body,
       coalesce(asked.created_at > now() - %(answer)s * interval '1 second', false) AS is_answer
FROM (SELECT DISTINCT ON (thread_id) id, thread_id, body, turn_at, expected_at, next_try_at
        FROM messaging_message
       WHERE kind = 'outbound' AND state = 'queued' AND inbox_id = %(inbox)s
       ORDER BY thread_id, id) AS head
LEFT JOIN LATERAL (SELECT created_at FROM messaging_message AS message
                    WHERE message.thread_id = head.thread_id AND message.id < head.id
                      AND message.kind = 'inbound'
                    ORDER BY message.id DESC LIMIT 1) AS asked ON true
WHERE head.turn_at IS NULL AND head.expected_at IS NOT NULL
  AND (head.next_try_at IS NULL OR head.next_try_at <= now())
ORDER BY head.id
"""

_PAUSE_AND_SEGMENTS_AHEAD = """
SELECT coalesce((SELECT extract(epoch FROM free_at - clock_timestamp()) FROM messaging_pace
                  WHERE number_id = %(number)s), 0)::float,
       (SELECT coalesce(sum(1 + length(body) / 160), 0) FROM messaging_message
         WHERE kind = 'outbound' AND state = 'queued' AND inbox_id = %(inbox)s
           AND turn_at IS NULL AND id < %(message)s)::float
"""


def take_turn(message: Message, number: Number) -> bool:
    """Return True if the text may go now; the caller then sends it.

    The caller holds the inbox's counter.
    """
    if message.turn_at is not None:
        return True
    others_wait = statements.fetch_row(
        _WAITING_TEXT_ELSEWHERE, [number.inbox_id, message.thread_id]
    )
    return (
        not others_wait
        and _free_slots(number) > 0
        and _take_next_turn(message.body, number) is not None
    )


def wait_for_turn(waiting: MessageQuerySet, number: Number, seq: int) -> None:
    """Give a thread's waiting texts an expected time, and schedule the next turns.

    The caller holds the inbox's counter.
    """
    first = waiting.values_list("pk", "expected_at")[:MAX_ESTIMATES]
    unestimated = [pk for pk, expected_at in first if expected_at is None]
    for message in waiting.filter(pk__in=unestimated) if unestimated else ():
        writing.change_message(message, seq, expected_at=_expected_at(message, number))
    defer_turns(number.pk, at=_next_check_at(number))


@transaction.atomic
def give_turns(number: Number) -> None:
    """Give free turns to waiting threads, and schedule the next round if some still wait."""
    turn = _lock_number(number)
    answers, others = _first_waiting_texts(number)
    room = _free_slots(number)
    while room > 0 and (answers or others):
        is_others = not answers or (bool(others) and turn % OTHERS_EVERY == OTHERS_EVERY - 1)
        message_id, thread_id, body = (others if is_others else answers)[0]
        taken = _take_next_turn(body, number, catch_up=CATCH_UP_SECONDS)
        if taken is None:
            break
        (others if is_others else answers).popleft()
        Message.objects.filter(pk=message_id).update(turn_at=timezone.now())
        defer_delivery(thread_id)
        turn, room = taken, room - 1
    if _has_waiting_texts(number.inbox_id):
        defer_turns(number.pk, at=_next_check_at(number))


def give_turns_after_sending(inbox_id: int) -> None:
    """Give turns at once after a text has left, rather than at the next scheduled round."""
    if _has_waiting_texts(inbox_id):
        for number in Number.objects.select_related("account").filter(inbox=inbox_id):
            give_turns(number)


def wake_forgotten_numbers() -> None:
    """Make sure that every number with waiting texts has a job that gives them turns."""
    waiting = Message.objects.waiting_for_a_turn().values("inbox")
    for number_id in Number.objects.filter(inbox__in=waiting).values_list("pk", flat=True):
        with transaction.atomic():
            defer_turns(number_id, at=timezone.now())


def has_expired(message: Message) -> bool:
    """Return True if the message waited so long that an agent has to decide about it."""
    return (message.wanted_at or message.created_at) < _expiry_limit()


def expired_reason() -> str:
    hours = f"{settings.TEXT_EXPIRY_HOURS:g}"
    return (
        f"This text waited for more than {hours} hour{'' if hours == '1' else 's'} and wasn't "
        "sent, because it may be out of date. Retry sends it now."
    )


def expire_texts() -> int:
    """Fail queued texts that waited too long; return how many."""
    queued = Message.objects.filter(kind=Message.Kind.OUTBOUND, state=DeliveryState.QUEUED)
    old = queued.alias(since=Coalesce(F("wanted_at"), F("created_at"))).filter(
        since__lt=_expiry_limit()
    )
    count = 0
    for inbox_id in sorted(set(old.values_list("inbox", flat=True))):
        with transaction.atomic():
            seq = counters.next_inbox_seq(inbox_id)
            for message in old.filter(inbox=inbox_id).order_by("pk"):
                writing.change_message(
                    message, seq, state=DeliveryState.FAILED, reason=expired_reason()
                )
                count += 1
    return count


def _expiry_limit() -> datetime:
    return timezone.now() - timedelta(hours=settings.TEXT_EXPIRY_HOURS)


def _has_waiting_texts(inbox_id: int) -> bool:
    return statements.fetch_row(_WAITING_TEXT, [inbox_id]) is not None


def _free_slots(number: Number) -> int:
    """Return how many more texts of the number may be under way at once.

    Without this limit a slow carrier would in time occupy all workers and hold up other numbers.
    """
    under_way, workers = statements.fetch_row(_COUNT_UNDER_WAY, {"inbox": number.inbox_id}) or (
        0,
        0,
    )
    # Each process runs one worker per queue, and only one of them sends texts.
    processes = max(1, math.ceil(int(workers) / len(queues())))
    slots = processes * int(settings.WORKER_CONCURRENCY)
    return max(1, slots * 3 // 4) - int(under_way)


def _turn_seconds(body: str, number: Number) -> float:
    """Return for how long the text occupies the number."""
    return max(1, count_segments(body).count) / number.rate


def _take_next_turn(body: str, number: Number, *, catch_up: float = 0.0) -> int | None:
    """Take the number's next turn; return its ordinal, or None while no turn is free."""
    details = {
        "number": number.pk,
        "cost": _turn_seconds(body, number),
        "catch_up": catch_up,
        "lead": EARLY_SECONDS,
    }
    row = statements.fetch_row(_TAKE_TURN, details)
    return None if row is None else int(row[0])


def _lock_number(number: Number) -> int:
    """Lock the number's pace; return the ordinal of its last turn.

    The inbox is locked first: claiming a text takes the two locks in the same order.
    """
    statements.fetch_row(_LOCK_INBOX, [number.inbox_id])
    row = statements.fetch_row(_LOCK_PACE, [number.pk])
    if row is None:
        now = timezone.now()
        Pace.objects.bulk_create([Pace(number=number, free_at=now)], ignore_conflicts=True)
        row = statements.fetch_row(_LOCK_PACE, [number.pk])
    if row is None:
        raise Number.DoesNotExist
    return int(row[0])


# A waiting text's key, its thread's key and its body.
WaitingText = tuple[int, int, str]


def _first_waiting_texts(number: Number) -> tuple[deque[WaitingText], deque[WaitingText]]:
    """Return each thread's first waiting text, answers apart from others, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST_WAITING_TEXTS,
            {"inbox": number.inbox_id, "answer": ANSWER_WINDOW.total_seconds()},
        )
        rows = cursor.fetchall()
    answers = deque(row[:3] for row in rows if row[3])
    return answers, deque(row[:3] for row in rows if not row[3])


def _expected_at(message: Message, number: Number) -> datetime:
    details = {"number": number.pk, "inbox": number.inbox_id, "message": message.pk}
    pause, segments = statements.fetch_row(_PAUSE_AND_SEGMENTS_AHEAD, details) or (0.0, 0.0)
    return timezone.now() + timedelta(seconds=max(0.0, pause) + segments / number.rate)


def _next_check_at(number: Number) -> datetime:
    free_at = statements.fetch_row(_FREE_AT, [number.pk])
    now = timezone.now()
    # If the number is free already, it is the texts under way that are waited for.
    return free_at[0] if free_at is not None and free_at[0] > now else now + RECHECK_AFTER
