"""Writing a message into the record: the stream, the thread's row, the inbox's row."""

from __future__ import annotations

import json

from django.db import connection

from inboxes import bell
from inboxes.database import save_columns
from inboxes.models import Inbox
from messaging.models import Attempt, Message
from messaging.stream import statements
from messaging.stream.notifying import notify_members
from threads import addresses, words
from threads.models import Contact, Thread

EXCERPT_LENGTH = 160


def make_excerpt(body: str) -> str:
    """One line for a list, white space folded."""
    return " ".join(body[: EXCERPT_LENGTH * 2].split())[:EXCERPT_LENGTH]


def _mentions_in_excerpt(message: Message) -> list[list[int]]:
    """The mentions that the excerpt shows whole, where they stand in it."""
    shown = make_excerpt(message.body)
    found = []
    for start, end, agent_id in message.mentions:
        before = message.body[:start]
        at = len(" ".join(before.split())) + (before[-1:].isspace() and bool(before.split()))
        if shown[at : at + end - start] == message.body[start:end]:
            found.append([at, at + end - start, agent_id])
    return found


def get_or_create_thread(*, inbox_id: int, sender: str, our_address: str, seq: int) -> int:
    """The key of the one thread of the inbox with this sender, made if need be.

    Call under the lock of the inbox's counter: it keeps two first texts from making two threads.
    """
    address, kind = addresses.normalise_address(sender)
    found = statements.run(statements.FIND_THREAD, [inbox_id, address])
    if found is not None:
        return int(found[0])
    contact = Contact.objects.create(
        inbox_id=inbox_id,
        address=address,
        raw_address=sender[:255],
        kind=kind,
        words=words.build_tsvector(inbox_id, words.digit_triples(address)),
    )
    return Thread.objects.create(
        inbox_id=inbox_id, contact=contact, our_address=our_address, seq=seq
    ).pk


def record_message(message: Message, *, our_address: str | None = None) -> Message:
    """Insert a message, lift its thread and its inbox, tell the others; ring once committed.

    The caller holds the inbox's counter, whose value stands in `message.seq`. `our_address` is
    set where the message decides which number the conversation now goes through.
    """
    message.words = words.build_tsvector(message.inbox_id, words.split_words(message.body))
    details = {
        "excerpt": make_excerpt(message.summary),
        "excerpt_mentions": json.dumps(_mentions_in_excerpt(message)),
        "our_address": our_address,
        "needs_reply": _needs_reply(message),
    }
    row = statements.run(statements.RECORD, statements.values_of(message) | details)
    if row is None:
        raise Inbox.DoesNotExist
    message.pk, message.position = row
    notify_members(message)
    bell.ring_inbox(message.inbox_id, message.seq)
    return message


def _needs_reply(message: Message) -> bool | None:
    """None where a message leaves it as it was: a word among the team, or an automatic answer."""
    if message.kind == Message.Kind.INTERNAL or message.is_automatic:
        return None
    return message.kind == Message.Kind.INBOUND


def change_message(message: Message, seq: int, **columns: object) -> None:
    """Write named columns of a message, stamped with the inbox's counter; ring once committed."""
    save_columns(message, seq=seq, **columns)
    bell.ring_inbox(message.inbox_id, seq)


def reload_attempt(attempt: Attempt) -> None:
    """How the attempt stands now. The caller holds the inbox's counter."""
    row = statements.run(statements.READ_ATTEMPT, [attempt.pk])
    if row is None:
        raise Attempt.DoesNotExist
    attempt.state, attempt.carrier_message_id, attempt.error_class = row


def lock_carrier_message(account_id: int, carrier_message_id: str) -> None:
    """Let one transaction at a time pair receipts with an attempt's carrier id.

    Without it a receipt could find no attempt yet while the attempt finds no receipt yet. It is
    taken before the inbox's counter, always, so that the two never wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [account_id, carrier_message_id]
        )
