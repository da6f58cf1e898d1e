"""An agent's text becomes a message and a job, in one transaction."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.actions import records
from messaging.jobs import defer_delivery
from messaging.models import DeliveryState, Message
from messaging.refusals import refusal
from threads.actions import mark_read
from threads.models import Thread


class SendingRefused(Exception):
    """The thread takes no text now; the message is the sentence for the agent."""


class NotRetriable(Exception):
    """Only a failed or unknown message is tried again."""


@transaction.atomic
def send_text(*, thread: Thread, author: Agent, body: str, form_key: uuid.UUID) -> Message:
    """Queue a text. The same form sent twice returns the message that the first one made.

    Raises SendingRefused with the reason that the composer shows.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    earlier = Message.objects.filter(author=author, form_key=form_key).first()
    if earlier is not None:
        return earlier
    thread.refresh_from_db()
    sentence = refusal(thread)
    if sentence:
        raise SendingRefused(sentence)
    message = records.record(
        Message(
            thread=thread,
            inbox_id=thread.inbox_id,
            kind=Message.Kind.OUTBOUND,
            author=author,
            body=body,
            created_at=timezone.now(),
            seq=seq,
            form_key=form_key,
            state=DeliveryState.QUEUED,
        )
    )
    mark_read(thread=thread, agent=author, message_id=message.pk)
    defer_delivery(thread.pk)
    return message


@transaction.atomic
def retry_message(*, message: Message) -> Message:
    """Put a failed or unknown message back into the queue: its next attempt is a new one.

    Raises NotRetriable when it is neither (any more), SendingRefused as `send_text` does.
    """
    seq = counters.next_inbox_seq(message.inbox_id)
    message = Message.objects.select_related("thread").get(pk=message.pk)
    if not message.can_be_retried:
        raise NotRetriable
    sentence = refusal(message.thread)
    if sentence:
        raise SendingRefused(sentence)
    records.change(message, seq, state=DeliveryState.QUEUED, reason="", tries=0, next_try_at=None)
    defer_delivery(message.thread_id)
    return message
