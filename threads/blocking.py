"""Write whether the team has blocked a contact, on the contact and on their thread.

A thread of a blocked contact has the status *blocked*, which no text and no deed ends. The callers
hold the inbox's counter, so that no text comes in meanwhile. They record the activity, count
anew what leaves or joins the lists, and ring.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F

from inboxes.models import Inbox
from threads.models import Contact, Thread
from threads.status import OPEN, WorkStatus

BLOCKED = WorkStatus(Thread.Status.BLOCKED)

# The columns of an inbox's row about its last message, as they are without any.
_NO_MESSAGE: dict[str, Any] = {
    "last_message_id": None,
    "last_kind": "",
    "last_author": None,
    "last_excerpt": "",
    "last_mentions": [],
    "last_at": None,
}


def block(*, contact_id: int, by_id: int, at: datetime, seq: int) -> WorkStatus | None:
    """Block a contact; return what the status of their thread was, None if they have none.

    The caller knows that they are not blocked yet.
    """
    Contact.objects.filter(pk=contact_id).update(blocked_at=at, blocked_by=by_id)
    thread = Thread.objects.filter(contact=contact_id).first()
    if thread is None:
        return None
    _write(thread, BLOCKED, seq)
    return WorkStatus(thread.status, thread.snoozed_until, thread.snoozed_by_id)


def unblock(*, contact_id: int, seq: int, status: WorkStatus = OPEN) -> None:
    """Unblock a contact, and give their thread this status."""
    Contact.objects.filter(pk=contact_id).update(blocked_at=None, blocked_by=None)
    thread = Thread.objects.filter(contact=contact_id).first()
    if thread is not None:
        _write(thread, status, seq)


def _write(thread: Thread, status: WorkStatus, seq: int) -> None:
    Thread.objects.filter(pk=thread.pk).update(**status._asdict(), seq=seq)


def show_newest_message(inbox_id: int) -> None:
    """Let the inbox's row show its newest message that is not of a blocked contact."""
    threads = Thread.objects.filter(inbox=inbox_id, last_at__isnull=False)
    written = threads.exclude(status=Thread.Status.BLOCKED).exclude(last_message_id=None)
    newest = written.order_by(F("last_at").desc(), "-pk").values(*_NO_MESSAGE).first()
    Inbox.objects.filter(pk=inbox_id).update(**(newest or _NO_MESSAGE))
