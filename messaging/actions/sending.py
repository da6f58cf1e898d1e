"""An agent's text becomes a message and a job, in one transaction."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.actions import records
from messaging.jobs import defer_delivery
from messaging.mentions import find_mentions, mentionable
from messaging.models import DeliveryState, Message
from messaging.refusals import refusal
from threads.actions import change_state
from threads.models import Thread


class SendingRefused(Exception):
    """The thread takes no text now; the message is the sentence for the agent."""


NO_TEAM = "Nobody shares your personal line, so there is nobody to write an internal message to."


class NotRetriable(Exception):
    """Only a failed or unknown message is tried again."""


@transaction.atomic
def write_message(
    *,
    thread: Thread,
    author: Agent,
    body: str,
    form_key: uuid.UUID,
    is_internal: bool = False,
) -> Message:
    """Queue a text to the contact, or keep a word among the team.

    Whoever mentions a member writes to the team, whatever the form said. The same form sent
    twice returns the message that the first one made. Raises SendingRefused with the reason
    that the composer shows.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    if earlier := Message.objects.filter(author=author, form_key=form_key).first():
        return earlier
    thread.refresh_from_db()
    mentions = find_mentions(body, mentionable(thread.inbox, author), author)
    is_internal = is_internal or bool(mentions)
    _refuse(thread, is_internal=is_internal)
    message = records.record(
        Message(
            thread=thread,
            inbox_id=thread.inbox_id,
            kind=Message.Kind.INTERNAL if is_internal else Message.Kind.OUTBOUND,
            author=author,
            body=body,
            created_at=timezone.now(),
            seq=seq,
            mentions=[[mention.start, mention.end, mention.agent_id] for mention in mentions],
            form_key=form_key,
            state="" if is_internal else DeliveryState.QUEUED,
        )
    )
    change_state(
        thread=thread,
        agent=author,
        last_read_id=message.pk,
        draft_body="",
        draft_is_internal=is_internal,
    )
    if not is_internal:
        defer_delivery(thread.pk)
    return message


def _refuse(thread: Thread, *, is_internal: bool) -> None:
    """Raise SendingRefused if the thread takes no such message now."""
    if is_internal and thread.inbox.is_personal:
        raise SendingRefused(NO_TEAM)
    sentence = "" if is_internal else refusal(thread)
    if sentence:
        raise SendingRefused(sentence)


@transaction.atomic
def retry_message(*, message: Message) -> Message:
    """Put a failed or unknown message back into the queue: its next attempt is a new one.

    Raises NotRetriable when it is neither (any more), SendingRefused as `write_message` does.
    """
    seq = counters.next_inbox_seq(message.inbox_id)
    message = Message.objects.select_related("thread").get(pk=message.pk)
    if not message.can_be_retried:
        raise NotRetriable
    _refuse(message.thread, is_internal=False)
    records.change(message, seq, state=DeliveryState.QUEUED, reason="", tries=0, next_try_at=None)
    defer_delivery(message.thread_id)
    return message
