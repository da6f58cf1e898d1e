"""Notify once whoever was assigned many threads, instead of once for each."""

from __future__ import annotations

from django.utils import timezone

from inboxes import bell, counters
from inboxes.database import save_columns
from messaging.models import BulkAction, Notification
from messaging.stream import notifying
from threads.models import Activity


def notify_assignee(action: BulkAction) -> None:
    """Tell the assignee how many threads became theirs. Call in the transaction that ends it.

    The last of the lines in their histories stands for all: it says how many they are.
    """
    line = _last_line(action)
    if line is None:
        return
    seq = counters.next_inbox_seq(line.inbox_id)
    save_columns(line, seq=seq, details=line.details | {"count": action.details["changed"]})
    notifying.notify_of_activity(line, [action.details["assignee"]], Notification.Reason.ASSIGNED)
    action.details["line"] = line.pk
    bell.ring_inbox(line.inbox_id, seq)


def withdraw(action: BulkAction) -> None:
    """Mark that notification as read: the threads have been taken back."""
    told = Notification.objects.filter(activity=action.details.get("line")).unread().first()
    if told is not None:
        seq = counters.next_inbox_seq(told.inbox_id)
        save_columns(told, read_at=timezone.now(), seq=seq)
        bell.ring_inbox(told.inbox_id, seq)


def _last_line(action: BulkAction) -> Activity | None:
    assignee, last = action.details.get("assignee"), action.details.get("last")
    if not assignee or assignee == action.agent_id:
        return None
    lines = Activity.objects.filter(thread=last, actor=action.agent, kind=Activity.Kind.ASSIGNED)
    return lines.order_by("-pk").first()
