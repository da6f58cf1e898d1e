"""Schedule texts, and change, send or delete scheduled ones.

Each action is one transaction that holds the inbox's counter and reads the text's state under it.
So a text is sent once, whoever asks for it, however often and from whatever process.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent, Inbox
from messaging.attachments import drafts
from messaging.models import Attachment, Message, ScheduledText
from messaging.models.scheduled import IS_LEAVING
from messaging.outbound.quiet_hours import check_quiet_hours
from messaging.outbound.scheduled_texts import (
    AlreadyEnded,
    create_text,
    find_text_of_form,
    read_pending,
    turn_into_message,
    update_text,
)
from messaging.outbound.sending import (
    SENT_ALREADY,
    FormAlreadyUsed,
    SendingRefused,
    check_placeholders,
    claim_files,
    message_of_form,
    number_to_send_from,
)
from messaging.replies.placeholders import find_unfilled
from messaging.stream import writing
from messaging.stream.hiding import hide_empty_thread, restore_for_mentioned
from messaging.stream.mentions import find_mentions, mentionable_agents
from messaging.stream.refusals import number_or_refusal, too_long_sentence
from messaging.work import deeds
from threads.actions import change_state
from threads.models import Thread, ThreadState

__all__ = ["AlreadyEnded"]

State = ScheduledText.State

KEEP_ENDED = timedelta(days=30)

MENTION_REASON = (
    "It mentions a teammate, so it would be internal. Only texts to customers can be scheduled."
)
MENTIONED_SINCE = "It mentions a teammate, so it would be internal."
REPLIED_FIRST = " replied first."


class ChangedMeanwhile(Exception):
    """A colleague has changed the text since it was read."""

    def __init__(self, text: ScheduledText) -> None:
        super().__init__()
        self.text = text


@transaction.atomic
def schedule_text(
    *,
    thread: Thread,
    author: Agent,
    body: str,
    send_at: datetime,
    form_key: uuid.UUID,
    is_regardless: bool = False,
    files: Collection[int] = (),
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> ScheduledText:
    """Schedule a text; the same form sent twice schedules one.

    `files` are the keys of attachments of the author's draft. Raises SendingRefused, or
    FormAlreadyUsed if the form has sent a text at once, Unfilled for a text with placeholders
    unless `has_read_placeholders`, or InQuietHours unless `is_quiet_ok`.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    earlier = find_text_of_form(author, form_key)
    if earlier is not None:
        return earlier
    if message_of_form(author, form_key):
        raise FormAlreadyUsed(SENT_ALREADY)
    thread.refresh_from_db()
    attached = claim_files(thread, author, files)
    _raise_if_refused(body, thread, author, attached)
    check_placeholders(body, is_read=has_read_placeholders)
    check_quiet_hours(thread, at=send_at, is_asked=is_quiet_ok)
    text = create_text(
        thread,
        seq,
        attached,
        author=author,
        body=body,
        send_at=send_at,
        is_regardless=is_regardless,
        form_key=form_key,
    )
    change_state(thread=thread, agent=author, draft_body="", draft_is_internal=False)
    return text


