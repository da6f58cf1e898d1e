"""Turn an agent's text into a message and the job that sends it, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.attachments import drafts
from messaging.models import Attachment, DeliveryState, Message, Number, ScheduledText
from messaging.outbound.quiet_hours import check_quiet_hours
from messaging.replies.placeholders import find_unfilled
from messaging.stream import writing
from messaging.stream.hiding import restore_for_mentioned
from messaging.stream.jobs import defer_delivery
from messaging.stream.mentions import find_mentions, mentionable_agents
from messaging.stream.refusals import number_or_refusal, too_long_sentence
from messaging.work import deeds
from threads.actions import change_state
from threads.assignment import NotAMember
from threads.models import Thread


class SendingRefused(Exception):
    """The thread takes no text now; the exception's message says why, to the agent."""


class TooLong(SendingRefused):
    """The text is longer than the carrier of the thread's number accepts."""


class FilesRefused(SendingRefused):
    """A file is gone, or the number's carrier does not take the files."""


class FormAlreadyUsed(SendingRefused):
    """The form has sent or scheduled a text already; another one takes another form key."""


# The send guard shows at most so many newer messages.
MAX_NEWER_MESSAGES = 20

SCHEDULED_ALREADY = (
    "This text is already scheduled; only the confirmation got lost. Look above the message "
    "box, or in the conversation if its time has come. Send again only to send it twice."
)
SENT_ALREADY = (
    "This text was already sent; only the confirmation got lost. Choose a time again only if you "
    "want to send it twice."
)
TAKEN_BACK = "You took this text back. Send again to send it after all."
CONFIRMED_ONCE = "This confirms an opt-out, and is sent once or never. It can't be retried."
NO_TEAM_REASON = (
    "Nobody shares your personal line, so there's no one to write an internal message to."
)


class Overtaken(Exception):
    """Somebody else has written in the thread meanwhile; `messages` are the newer ones."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self.messages = messages


class Unfilled(Exception):
    """A text to the contact still has placeholders, which its author has to say yes to."""

    def __init__(self, placeholders: list[str]) -> None:
        super().__init__()
        self.placeholders = placeholders


class NotRetriable(Exception):
    """The message is neither failed nor unknown."""


@transaction.atomic
def write_message(
    *,
    thread: Thread,
    author: Agent,
    body: str,
    form_key: uuid.UUID,
    is_internal: bool = False,
    seen: int | None = None,
    files: Collection[int] = (),
    marks_done: bool = False,
    shown: int | None = None,
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> Message:
    """Queue a text to the contact, or record an internal message.

    A text that mentions a member is internal, whatever the form says. The same form sent twice
    returns the first message. `files` are the keys of attachments of the author's draft.

    `marks_done` marks the thread as done too, unless a text has come in after the message `shown`;
    the status of `thread` then says which.

    Raises SendingRefused with the reason that the composer shows. A text to the contact raises
    Overtaken if others have written after the message `seen`, Unfilled if it has placeholders,
    unless `has_read_placeholders`, and InQuietHours unless `is_quiet_ok`.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    if earlier := message_of_form(author, form_key):
        return earlier
    _raise_if_scheduled(author, form_key)
    thread.refresh_from_db()
    mentions = find_mentions(body, mentionable_agents(thread.inbox, author), author)
    is_internal = is_internal or bool(mentions)
    check_readers(thread, author, is_internal=is_internal, seen=seen)
    if not is_internal:
        check_placeholders(body, is_read=has_read_placeholders)
        check_quiet_hours(thread, is_asked=is_quiet_ok)
    attached = claim_files(thread, author, files)
    message = writing.new_message(
        thread,
        seq=seq,
        kind=Message.Kind.INTERNAL if is_internal else Message.Kind.OUTBOUND,
        author=author,
        body=body,
        mentions=[[mention.start, mention.end, mention.agent_id] for mention in mentions],
        form_key=form_key,
        **drafts.count_kinds(attached),
    )
    _record_or_queue(message, attached)
    if marks_done:
        _mark_done(thread, author, seq, message.pk if shown is None else shown)
    _update_states(message, author)
    return message


def check_readers(thread: Thread, author: Agent, *, is_internal: bool, seen: int | None) -> None:
    """Raise SendingRefused if nobody would read an internal message, or Overtaken."""
    if is_internal and thread.inbox.is_personal:
        raise SendingRefused(NO_TEAM_REASON)
    if is_internal or seen is None:
        return
    newer = list(Message.objects.of_others_since(thread, author, seen)[:MAX_NEWER_MESSAGES])
    if newer:
        raise Overtaken(newer)


