"""Tell agents that an inbox is closed, and what the contact was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes.hours.opening import Hours
from inboxes.models import Inbox
from inboxes.times import time_element
from messaging.models import AutomaticAnswer, DeliveryState, Message
from threads.models import Thread

NOT_TOLD = {DeliveryState.FAILED, DeliveryState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class ClosedNote:
    """Hold since when an inbox with hours is closed, if it is, and when that changes.

    `answer` is the automatic text by which a contact was told so.
    """

    inbox: Inbox
    closed_at: datetime | None
    changes_at: datetime | None
    answer: Message | None = None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def key(self) -> str:
        """Return what an open page is told when it changes."""
        told = self.answer.pk if self.answer else ""
        return f"{'closed' if self.is_closed else 'open'} {self.until} {told}".strip()

    @property
    def until(self) -> str:
        """Return when it changes, for a page that stays open; "" if that is not known."""
        return self.changes_at.isoformat() if self.changes_at else ""

    @property
    def sentence(self) -> SafeString:
        """Return until when it is closed."""
        who = "Your line" if self.inbox.is_personal else self.inbox.name
        if self.changes_at is None:
            return format_html("<bdi>{}</bdi> is closed.", who)
        opens = time_element(self.changes_at, "opening")
        return format_html("<bdi>{}</bdi> is closed until {}.", who, opens)

    @property
    def told(self) -> SafeString:
        """Return when the contact was told so; "" if they were not."""
        if self.answer is None:
            return SafeString("")
        at = time_element(self.answer.created_at, "past")
        return format_html("This contact was told so {}.", at)


def read_closed_note(inbox: Inbox) -> ClosedNote | None:
    """Return whether the inbox is closed now; None for one without hours, which takes no query."""
    hours, now = Hours.of(inbox), timezone.now()
    if not hours:
        return None
    period = hours.closed_period(now)
    if period is None:
        return ClosedNote(inbox, None, hours.next_change(now))
    return ClosedNote(inbox, period.start, period.end)


def read_closed_notes(inbox: Inbox, threads: Iterable[Thread]) -> dict[int, ClosedNote]:
    """Return the same by thread, with what each contact was told; one query more if closed."""
    note = read_closed_note(inbox)
    if note is None:
        return {}
    if note.closed_at is None:
        return {thread.pk: note for thread in threads}
    answers = AutomaticAnswer.objects.filter(
        thread__in=[thread.pk for thread in threads],
        kind=AutomaticAnswer.Kind.CLOSED,
        created_at__gte=note.closed_at,
    )
    told = {
        one.thread_id: one.message
        for one in answers.select_related("message").order_by("pk")
        if one.message is not None and one.message.state not in NOT_TOLD
    }
    return {thread.pk: replace(note, answer=told.get(thread.pk)) for thread in threads}