@transaction.atomic
def change_scheduled_text(
    *,
    text: ScheduledText,
    agent: Agent,
    body: str,
    send_at: datetime,
    is_regardless: bool,
    known_seq: int,
    files: Collection[int] | None = None,
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> None:
    """Change the body or the time of a scheduled text; the agent becomes its author.

    `files` are the keys of those that it keeps; None keeps all. Raises AlreadyEnded,
    ChangedMeanwhile if it is newer than `known_seq`, SendingRefused, Unfilled for placeholders
    that it did not have before unless `has_read_placeholders`, and InQuietHours for another time
    than before unless `is_quiet_ok`.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    now = read_pending(text)
    if now.seq > known_seq:
        raise ChangedMeanwhile(now)
    kept, rest = _split_files(now, files)
    _raise_if_refused(body, now.thread, agent, kept)
    _check_new_placeholders(now.body, body, is_read=has_read_placeholders)
    is_asked = is_quiet_ok or send_at == now.send_at
    check_quiet_hours(now.thread, at=send_at, is_asked=is_asked)
    drafts.drop_scheduled_files(rest)
    update_text(
        now,
        seq,
        author=agent,
        body=body,
        send_at=send_at,
        is_regardless=is_regardless,
        seen_id=now.thread.last_message_id or 0,
        state=State.WAITING,
        is_undoable=False,
        marks_done=False,
        reason="",
    )


@transaction.atomic
def delete_scheduled_text(*, text: ScheduledText) -> None:
    """Delete a scheduled text, and its files. Raises AlreadyEnded."""
    seq = counters.next_inbox_seq(text.inbox_id)
    now = read_pending(text)
    drafts.drop_scheduled_files(drafts.scheduled_files(now))
    update_text(now, seq, state=State.DELETED, body="", reason="")
    hide_empty_thread(now.thread_id)


@transaction.atomic
def send_scheduled_text_now(
    *,
    text: ScheduledText,
    agent: Agent,
    words: tuple[str, int] | None = None,
    files: Collection[int] | None = None,
    has_read_placeholders: bool = False,
    is_quiet_ok: bool = False,
) -> Message:
    """Send a scheduled text at once, in the agent's name.

    `words` are a new body and the counter value at which the old one was read; `files` are those
    that it keeps. Raises what `change_scheduled_text` raises.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    now = read_pending(text)
    if words is not None and now.seq > words[1]:
        raise ChangedMeanwhile(now)
    before, now.body = now.body, words[0] if words else now.body
    kept, rest = _split_files(now, files)
    _raise_if_refused(now.body, now.thread, agent, kept)
    _check_new_placeholders(before, now.body, is_read=has_read_placeholders)
    check_quiet_hours(now.thread, is_asked=is_quiet_ok)
    drafts.drop_scheduled_files(rest)
    message = turn_into_message(now, seq, agent, kept)
    change_state(
        thread=now.thread,
        agent=agent,
        last_read_id=message.pk,
        read_count=message.position,
        is_marked_unread=False,
    )
    return message


@transaction.atomic
def send_if_due(*, text: ScheduledText) -> bool:
    """Send a scheduled text if it is due; return True if it was sent.

    If it may not be sent, it is held, and an internal message tells its author why. One that its
    author could take back leaves behind those of its thread that were sent before it.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    due = ScheduledText.objects.due(timezone.now()).select_related("author", "thread__contact")
    now = due.filter(pk=text.pk).first()
    if now is None:
        return False
    if now.is_undoable:
        sent_before = due.filter(IS_LEAVING, thread=now.thread_id, pk__lt=now.pk)
        earlier = list(sent_before.order_by("pk"))
        # In the order of their keys: the texts may have been written in another order.
        counters.next_agent_seqs(text.author_id for text in [*earlier, now])
        for one in earlier:
            _send_or_hold(one, seq)
    return _send_or_hold(now, seq)


def _send_or_hold(now: ScheduledText, seq: int) -> bool:
    files = drafts.scheduled_files(now)
    is_member = _can_see_inbox(now.author, now.inbox_id)
    if reason := _hold_reason(now, files, is_member=is_member):
        _hold_text(now, seq, reason, is_member=is_member)
        return False
    thread = Thread.objects.only("last_message_id").get(pk=now.thread_id)
    had_read = ThreadState.objects.filter(
        agent=now.author, thread=thread, last_read_id__gte=thread.last_message_id or 0
    ).exists()
    message = turn_into_message(now, seq, now.author, files)
    if had_read:
        change_state(
            thread=now.thread,
            agent=now.author,
            last_read_id=message.pk,
            read_count=message.position,
        )
    if now.marks_done:
        shown = {now.thread_id: now.seen_id}
        deeds.mark_done(inbox_id=now.inbox_id, shown=shown, by=now.author, seq=seq)
    return True


def delete_ended_texts() -> int:
    """Delete scheduled texts that ended a month ago; return how many."""
    ended = ScheduledText.objects.filter(state__in=[State.SENT, State.DELETED])
    count, _ = ended.filter(changed_at__lt=timezone.now() - KEEP_ENDED).delete()
    return count


def _split_files(
    text: ScheduledText, kept: Collection[int] | None
) -> tuple[list[Attachment], list[Attachment]]:
    """Return the files that the text keeps, and the others."""
    files = drafts.scheduled_files(text)
    if kept is None:
        return files, []
    return [one for one in files if one.pk in kept], [one for one in files if one.pk not in kept]


def _can_see_inbox(agent: Agent, inbox_id: int) -> bool:
    return agent.is_active and Inbox.objects.visible_to(agent).filter(pk=inbox_id).exists()


def _raise_if_refused(
    body: str, thread: Thread, agent: Agent, files: Collection[Attachment]
) -> None:
    number_to_send_from(thread, body, files)
    if find_mentions(body, mentionable_agents(thread.inbox, agent), agent):
        raise SendingRefused(MENTION_REASON)


def _check_new_placeholders(before: str, body: str, *, is_read: bool) -> None:
    """Raise Unfilled for placeholders that nobody has said yes to when the text was scheduled."""
    is_known = set(find_unfilled(body)) <= set(find_unfilled(before))
    check_placeholders(body, is_read=is_read or is_known)


def _hold_reason(text: ScheduledText, files: Collection[Attachment], *, is_member: bool) -> str:
    """Return why the text may not be sent now, or an empty string."""
    thread, author = text.thread, text.author
    if not is_member:
        deed = "wrote" if text.is_undoable else "scheduled"
        return f"{author.display_name}, who {deed} it, is no longer in this inbox."
    if timezone.now() - text.send_at > timedelta(hours=settings.TEXT_EXPIRY_HOURS):
        when = "when it was to leave" if text.is_undoable else "at the scheduled time"
        return f"Partyline wasn't running {when}, so this text may be out of date."
    number, sentence = number_or_refusal(thread)
    if number is None:
        return sentence
    if sentence := too_long_sentence(text.body, number):
        return sentence
    if sentence := drafts.carrier_objection(files, number.account.adapter.capabilities):
        return sentence
    if find_mentions(text.body, mentionable_agents(thread.inbox, author), author):
        return MENTIONED_SINCE if text.is_undoable else MENTION_REASON
    return "" if text.is_regardless else _overtaken_reason(text)


def _describe_hold(text: ScheduledText, reason: str, *, is_member: bool) -> str:
    """Tell the author, if they are a member, or else the team that the text was not sent."""
    because = f"they{REPLIED_FIRST}" if reason == f"They{REPLIED_FIRST}" else reason
    why = f" because {because}" if reason.endswith(REPLIED_FIRST) else f". {reason}"
    kind = "text" if text.is_undoable else "scheduled text"
    whose = "Your" if is_member else "A"
    return f"{whose} {kind} wasn't sent{why} Review it above the message box."


def _overtaken_reason(text: ScheduledText) -> str:
    """Return a reason if somebody has written since; internal messages do not count."""
    others = Message.objects.of_others_since(text.thread, text.author, text.seen_id)
    newer = others.exclude(kind=Message.Kind.INTERNAL).first()
    if newer is None:
        return ""
    who = newer.author.display_name if newer.author else "They"
    return f"{who}{REPLIED_FIRST}"


def _hold_text(text: ScheduledText, seq: int, reason: str, *, is_member: bool) -> None:
    """Hold the text for an agent to decide, and say so in an internal message."""
    update_text(text, seq, state=State.HELD, reason=reason[:255])
    handle = f"@{text.author.username}" if is_member else ""
    writing.record_message(
        writing.new_message(
            text.thread,
            seq=seq,
            kind=Message.Kind.INTERNAL,
            is_automatic=True,
            body=f"{handle} {_describe_hold(text, reason, is_member=is_member)}".strip(),
            mentions=[[0, len(handle), text.author_id]] if handle else [],
        )
    )
    if is_member:
        restore_for_mentioned(thread=text.thread, author=text.author, mentioned={text.author_id})
