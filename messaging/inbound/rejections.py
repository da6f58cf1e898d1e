"""Count webhooks with a wrong signature. Anybody can send them, so counting must stay cheap."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.models import CarrierAccount, Rejection

# An account keeps at most so many reasons.
MAX_REASONS = 10

# A process writes at most so many rejections a second. The rest are counted in memory and added
# to the next one, so that a flood does not load the database.
MAX_WRITES_PER_SECOND = 10

_SECONDS = re.compile(r"\b\d+ s\b")

# One statement updates the account's sum and last rejection, and the row of the reason.
_COUNT_REJECTIONS = """
WITH summed AS (
    UPDATE messaging_carrieraccount
       SET rejected_count = rejected_count + %(number)s, last_rejected_at = %(at)s,
           last_rejection = %(last)s
     WHERE id = %(account)s)
INSERT INTO messaging_rejection AS known (account_id, reason, count, first_at, last_at)
VALUES (%(account)s, %(reason)s, %(number)s, %(at)s, %(at)s)
ON CONFLICT (account_id, reason) DO UPDATE
   SET count = known.count + excluded.count, last_at = excluded.last_at
RETURNING xmax = 0
"""


@dataclass(slots=True)
class _RecentWrites:
    """Count what this process has written for one account in the current second."""

    began: float = 0.0
    written: int = 0
    unwritten: int = 0


_recent_writes: dict[int, _RecentWrites] = {}
_lock = Lock()


def count_rejection(*, account: CarrierAccount, reason: str) -> None:
    """Count one rejection with its reason and time; nothing of the request is kept."""
    number = _number_to_write(account.pk)
    if not number:
        return
    details: dict[str, Any] = {
        "account": account.pk,
        "number": number,
        "last": reason[:255],
        "reason": _SECONDS.sub("some seconds", reason)[:255],
        "at": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_REJECTIONS, details)
        (is_new,) = cursor.fetchone()
    if is_new:
        newest = Rejection.objects.filter(account=account).order_by("-last_at", "-pk")
        kept = list(newest.values_list("pk", flat=True)[:MAX_REASONS])
        Rejection.objects.filter(account=account).exclude(pk__in=kept).delete()


def _number_to_write(account_id: int) -> int:
    """Return how many rejections to add now: 0 once this second's limit is reached."""
    with _lock:
        now = time.monotonic()
        recent = _recent_writes.setdefault(account_id, _RecentWrites())
        if now - recent.began >= 1:
            recent.began, recent.written = now, 0
        if recent.written >= MAX_WRITES_PER_SECOND:
            recent.unwritten += 1
            return 0
        recent.written += 1
        number, recent.unwritten = 1 + recent.unwritten, 0
        return number
