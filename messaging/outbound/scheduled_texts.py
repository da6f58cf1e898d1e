"""Write the rows of scheduled texts, and keep right what is counted of them on their threads.

Every function needs the inbox's counter, and a text that was read under it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import F

from inboxes import bell
from inboxes.models import Agent
from messaging.attachments import drafts
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound.sending import queue_message
from messaging.stream import failures, writing
from messaging.stream.hiding import show_empty_thread
from threads.models import Thread

State = ScheduledText.State


class AlreadyEnded(Exception):
    """The text has been sent or deleted meanwhile, or is about to leave."""


def find_text_of_form(author: Agent, form_key: uuid.UUID) -> ScheduledText | None:
    """Return the scheduled text that the form has made already."""
    return ScheduledText.objects.filter(author=author, form_key=form_key).first()


def read_pending(text: ScheduledText) -> ScheduledText:
    """Return the text as it is now. Raises AlreadyEnded if it can no longer be changed."""
    rows = ScheduledText.objects.pending().select_related("author", "thread__contact")
    now = rows.filter(pk=text.pk).first()
    if now is None:
        raise AlreadyEnded
    return now


def create_text(
    thread: Thread, seq: int, files: Collection[Attachment] = (), **columns: Any
) -> ScheduledText:
    """Insert a text that takes the files with it."""
    defaults = {"seen_id": thread.last_message_id or 0, "inbox_id": thread.inbox_id}
    text = ScheduledText.objects.create(thread=thread, seq=seq, **(defaults | columns))
    drafts.schedule_files(files, text)
    if thread.last_message_id is None:
        show_empty_thread(thread)
    _change_count(text, seq, int(text.is_pending))
    bell.ring_inbox(text.inbox_id, seq)
    return text


def update_text(text: ScheduledText, seq: int, **columns: object) -> None:
    """Write named columns, and count the text among its thread's failures while it is held, and
    among its scheduled texts while it waits or is held."""
    was_pending = text.is_pending
    is_held = columns.get("state", text.state) == State.HELD
    if is_held != text.is_counted:
        failures.change_counts(text.thread_id, seq, {"failed": 1 if is_held else -1})
        columns["is_counted"] = is_held
    for name, value in columns.items():
        setattr(text, name, value)
    text.seq = seq
    text.save(update_fields=[*columns, "seq", "changed_at"])
    _change_count(text, seq, text.is_pending - was_pending)
    bell.ring_inbox(text.inbox_id, seq)


def turn_into_message(
    text: ScheduledText, seq: int, author: Agent, files: Collection[Attachment]
) -> Message:
    """Queue the text with its files as the author's message. Raises SendingRefused."""
    message = writing.new_message(
        text.thread,
        seq=seq,
        kind=Message.Kind.OUTBOUND,
        author=author,
        body=text.body,
        **drafts.count_kinds(files),
    )
    queue_message(message, files)
    drafts.attach_files(files, message)
    update_text(text, seq, state=State.SENT, message=message, body="", reason="")
    return message


def _change_count(text: ScheduledText, seq: int, change: int) -> None:
    if change:
        Thread.objects.filter(pk=text.thread_id).update(
            scheduled_count=F("scheduled_count") + change, seq=seq
        )
