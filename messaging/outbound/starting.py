"""Start a conversation with a first text, in the existing thread if there is one."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent, Inbox
from messaging.attachments import drafts
from messaging.models import Message, Number, ScheduledText
from messaging.outbound.quiet_hours import check_quiet_hours
from messaging.outbound.scheduled_texts import create_text, find_text_of_form
from messaging.outbound.sending import (
    SENT_ALREADY,
    FormAlreadyUsed,
    SendingRefused,
    check_placeholders,
    claim_files,
    message_of_form,
    number_to_send_from,
    queue_message,
)
from messaging.outbound.undo_send import hold_text, text_or_message
from messaging.stream import writing
from messaging.stream.mentions import find_mentions, mentionable_agents
from threads import addresses
from threads.actions import change_state
from threads.models import Thread


class NumberRefused(SendingRefused):
    """The inbox can send no text to anybody now."""


class MentionRefused(SendingRefused):
    """The first text mentions a colleague, so it would be internal and reach nobody outside."""


@transaction.atomic
def start_conversation(
    *,
    inbox: Inbox,
    author: Agent,
    address: str,
    body: str,
    form_key: uuid.UUID,
    files: Collection[int] = (),
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> Message:
    """Queue a text from the inbox's number to a normalised address.

    `files` are the keys of the author's attachments that wait for a first text. The same form sent
    twice returns the first message, and two agents who write to the same address at once share a
    thread. The agent's draft in that thread is kept. Raises NumberRefused, MentionRefused,
    FilesRefused, or SendingRefused for reasons that concern the contact; Unfilled for a text with
    placeholders unless `has_read_placeholders`, and InQuietHours unless `is_quiet_ok`.
    """
    seq = counters.next_inbox_seq(inbox.pk)
    earlier = message_of_form(author, form_key)
    if earlier is not None:
        return earlier
    thread = _open_thread(inbox, author, address, body, seq)
    check_placeholders(body, is_read=has_read_placeholders)
    check_quiet_hours(thread, is_asked=is_quiet_ok)
    attached = claim_files(None, author, files)
    message = writing.new_message(
        thread,
        seq=seq,
        kind=Message.Kind.OUTBOUND,
        author=author,
        body=body,
        form_key=form_key,
        **drafts.count_kinds(attached),
    )
    queue_message(message, attached)
    drafts.attach_files(attached, message)
    change_state(
        thread=thread,
        agent=author,
        last_read_id=message.pk,
        read_count=message.position,
        is_marked_unread=False,
    )
    return message


@transaction.atomic
def start_or_hold(
    *,
    inbox: Inbox,
    author: Agent,
    address: str,
    body: str,
    form_key: uuid.UUID,
    files: Collection[int] = (),
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> Message | ScheduledText:
    """Start a conversation, or hold its first text for as long as its author wants.

    Takes and raises what `start_conversation` does. A thread that this makes stands in the list
    without a message until the text leaves.
    """
    seq = counters.next_inbox_seq(inbox.pk)
    earlier = find_text_of_form(author, form_key)
    if earlier is not None and earlier.is_undoable:
        return text_or_message(earlier)
    if not author.undo_seconds or message_of_form(author, form_key):
        return start_conversation(
            inbox=inbox,
            author=author,
            address=address,
            body=body,
            form_key=form_key,
            files=files,
            has_read_placeholders=has_read_placeholders,
            is_quiet_ok=is_quiet_ok,
        )
    thread = _open_thread(inbox, author, address, body, seq)
    check_placeholders(body, is_read=has_read_placeholders)
    check_quiet_hours(thread, is_asked=is_quiet_ok)
    _show_empty_thread(thread, seq)
    return hold_text(
        thread=thread,
        author=author,
        body=body,
        form_key=form_key,
        files=claim_files(None, author, files),
        keeps_draft=True,
    )


@transaction.atomic
def schedule_first_text(
    *,
    inbox: Inbox,
    author: Agent,
    address: str,
    body: str,
    form_key: uuid.UUID,
    send_at: datetime,
    files: Collection[int] = (),
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> ScheduledText:
    """Schedule the first text of a conversation.

    Takes and raises what `start_or_hold` does, and like it makes a thread that stands in the list
    without a message until the text leaves.
    """
    seq = counters.next_inbox_seq(inbox.pk)
    earlier = find_text_of_form(author, form_key)
    if earlier is not None:
        return earlier
    if message_of_form(author, form_key):
        raise FormAlreadyUsed(SENT_ALREADY)
    thread = _open_thread(inbox, author, address, body, seq)
    check_placeholders(body, is_read=has_read_placeholders)
    check_quiet_hours(thread, at=send_at, is_asked=is_quiet_ok)
    attached = claim_files(None, author, files)
    number_to_send_from(thread, body, attached)
    _show_empty_thread(thread, seq)
    return create_text(
        thread, seq, attached, author=author, body=body, send_at=send_at, form_key=form_key
    )


def _show_empty_thread(thread: Thread, seq: int) -> None:
    if thread.last_at is None:
        Thread.objects.filter(pk=thread.pk).update(last_at=timezone.now(), seq=seq)


def _open_thread(inbox: Inbox, author: Agent, address: str, body: str, seq: int) -> Thread:
    """Return the thread for the text, made if necessary. Raises NumberRefused, MentionRefused."""
    number = _sending_number(inbox)
    mentions = find_mentions(body, mentionable_agents(inbox, author), author)
    if mentions:
        mention = body[mentions[0].start : mentions[0].end]
        raise MentionRefused(f"Mentions are for your team only. Remove {mention} to send this.")
    thread_id = writing.get_or_create_thread(
        inbox_id=inbox.pk, sender=address, our_address=number.address, seq=seq
    )
    return Thread.objects.select_related("contact", "inbox").get(pk=thread_id)


def _sending_number(inbox: Inbox) -> Number:
    number = Number.objects.select_related("account").filter(inbox=inbox).first()
    if number is None:
        raise NumberRefused(f"{inbox.name} has no number to text from. Ask an administrator.")
    if not number.account.is_on:
        ours = addresses.format_address(number.address)
        raise NumberRefused(f"The carrier account for {ours} is turned off. Ask an administrator.")
    return number
