"""Bring snoozed threads back at their hour.

The status itself says until when: no restart forgets one. The threads are read anew under their
inbox's counter, so that two workers at once bring each back once.
"""

from __future__ import annotations

from django.db import DatabaseError
from django.utils import timezone

from inboxes.models import Inbox
from messaging.work import deeds
from messaging.work.each_inbox import raise_first, set_aside
from threads.models import Thread

# Threads in one transaction, so that nobody waits long for the inbox's counter.
BATCH = 100


def end_due_snoozes() -> int:
    """Open all threads whose snooze has ended, a batch of each inbox in turn; return how many."""
    count = 0
    failed: dict[int, DatabaseError] = {}
    while inbox_ids := [one for one in _inboxes_with_due_threads() if one not in failed]:
        for inbox_id in inbox_ids:
            with set_aside(failed, inbox_id):
                count += len(deeds.wake_some(inbox_id=inbox_id, limit=BATCH))
    raise_first(failed)
    return count


def _inboxes_with_due_threads() -> list[int]:
    due = Thread.objects.filter(status=Thread.Status.SNOOZED, snoozed_until__lte=timezone.now())
    in_use = Inbox.objects.filter(pk__in=due.values("inbox"))
    return list(in_use.order_by("pk").values_list("pk", flat=True))
