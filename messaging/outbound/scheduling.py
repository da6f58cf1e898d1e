"""Schedule texts, and change, send or delete scheduled ones.

Each action is one transaction that holds the inbox's counter and reads the text's state under it.
So a text is sent once, whoever asks for it, however often and from whatever process.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Agent, Inbox
from messaging.models import Message, ScheduledText
from messaging.outbound.sending import (
    FormAlreadyUsed,
    SendingRefused,
    message_of_form,
    number_to_send_from,
    queue_message,
)
from messaging.stream import failures, writing
from messaging.stream.hiding import restore_for_mentioned
from messaging.stream.mentions import find_mentions, mentionable_agents
from messaging.stream.refusals import number_or_refusal, too_long_sentence
from threads.actions import change_state
from threads.models import Thread, ThreadState

State = ScheduledText.State

KEEP_ENDED = timedelta(days=30)

MENTION_REASON = (
    "It mentions a teammate, so it would be internal. Only texts to customers can be scheduled."
)
REPLIED_FIRST = " replied first."

SENT_ALREADY = (
    "This text was already sent; only the confirmation got lost. Choose a time again only if you "
    "want to send it twice."
)


class AlreadyEnded(Exception):
    """The text has been sent or deleted meanwhile."""


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
) -> ScheduledText:
    """Schedule a text; the same form sent twice schedules one.

    Raises SendingRefused, or FormAlreadyUsed if the form has sent a text at once.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    earlier = ScheduledText.objects.filter(author=author, form_key=form_key).first()
    if earlier is not None:
        return earlier
    if message_of_form(author, form_key):
        raise FormAlreadyUsed(SENT_ALREADY)
    thread.refresh_from_db()
    _raise_if_refused(body, thread, author)
    text = ScheduledText.objects.create(
        thread=thread,
        inbox_id=thread.inbox_id,
        author=author,
        body=body,
        send_at=send_at,
        is_regardless=is_regardless,
        seen_id=thread.last_message_id or 0,
        form_key=form_key,
        seq=seq,
    )
    bell.ring_inbox(text.inbox_id, seq)
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
) -> None:
    """Change the body or the time of a scheduled text; the agent becomes its author.

    Raises AlreadyEnded, ChangedMeanwhile if it is newer than `known_seq`, and SendingRefused.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    now = _get_pending(text)
    if now.seq > known_seq:
        raise ChangedMeanwhile(now)
    _raise_if_refused(body, now.thread, agent)
    _update_text(
        now,
        seq,
        author=agent,
        body=body,
        send_at=send_at,
        is_regardless=is_regardless,
        seen_id=now.thread.last_message_id or 0,
        state=State.WAITING,
        reason="",
    )


@transaction.atomic
def delete_scheduled_text(*, text: ScheduledText) -> None:
    """Delete a scheduled text. Raises AlreadyEnded."""
    seq = counters.next_inbox_seq(text.inbox_id)
    _update_text(_get_pending(text), seq, state=State.DELETED, body="", reason="")


@transaction.atomic
def send_scheduled_text_now(
    *, text: ScheduledText, agent: Agent, words: tuple[str, int] | None = None
) -> Message:
    """Send a scheduled text at once, in the agent's name.

    `words` are a new body and the counter value at which the old one was read. Raises what
    `change_scheduled_text` raises.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    now = _get_pending(text)
    if words is not None:
        if now.seq > words[1]:
            raise ChangedMeanwhile(now)
        now.body = words[0]
    _raise_if_refused(now.body, now.thread, agent)
    message = _turn_into_message(now, seq, agent)
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

    If it may not be sent, it is held, and an internal message tells its author why.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    due = ScheduledText.objects.due(timezone.now()).select_related("author", "thread__contact")
    now = due.filter(pk=text.pk).first()
    if now is None:
        return False
    is_member = _can_see_inbox(now.author, now.inbox_id)
    if reason := _hold_reason(now, is_member=is_member):
        _hold_text(now, seq, reason, is_member=is_member)
        return False
    had_read = ThreadState.objects.filter(
        agent=now.author, thread=now.thread, last_read_id__gte=now.thread.last_message_id or 0
    ).exists()
    message = _turn_into_message(now, seq, now.author)
    if had_read:
        change_state(
            thread=now.thread,
            agent=now.author,
            last_read_id=message.pk,
            read_count=message.position,
        )
    return True


