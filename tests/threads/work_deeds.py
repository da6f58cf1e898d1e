"""Deeds of a team and its customers with threads, chosen by a name and a number."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent
from messaging.contacts.blocking import block_contact, unblock_contact
from messaging.models import Message, ScheduledText
from messaging.outbound.failures import mark_failure_seen
from messaging.outbound.scheduling import delete_scheduled_text, schedule_text
from messaging.outbound.sending import SendingRefused
from messaging.stream import writing
from messaging.stream.hiding import delete_thread, undo_delete
from messaging.work import deeds
from messaging.work.labels import label_threads
from tests.cast import DISPATCH, FRONT_DESK, Cast
from threads.actions import mark_read, mark_unread, set_priority
from threads.models import Contact, Label, Thread

SENDERS = [f"+1202555020{index}" for index in range(4)]
LABELS = ["Repair", "Parts"]
PRIORITIES = ["urgent", "low", ""]

# What changes the state of the team's work, or of one agent, in a thread.
DEEDS = [
    "text_in",
    "answer",
    "assign",
    "mark_done",
    "reopen",
    "snooze",
    "wake",
    "delete",
    "restore",
    "read",
    "unread",
    "prioritise",
    "label",
    "schedule",
    "unschedule",
    "fail",
    "see_failure",
    "block",
    "unblock",
]


class WorkDeeds:
    """Do deeds in Front Desk and Dispatch, as ana or ben."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.labels = {
            inbox.pk: [Label.objects.create(inbox=inbox, name=name) for name in LABELS]
            for inbox in (cast.front_desk, cast.dispatch)
        }

    def do(self, deed: str, which: int) -> None:
        """Do it with a thread and as an agent of the number's choice."""
        if deed == "text_in":
            self.text_in(which)
            return
        threads = list(Thread.objects.for_rows().order_by("pk"))
        if threads:
            agent = (self.cast.ana, self.cast.ben)[which // 7 % 2]
            getattr(self, deed)(threads[which % len(threads)], agent, which)

    def text_in(self, which: int) -> None:
        to = (FRONT_DESK, DISPATCH)[which // 5 % 2]
        self.cast.text_in("Is it ready?", sender=SENDERS[which % len(SENDERS)], to=to)

    def answer(self, thread: Thread, agent: Agent, which: int) -> None:
        with suppress(SendingRefused):  # a blocked contact gets no text
            self.cast.answer(thread, "On our way", author=agent)

    def assign(self, thread: Thread, agent: Agent, which: int) -> None:
        deeds.assign_threads(
            inbox_id=thread.inbox_id,
            thread_ids=[thread.pk],
            assignee=(self.cast.ana, self.cast.ben, None)[which % 3],
            by=agent,
        )

    def mark_done(self, thread: Thread, agent: Agent, which: int) -> None:
        shown = {thread.pk: thread.last_message_id or 0}
        deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=agent)

    def reopen(self, thread: Thread, agent: Agent, which: int) -> None:
        deeds.reopen(inbox_id=thread.inbox_id, thread_ids=[thread.pk], by=agent)

    def snooze(self, thread: Thread, agent: Agent, which: int) -> None:
        until = timezone.now() + timedelta(hours=1)
        shown = {thread.pk: thread.last_message_id or 0}
        deeds.snooze(inbox_id=thread.inbox_id, shown=shown, until=until, by=agent)

    def wake(self, thread: Thread, agent: Agent, which: int) -> None:
        now = timezone.now()
        Thread.objects.filter(pk=thread.pk, status="snoozed").update(snoozed_until=now)
        deeds.wake_some(inbox_id=thread.inbox_id, limit=10)

    def delete(self, thread: Thread, agent: Agent, which: int) -> None:
        delete_thread(thread=thread, agent=agent, message_id=thread.last_message_id or 0)

    def restore(self, thread: Thread, agent: Agent, which: int) -> None:
        undo_delete(thread=thread, agent=agent)

    def read(self, thread: Thread, agent: Agent, which: int) -> None:
        mark_read(
            thread=thread,
            agent=agent,
            message_id=thread.last_message_id or 0,
            position=thread.message_count,
            is_opening=True,
        )

    def unread(self, thread: Thread, agent: Agent, which: int) -> None:
        mark_unread(thread=thread, agent=agent)

    def prioritise(self, thread: Thread, agent: Agent, which: int) -> None:
        set_priority(thread=thread, priority=PRIORITIES[which % 3], by=agent)

    def label(self, thread: Thread, agent: Agent, which: int) -> None:
        """Put a label on the thread, or take it off."""
        label = self.labels[thread.inbox_id][which % 2]
        label_threads(
            inbox_id=thread.inbox_id,
            thread_ids=[thread.pk],
            label_id=label.pk,
            is_on=label.pk not in thread.label_ids,
            by=agent,
        )

    def schedule(self, thread: Thread, agent: Agent, which: int) -> None:
        with suppress(SendingRefused):
            schedule_text(
                thread=thread,
                author=agent,
                body="Your car is ready",
                send_at=timezone.now() + timedelta(hours=1),
                form_key=uuid.uuid4(),
            )

    def unschedule(self, thread: Thread, agent: Agent, which: int) -> None:
        text = ScheduledText.objects.pending().filter(thread=thread).first()
        if text is not None:
            delete_scheduled_text(text=text)

    def fail(self, thread: Thread, agent: Agent, which: int) -> None:
        """Let a text fail, as the carrier's answer would."""
        sent = Message.objects.filter(thread=thread, kind="outbound", state="queued").first()
        if sent is None:
            return
        with transaction.atomic():
            seq = counters.next_inbox_seq(thread.inbox_id)
            state = ("failed", "unknown")[which % 2]
            writing.change_message(sent, seq, state=state, reason="No such number.")
            bell.ring_inbox(thread.inbox_id, seq)

    def block(self, thread: Thread, agent: Agent, which: int) -> None:
        block_contact(contact=thread.contact, by=agent)

    def unblock(self, thread: Thread, agent: Agent, which: int) -> None:
        """Unblock the contact, or take the block back."""
        contact = Contact.objects.get(pk=thread.contact_id)
        undoes = contact.blocked_at if which % 2 else None
        unblock_contact(contact=contact, by=agent, undoes=undoes)

    def see_failure(self, thread: Thread, agent: Agent, which: int) -> None:
        message = Message.objects.filter(thread=thread).exclude(unseen_failure="").first()
        if message is not None:
            mark_failure_seen(message=message, agent=agent)
