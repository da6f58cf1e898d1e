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

    The last of the lines in their histories stands for all: it says how many they are. What is
    somebody else's by then is left out.
    """
    assignee = action.details.get("assignee")
    if not assignee or assignee == action.agent_id:
        return
    theirs = action.items.filter(thread__assignee=assignee)
    last = theirs.order_by("thread").last()
    if last is None:
        return
    line = Activity.objects.get(pk=last.after["line"])
    seq = counters.next_inbox_seq(line.inbox_id)
    save_columns(line, seq=seq, details=line.details | {"count": theirs.count()})
    notifying.notify_of_activity(line, [assignee], Notification.Reason.ASSIGNED)
    action.details["line"] = line.pk
    bell.ring_inbox(line.inbox_id, seq)


def withdraw(action: BulkAction) -> None:
    """Mark that notification as read: the threads have been taken back."""
    line = action.details.get("line")
    if line is None:
        return
    told = Notification.objects.filter(activity=line, agent=action.details["assignee"]).unread()
    for one in told:
        seq = counters.next_inbox_seq(one.inbox_id)
        save_columns(one, read_at=timezone.now(), seq=seq)
        bell.ring_inbox(one.inbox_id, seq)
