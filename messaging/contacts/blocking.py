"""Block contacts for the whole team, and unblock them.

Their texts are kept, and nobody is told of them: the thread leaves all views but *Blocked*, and
with it what is counted and shown elsewhere. A text that comes in at the same moment has the
inbox's counter before or after, and is treated like those before or after it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent
from messaging.models import Notification
from messaging.stream import failures, replies
from messaging.work.labels import take_counter
from threads import activity, blocking
from threads.models import Activity, Contact, Thread
from threads.status import OPEN, WorkStatus


@transaction.atomic
def block_contact(*, contact: Contact, by: Agent) -> bool:
    """Block a contact of an inbox; return False if they are blocked already.

    `contact` then says who did and when. Raises Http404 if the agent has left the inbox.
    """
    seq = take_counter(contact.inbox_id, by)
    contact.refresh_from_db()
    if contact.blocked_at is not None:
        return False
    at = timezone.now()
    before = blocking.block(contact_id=contact.pk, by_id=by.pk, at=at, seq=seq)
    contact.blocked_at, contact.blocked_by = at, by
    thread = Thread.objects.filter(contact=contact).first()
    if thread is not None and before is not None:
        _change_counts(thread, -1, seq)
        _record(Activity.Kind.BLOCKED, thread, by, seq, before)
        _read_notifications(thread, at)
    bell.ring_inbox(contact.inbox_id, seq)
    return True


@transaction.atomic
def unblock_contact(*, contact: Contact, by: Agent, undoes: datetime | None = None) -> bool:
    """Unblock a contact, whose thread is open from now on; return False if they weren't blocked.

    `undoes` is when they were blocked, where that is taken back: then the thread and its
    notifications become as they were, unless a text has come in since, and nothing happens if it
    isn't that block any more. Raises Http404 as above.
    """
    seq = take_counter(contact.inbox_id, by)
    contact.refresh_from_db()
    at = contact.blocked_at
    if at is None or undoes not in {None, at}:
        return False
    thread = Thread.objects.filter(contact=contact).first()
    before = OPEN if undoes is None or thread is None else _status_before(thread)
    blocking.unblock(contact_id=contact.pk, seq=seq, status=before)
    contact.blocked_at = contact.blocked_by = None
    if thread is not None:
        _change_counts(thread, 1, seq)
        _record(Activity.Kind.UNBLOCKED, thread, by, seq)
        if undoes is not None:
            _read_notifications(thread, None, was_read_at=at)
    bell.ring_inbox(contact.inbox_id, seq)
    return True


def _status_before(thread: Thread) -> WorkStatus:
    """Return the status that the thread had when it was blocked, if it would have it still."""
    lines = Activity.objects.filter(thread=thread, kind=Activity.Kind.BLOCKED)
    line = lines.order_by("-pk").first()
    if line is None or thread.last_text_id > line.after_id:
        return OPEN
    before = WorkStatus.from_json(line.details["before"])
    is_over = before.snoozed_until is not None and before.snoozed_until <= timezone.now()
    return OPEN if is_over else before


def _change_counts(thread: Thread, change: int, seq: int) -> None:
    """Count the thread in its inbox again, or no more, and decide whether it needs a reply."""
    failures.count_thread(thread, change)
    replies.update_needs_reply(thread.inbox_id, seq, address=thread.contact.address)
    if change > 0:
        _keep_alert(thread)
    blocking.show_newest_message(thread.inbox_id)


def _keep_alert(thread: Thread) -> None:
    """Alert of a wait once, though the thread was blocked in between."""
    waiting = Thread.objects.filter(pk=thread.pk, waiting_since__isnull=False)
    since = waiting.values_list("waiting_since", flat=True).first()
    alerts = Activity.objects.filter(thread=thread, kind=Activity.Kind.WAITING)
    if since is not None and alerts.filter(created_at__gte=since).exists():
        waiting.update(was_alerted=True)


def _record(
    kind: Activity.Kind, thread: Thread, by: Agent, seq: int, before: WorkStatus | None = None
) -> None:
    activity.record(
        thread_ids=[thread.pk],
        inbox_id=thread.inbox_id,
        actor=by,
        kind=kind,
        details={"before": before.to_json()} if before else None,
        seq=seq,
    )


def _read_notifications(
    thread: Thread, at: datetime | None, *, was_read_at: datetime | None = None
) -> None:
    """Mark everybody's notifications of the thread as read, or, with None, as unread again.

    The agents are locked first, as wherever notifications are read.
    """
    members = Agent.objects.filter(memberships__inbox=thread.inbox_id)
    owner = Agent.objects.filter(personal_line=thread.inbox_id)
    keys = [*members.values_list("pk", flat=True), *owner.values_list("pk", flat=True)]
    told = Notification.objects.filter(agent__in=keys, thread=thread, read_at=was_read_at)
    agents = set(told.values_list("agent", flat=True))
    if agents:
        seqs = counters.next_agent_seqs(agents)
        told.filter(agent__in=agents).update(read_at=at)
        for agent_id, seq in seqs.items():
            bell.ring_agent(agent_id, seq)
