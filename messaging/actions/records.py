"""Writing a message into the record: the stream, the thread's row, the inbox's row."""

from __future__ import annotations

from django.db import connection

from inboxes import bell
from inboxes.models import Inbox
from messaging.actions.notifying import notify
from messaging.models import Message
from threads import addresses
from threads.models import Contact, Thread

EXCERPT_LENGTH = 160


def excerpt(body: str) -> str:
    """One line for a list, white space folded."""
    return " ".join(body[: EXCERPT_LENGTH * 2].split())[:EXCERPT_LENGTH]


def open_thread(*, inbox_id: int, sender: str, our_address: str, seq: int) -> Thread:
    """The one thread of the inbox with this sender, made if need be.

    Call under the lock of the inbox's counter: it keeps two first texts from making two threads.
    """
    address, kind = addresses.normalise(sender)
    thread = Thread.objects.filter(contact__inbox=inbox_id, contact__address=address).first()
    if thread is not None:
        return thread
    contact = Contact.objects.create(
        inbox_id=inbox_id, address=address, raw_address=sender[:255], kind=kind
    )
    return Thread.objects.create(
        inbox_id=inbox_id, contact=contact, our_address=our_address, seq=seq
    )


def record(message: Message, *, our_address: str | None = None) -> Message:
    """Insert a message, lift its thread and its inbox, tell the others; ring once committed.

    The caller holds the inbox's counter, whose value stands in `message.seq`. `our_address` is
    set where the message decides which number the conversation now goes through.
    """
    message.save(force_insert=True)
    last = {
        "last_message_id": message.pk,
        "last_kind": message.kind,
        "last_author_id": message.author_id,
        "last_excerpt": excerpt(message.body),
        "last_at": message.created_at,
    }
    moved = {"our_address": our_address} if our_address is not None else {}
    Thread.objects.filter(pk=message.thread_id).update(seq=message.seq, **last, **moved)
    Inbox.objects.filter(pk=message.inbox_id).update(**last)
    notify(message)
    bell.ring_inbox(message.inbox_id, message.seq)
    return message


def change(message: Message, seq: int, **columns: object) -> None:
    """Write named columns of a message, stamped with the inbox's counter; ring once committed."""
    for name, value in columns.items():
        setattr(message, name, value)
    message.seq = seq
    Message.objects.filter(pk=message.pk).update(seq=seq, **columns)
    bell.ring_inbox(message.inbox_id, seq)


def lock_carrier_message(account_id: int, carrier_message_id: str) -> None:
    """Let one transaction at a time pair receipts with an attempt's carrier id.

    Without it a receipt could find no attempt yet while the attempt finds no receipt yet. It is
    taken before the inbox's counter, always, so that the two never wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [account_id, carrier_message_id]
        )
