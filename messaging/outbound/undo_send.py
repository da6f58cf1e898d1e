"""Hold a text for the seconds in which its author can take it back, and take it back.

Both, and the leaving in `scheduling.send_if_due`, hold the inbox's counter and read the text's
state under it: a text leaves once, or never if it was taken back, whatever process ends when.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.attachments import drafts
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound.quiet_hours import check_quiet_hours
from messaging.outbound.scheduled_texts import (
    AlreadyEnded,
    State,
    create_text,
    find_text_of_form,
    update_text,
)
from messaging.outbound.sending import (
    SCHEDULED_ALREADY,
    TAKEN_BACK,
    FormAlreadyUsed,
    check_placeholders,
    check_readers,
    claim_files,
    message_of_form,
    number_to_send_from,
    write_message,
)
from messaging.stream.hiding import hide_empty_thread
from messaging.stream.jobs import defer_due_text
from messaging.stream.mentions import find_mentions, mentionable_agents
from threads.actions import change_state
from threads.models import Thread, ThreadState


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what is in a composer."""

    body: str
    is_internal: bool


@transaction.atomic
def write_or_hold(
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
) -> Message | ScheduledText:
    """Write a message, or hold a text to the contact for as long as its author wants.

    Takes and raises what `write_message` does. The same form sent twice holds one text. One that
    `marks_done` does so when it leaves, unless a text has come in by then.
    """
    counters.next_inbox_seq(thread.inbox_id)
    earlier = find_text_of_form(author, form_key)
    if earlier is not None and earlier.is_undoable:
        return text_or_message(earlier)
    is_held = author.undo_seconds and not is_internal and not message_of_form(author, form_key)
    if not is_held or find_mentions(body, mentionable_agents(thread.inbox, author), author):
        return write_message(
            thread=thread,
            author=author,
            body=body,
            form_key=form_key,
            is_internal=is_internal,
            seen=seen,
            files=files,
            marks_done=marks_done,
            shown=shown,
            has_read_placeholders=has_read_placeholders,
            is_quiet_ok=is_quiet_ok,
        )
    if earlier is not None:
        raise FormAlreadyUsed(SCHEDULED_ALREADY if earlier.is_pending else TAKEN_BACK)
    thread.refresh_from_db()
    check_readers(thread, author, is_internal=False, seen=seen)
    check_placeholders(body, is_read=has_read_placeholders)
    check_quiet_hours(thread, is_asked=is_quiet_ok)
    return hold_text(
        thread=thread,
        author=author,
        body=body,
        form_key=form_key,
        files=claim_files(thread, author, files),
        marks_done=marks_done,
        shown=shown,
    )


@transaction.atomic
def hold_text(
    *,
    thread: Thread,
    author: Agent,
    body: str,
    form_key: uuid.UUID,
    files: Collection[Attachment] = (),
    marks_done: bool = False,
    shown: int | None = None,
    keeps_draft: bool = False,
) -> ScheduledText:
    """Hold a text with claimed files for its author's seconds, and empty their draft as sending
    does.

    Raises SendingRefused.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    number_to_send_from(thread, body, files)
    text = create_text(
        thread,
        seq,
        files,
        author=author,
        body=body,
        send_at=_next_leaving(thread, author.undo_seconds),
        is_regardless=True,
        is_undoable=True,
        marks_done=marks_done,
        seen_id=(thread.last_message_id or 0) if shown is None else shown,
        form_key=form_key,
    )
    defer_due_text(text.pk, at=text.send_at)
    if keeps_draft:
        change_state(thread=thread, agent=author, is_marked_unread=False)
    else:
        change_state(
            thread=thread,
            agent=author,
            is_marked_unread=False,
            draft_body="",
            draft_is_internal=False,
        )
    return text


@transaction.atomic
def take_back(*, text: ScheduledText, agent: Agent, typed: Draft | None = None) -> Draft:
    """Put a text that has not left back into its author's composer; return what is in it then.

    `typed` is what the agent has written since, if the page knows it better than the record. It is
    kept below the text. The composer stays internal if that was: its words are for the team.
    Raises AlreadyEnded, also for everybody but the author.
    """
    seq = counters.next_inbox_seq(text.inbox_id)
    now = ScheduledText.objects.leaving().filter(pk=text.pk, author=agent).first()
    if now is None:
        raise AlreadyEnded
    body = now.body
    drafts.return_files(now)
    update_text(now, seq, state=State.DELETED, body="", reason="")
    hide_empty_thread(now.thread_id)
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    found = _join(body, typed or _stored_draft(now.thread_id, agent))
    change_state(
        thread=now.thread,
        agent=agent,
        draft_body=found.body,
        draft_is_internal=found.is_internal,
    )
    return found


def text_or_message(text: ScheduledText) -> Message | ScheduledText:
    """Return what a form has made that held a text. Raises FormAlreadyUsed if it came back."""
    if text.state == State.DELETED:
        raise FormAlreadyUsed(TAKEN_BACK)
    return text.message or text


def _next_leaving(thread: Thread, seconds: int) -> datetime:
    """Return when a text leaves that is sent now: never before one that was sent before it."""
    last = ScheduledText.objects.leaving().filter(thread=thread).aggregate(at=Max("send_at"))["at"]
    mine = timezone.now() + timedelta(seconds=seconds)
    return max(mine, last) if last else mine


def _stored_draft(thread_id: int, agent: Agent) -> Draft:
    state = ThreadState.objects.filter(thread=thread_id, agent=agent).first()
    return Draft(state.draft_body, state.draft_is_internal) if state else Draft("", False)


def _join(body: str, typed: Draft) -> Draft:
    if typed.body.strip() in {"", body.strip()}:  # nothing was typed, or the box kept the text
        return Draft(body, is_internal=False)
    return Draft(f"{body}\n{typed.body}" if body else typed.body, typed.is_internal)
