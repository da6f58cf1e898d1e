"""Send a text that failed again later, at an hour at which its contact is awake."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from inboxes import counters
from inboxes.models import Agent
from messaging.attachments import drafts
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound.failures import mark_failure_seen
from messaging.outbound.quiet_hours import check_quiet_hours
from messaging.outbound.scheduled_texts import create_text
from messaging.outbound.sending import (
    CONFIRMED_ONCE,
    FilesRefused,
    NotRetriable,
    SendingRefused,
    number_to_send_from,
)


def schedule_retry(*, message: Message, by: Agent, send_at: datetime) -> ScheduledText:
    """Schedule the words and files of a failed text once more; the failure counts as seen by that.

    Asked for twice, it is scheduled once. Raises NotRetriable if it has not failed by now,
    SendingRefused, and InQuietHours if that hour is a quiet one too.
    """
    files = _copy_files(message, by)
    try:
        return _schedule(message, by, send_at, files)
    finally:
        for file in files:
            drafts.remove_file(attachment=file)  # nothing, if the text has taken it


def _copy_files(message: Message, by: Agent) -> list[Attachment]:
    """Copy the files before the inbox is locked: they may be large."""
    originals = list(message.attachments.order_by("pk"))
    try:
        return drafts.add_copies(thread=None, agent=by, originals=originals)
    except drafts.FileRefused as error:
        raise FilesRefused(str(error)) from error


@transaction.atomic
def _schedule(
    message: Message, by: Agent, send_at: datetime, files: list[Attachment]
) -> ScheduledText:
    seq = counters.next_inbox_seq(message.inbox_id)
    message = Message.objects.select_related("thread").get(pk=message.pk)
    if not message.has_failed:
        raise NotRetriable
    if message.is_confirmation:
        raise SendingRefused(CONFIRMED_ONCE)
    thread = message.thread
    planned = ScheduledText.objects.pending().filter(thread=thread, author=by, send_at=send_at)
    same = planned.filter(body=message.body).first()
    if same is not None and not message.unseen_failure:
        return same
    number_to_send_from(thread, message.body, files)
    check_quiet_hours(thread, at=send_at, is_asked=False)
    text = create_text(
        thread,
        seq,
        files,
        author=by,
        body=message.body,
        send_at=send_at,
        form_key=uuid.uuid4(),
    )
    mark_failure_seen(message=message, agent=by)
    return text