def delete_ended_texts() -> int:
    """Delete scheduled texts that ended a month ago; return how many."""
    ended = ScheduledText.objects.filter(state__in=[State.SENT, State.DELETED])
    count, _ = ended.filter(changed_at__lt=timezone.now() - KEEP_ENDED).delete()
    return count


def _get_pending(text: ScheduledText) -> ScheduledText:
    """Return the text as it is now. The caller holds the inbox's counter."""
    rows = ScheduledText.objects.pending().select_related("author", "thread__contact")
    now = rows.filter(pk=text.pk).first()
    if now is None:
        raise AlreadyEnded
    return now


def _update_text(text: ScheduledText, seq: int, **columns: object) -> None:
    """Write named columns, and count the text among its thread's failures while it is held."""
    is_held = columns.get("state", text.state) == State.HELD
    if is_held != text.is_counted:
        failures.change_counts(text.thread_id, seq, {"failed": 1 if is_held else -1})
        columns["is_counted"] = is_held
    for name, value in columns.items():
        setattr(text, name, value)
    text.seq = seq
    text.save(update_fields=[*columns, "seq", "changed_at"])
    bell.ring_inbox(text.inbox_id, seq)


def _turn_into_message(text: ScheduledText, seq: int, author: Agent) -> Message:
    message = writing.new_message(
        text.thread, seq=seq, kind=Message.Kind.OUTBOUND, author=author, body=text.body
    )
    queue_message(message)
    _update_text(text, seq, state=State.SENT, message=message, body="", reason="")
    return message


def _can_see_inbox(agent: Agent, inbox_id: int) -> bool:
    return agent.is_active and Inbox.objects.visible_to(agent).filter(pk=inbox_id).exists()


def _raise_if_refused(body: str, thread: Thread, agent: Agent) -> None:
    number_to_send_from(thread, body)
    if find_mentions(body, mentionable_agents(thread.inbox, agent), agent):
        raise SendingRefused(MENTION_REASON)


def _hold_reason(text: ScheduledText, *, is_member: bool) -> str:
    """Return why the text may not be sent now, or an empty string."""
    thread, author = text.thread, text.author
    if not is_member:
        return f"{author.display_name}, who scheduled it, is no longer in this inbox."
    if timezone.now() - text.send_at > timedelta(hours=settings.TEXT_EXPIRY_HOURS):
        return "Partyline wasn't running at the scheduled time, so this text may be out of date."
    number, sentence = number_or_refusal(thread)
    if number is None:
        return sentence
    if sentence := too_long_sentence(text.body, number):
        return sentence
    if find_mentions(text.body, mentionable_agents(thread.inbox, author), author):
        return MENTION_REASON
    return "" if text.is_regardless else _overtaken_reason(text)


def _describe_hold(reason: str, *, is_member: bool) -> str:
    """Tell the author, if they are a member, or else the team that the text was not sent."""
    because = f"they{REPLIED_FIRST}" if reason == f"They{REPLIED_FIRST}" else reason
    why = f" because {because}" if reason.endswith(REPLIED_FIRST) else f". {reason}"
    whose = "Your" if is_member else "A"
    return f"{whose} scheduled text wasn't sent{why} Review it above the message box."


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
    _update_text(text, seq, state=State.HELD, reason=reason[:255])
    handle = f"@{text.author.username}" if is_member else ""
    writing.record_message(
        writing.new_message(
            text.thread,
            seq=seq,
            kind=Message.Kind.INTERNAL,
            is_automatic=True,
            body=f"{handle} {_describe_hold(reason, is_member=is_member)}".strip(),
            mentions=[[0, len(handle), text.author_id]] if handle else [],
        )
    )
    if is_member:
        restore_for_mentioned(thread=text.thread, author=text.author, mentioned={text.author_id})
