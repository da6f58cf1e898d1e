"""Write a message into the record: the stream, the thread's row and the inbox's row."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.utils import timezone

from inboxes import bell
from inboxes.database import save_columns
from inboxes.models import Inbox
from messaging.models import Attempt, Message, Notification
from messaging.stream import failures, notifying, statements
from threads import activity, addresses, words
from threads.models import Activity, Contact, Thread, ThreadLabel

EXCERPT_LENGTH = 160


def make_excerpt(body: str) -> str:
    """Return one line for a list, with white space collapsed."""
    return " ".join(body[: EXCERPT_LENGTH * 2].split())[:EXCERPT_LENGTH]


def _mentions_in_excerpt(message: Message) -> list[list[int]]:
    """Return the mentions that the excerpt shows in full, with their offsets in it."""
    shown = make_excerpt(message.body)
    found = []
    for start, end, agent_id in message.mentions:
        before = message.body[:start]
        at = len(" ".join(before.split())) + (before[-1:].isspace() and bool(before.split()))
        if shown[at : at + end - start] == message.body[start:end]:
            found.append([at, at + end - start, agent_id])
    return found


def get_or_create_thread(*, inbox_id: int, sender: str, our_address: str, seq: int) -> int:
    """Return the key of the inbox's only thread with the sender, which is created if necessary.

    The caller holds the inbox's counter, which keeps two first texts from creating two threads.
    A contact that was imported or added by hand is the thread's, and a blocked one's is blocked.
    """
    address, kind = addresses.normalise_address(sender)
    found = statements.fetch_row(statements.FIND_THREAD, [inbox_id, address])
    if found is not None:
        return int(found[0])
    contact = _first_text_of(inbox_id, address, kind, sender)
    return Thread.objects.create(
        inbox_id=inbox_id,
        contact=contact,
        our_address=our_address,
        status=Thread.Status.BLOCKED if contact.blocked_at else Thread.Status.OPEN,
        seq=seq,
    ).pk


def _first_text_of(inbox_id: int, address: str, kind: str, sender: str) -> Contact:
    """Return the contact that has no thread yet; it gets one now."""
    known = Contact.objects.filter(inbox=inbox_id, address=address).first()
    if known is not None:
        known.raw_address, known.is_unused = sender[:255], False
        known.save(update_fields=["raw_address", "is_unused"])
        return known
    new = Contact(inbox_id=inbox_id, address=address, raw_address=sender[:255], kind=kind)
    new.words = new.build_words()
    new.save(force_insert=True)
    return new


def new_message(
    thread: Thread, *, seq: int, kind: Message.Kind, body: str, **columns: Any
) -> Message:
    """Return an unsaved message in the thread, dated now."""
    return Message(
        thread=thread,
        inbox_id=thread.inbox_id,
        created_at=timezone.now(),
        seq=seq,
        kind=kind,
        body=body,
        **columns,
    )


def record_message(
    message: Message, *, our_address: str | None = None, notifies: bool = True
) -> Message:
    """Insert a message, update its thread and its inbox, notify members, and ring on commit.

    In a blocked thread it lifts nothing and notifies nobody, except those whom it mentions. The
    caller holds the inbox's counter, whose value is in `message.seq`. `our_address` is given where
    the message decides which of our numbers the conversation uses from now on.
    """
    message.words = words.build_tsvector(message.inbox_id, words.split_words(message.body))
    details = {
        "excerpt": make_excerpt(message.summary),
        "excerpt_mentions": json.dumps(_mentions_in_excerpt(message)),
        "our_address": our_address,
        "needs_reply": _needs_reply(message),
        "is_to_group": message.is_to_group if message.is_inbound else None,
        "reopens": _reopens(message),
    }
    row = statements.fetch_row(
        statements.RECORD_MESSAGE, statements.column_values(message) | details
    )
    if row is None:
        raise Inbox.DoesNotExist
    message.pk, message.position, has_labels, status, waiting_agent_id, answers = row
    message.may_be_answered = bool(answers)
    if has_labels:
        ThreadLabel.objects.filter(thread=message.thread_id).update(last_at=message.created_at)
    is_blocked = status == Thread.Status.BLOCKED
    if notifies and (message.mentions or not is_blocked):
        notifying.notify_members(message, only_mentioned=is_blocked)
    if _reopens(message) and status in {Thread.Status.DONE, Thread.Status.SNOOZED}:
        _tell_of_reopening(message, status, waiting_agent_id)
    bell.ring_inbox(message.inbox_id, message.seq)
    return message


def _reopens(message: Message) -> bool:
    """Return True for an inbound text that opens its thread, whether done or snoozed.

    A STOP does too, and a text that was found afterwards: nobody has seen them. Tapbacks don't.
    """
    return message.is_inbound and not message.reaction


def _tell_of_reopening(message: Message, status: str, agent_id: int | None) -> None:
    """Record behind the text that it has opened its thread.

    `agent_id` waits for a snoozed thread. They are notified of its return, unless they are
    notified of the text.
    """
    was_snoozed = status == Thread.Status.SNOOZED
    lines = activity.record(
        thread_ids=[message.thread_id],
        inbox_id=message.inbox_id,
        actor=None,
        kind=Activity.Kind.UNSNOOZED if was_snoozed else Activity.Kind.REOPENED,
        details={"is_by_text": True},
        seq=message.seq,
    )
    notified = Notification.objects.filter(message=message, agent=agent_id)
    if was_snoozed and agent_id is not None and not notified.exists():
        told = [(line, agent_id) for line in lines]
        notifying.notify_of_activities(told, Notification.Reason.SNOOZED)


def _needs_reply(message: Message) -> bool | None:
    """Return whether the thread now needs a reply, if it can be answered.

    Return None if the message leaves that as it was: an internal or an automatic one, a tapback,
    and a late STOP, which may have been overtaken; whoever records the opt-out decides then.
    """
    if message.kind == Message.Kind.INTERNAL or message.is_automatic or message.reaction:
        return None
    is_opt_out = message.keyword == Message.Keyword.OPT_OUT
    if is_opt_out and message.is_late:
        return None
    return message.kind == Message.Kind.INBOUND and not is_opt_out


def change_message(message: Message, seq: int, **columns: object) -> None:
    """Write named columns of a message with the inbox's new counter, and ring on commit.

    If they hold its state, the caller has read the old one under that counter, and how it counts.
    """
    columns |= failures.count_state(message, seq, str(columns.get("state", message.state)))
    save_columns(message, seq=seq, **columns)
    bell.ring_inbox(message.inbox_id, seq)


def reload_attempt(attempt: Attempt) -> None:
    """Reload the attempt's state. The caller holds the inbox's counter."""
    row = statements.fetch_row(statements.GET_ATTEMPT, [attempt.pk])
    if row is None:
        raise Attempt.DoesNotExist
    attempt.state, attempt.carrier_message_id, attempt.error_class = row


def lock_carrier_message(account_id: int, carrier_message_id: str) -> None:
    """Lock a carrier's id, so that one transaction at a time pairs receipts with its attempt.

    Without the lock a receipt might not see the attempt while the attempt does not see the
    receipt. It is always taken before the inbox's counter, so that the two cannot deadlock.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [account_id, carrier_message_id]
        )