def check_placeholders(body: str, *, is_read: bool) -> None:
    """Raise Unfilled if the text has placeholders that its author has not read."""
    unfilled = [] if is_read else find_unfilled(body)
    if unfilled:
        raise Unfilled(unfilled)


def _record_or_queue(message: Message, files: Collection[Attachment]) -> None:
    if message.kind == Message.Kind.INTERNAL:
        writing.record_message(message)
    else:
        queue_message(message, files)
    drafts.attach_files(files, message)


def _mark_done(thread: Thread, author: Agent, seq: int, shown: int) -> None:
    marked = deeds.mark_done(
        inbox_id=thread.inbox_id, shown={thread.pk: shown}, by=author, seq=seq
    )
    if not marked.kept_open:
        thread.status = Thread.Status.DONE


def _update_states(message: Message, author: Agent) -> None:
    """Restore the thread for mentioned agents; mark it read and empty the draft for the author."""
    restore_for_mentioned(
        thread=message.thread,
        author=author,
        mentioned={agent_id for _, _, agent_id in message.mentions},
    )
    change_state(
        thread=message.thread,
        agent=author,
        last_read_id=message.pk,
        read_count=message.position,
        is_marked_unread=False,
        draft_body="",
        draft_is_internal=message.kind == Message.Kind.INTERNAL,
    )


def claim_files(thread: Thread | None, author: Agent, files: Collection[int]) -> list[Attachment]:
    """Lock the files that a form names. Raises FilesRefused unless all of them are there."""
    try:
        return drafts.claim_files(thread, author, files)
    except drafts.FileRefused as error:
        raise FilesRefused(str(error)) from error


def _raise_if_scheduled(author: Agent, form_key: uuid.UUID) -> None:
    scheduled = ScheduledText.objects.filter(author=author, form_key=form_key).first()
    if scheduled is None:
        return
    if scheduled.state != ScheduledText.State.DELETED:
        raise FormAlreadyUsed(SCHEDULED_ALREADY)
    if scheduled.is_undoable:
        raise FormAlreadyUsed(TAKEN_BACK)


def message_of_form(author: Agent, form_key: uuid.UUID) -> Message | None:
    """Return the message that the form has made already. The caller holds the inbox's counter."""
    return Message.objects.filter(author=author, form_key=form_key).first()


def number_to_send_from(thread: Thread, body: str, files: Collection[Attachment] = ()) -> Number:
    """Return the number that the text would leave from.

    Raises SendingRefused, also for files that the number's carrier does not accept, and TooLong.
    """
    number, sentence = number_or_refusal(thread)
    if number is None:
        raise SendingRefused(sentence)
    if sentence := too_long_sentence(body, number):
        raise TooLong(sentence)
    if sentence := drafts.carrier_objection(files, number.account.adapter.capabilities):
        raise FilesRefused(sentence)
    return number


def queue_message(message: Message, files: Collection[Attachment] = ()) -> None:
    """Record a text to the contact, and queue the job that sends it.

    The caller holds the inbox's counter. Raises what `number_to_send_from` raises.
    """
    number_to_send_from(message.thread, message.body, files)
    message.state = DeliveryState.QUEUED
    writing.record_message(message)
    defer_delivery(message.thread_id)
    _assign_to_first_answerer(message)


def _assign_to_first_answerer(message: Message) -> None:
    """Give a thread that is nobody's to the author, if the inbox does so."""
    author = message.author
    if author is None or not message.thread.inbox.assigns_first_answerer:
        return
    with suppress(NotAMember):
        deeds.assign_threads(
            inbox_id=message.inbox_id,
            thread_ids=[message.thread_id],
            assignee=author,
            by=author,
            by_answering=True,
            seq=message.seq,
        )


@transaction.atomic
def retry_message(*, message: Message, is_quiet_ok: bool = False) -> Message:
    """Queue a failed or unknown message again; its next attempt is a new one.

    Raises NotRetriable if it is neither by now, SendingRefused, and InQuietHours unless
    `is_quiet_ok`: it may have failed by day, and would leave at night.
    """
    seq = counters.next_inbox_seq(message.inbox_id)
    message = Message.objects.select_related("thread").get(pk=message.pk)
    if not message.has_failed:
        raise NotRetriable
    if message.is_confirmation:
        raise SendingRefused(CONFIRMED_ONCE)
    number_to_send_from(message.thread, message.body)
    check_quiet_hours(message.thread, is_asked=is_quiet_ok)
    writing.change_message(
        message,
        seq,
        state=DeliveryState.QUEUED,
        reason="",
        tries=0,
        next_try_at=None,
        wanted_at=timezone.now(),
        expected_at=None,
        turn_at=None,
    )
    defer_delivery(message.thread_id)
    return message
