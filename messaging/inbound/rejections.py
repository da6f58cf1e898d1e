"""Counting the webhooks that were not proven to be a carrier's. Anybody may cause that."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.models import CarrierAccount, Rejection

MAX_REASONS = 10
"""Reasons of an account."""

MAX_WRITES_PER_SECOND = 10
"""Rejections that a process writes down within a second, at most. What comes on top is counted in
memory and added to the next: a flood costs no more of the database than that."""

_SECONDS = re.compile(r"\b\d+ s\b")

# One statement: the sum and the last one in the account's row, the reason in its own.
_COUNT_REJECTIONS = """
WITH summed AS (
    UPDATE messaging_carrieraccount
       SET rejected_count = rejected_count + %(number)s, last_rejected_at = %(at)s,
           last_rejection = %(said)s
     WHERE id = %(account)s)
INSERT INTO messaging_rejection AS known (account_id, reason, count, first_at, last_at)
VALUES (%(account)s, %(reason)s, %(number)s, %(at)s, %(at)s)
ON CONFLICT (account_id, reason) DO UPDATE
   SET count = known.count + excluded.count, last_at = excluded.last_at
RETURNING xmax = 0
"""


@dataclass(slots=True)
class _RecentWrites:
    """What a process did of late for one account."""

    began: float = 0.0
    written: int = 0
    held: int = 0


_recent_writes: dict[int, _RecentWrites] = {}
_lock = Lock()


def count_rejection(*, account: CarrierAccount, reason: str) -> None:
    """Count one, with the reason and the time, and nothing of what was sent."""
    number = _number_to_write(account.pk)
    if not number:
        return
    details: dict[str, Any] = {
        "account": account.pk,
        "number": number,
        "said": reason[:255],
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
    """How many to add now; none while enough was written within this second."""
    with _lock:
        now = time.monotonic()
        second = _recent_writes.setdefault(account_id, _RecentWrites())
        if now - second.began >= 1:
            second.began, second.written = now, 0
        if second.written >= MAX_WRITES_PER_SECOND:
            second.held += 1
            return 0
        second.written += 1
        number, second.held = 1 + second.held, 0
        return number
