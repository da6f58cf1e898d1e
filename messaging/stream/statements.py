"""The few statements of the receiving and the sending path that are written out.

Rows are written by the ORM, except by RECORD, which inserts a message and lifts its thread and its
inbox in one round trip. The others only read: each webhook or each text asks them, and one of them
takes 0.1 to 0.2 ms of processor as it stands here, 0.6 to 1.2 ms if the ORM builds it. With all of
them built by the ORM, receiving a text took 1.7 times as much processor, sending one 1.8 times
(medians of rounds taken in turns). Writing by the ORM costs some 5 % of either, and 17 % of
applying a receipt.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models

from messaging.models import Message


def columns_of(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]


def insert_into(model: type[models.Model], **written: str) -> str:
    """Takes what `values_of` gives but for columns `written` as SQL; returns the new row's key."""
    names = columns_of(model)
    places = ", ".join(written.get(name, f"%({name})s") for name in names)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({places}) RETURNING id"  # noqa: S608  names of our own models
    )


def values_of(row: models.Model) -> dict[str, Any]:
    """What `save(force_insert=True)` would write."""
    return {
        str(field.column): field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def run(statement: str, details: Any) -> tuple[Any, ...] | None:
    """The first row of the answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


ROUTE = "SELECT inbox_id, address FROM messaging_number WHERE account_id = %s AND address = %s"

FIND_THREAD = (
    "SELECT thread.id FROM threads_thread AS thread"
    " JOIN threads_contact AS contact ON contact.id = thread.contact_id"
    " WHERE contact.inbox_id = %s AND contact.address = %s"
)

_LAST = (
    "last_message_id = written.id, last_kind = %(kind)s, last_author_id = %(author_id)s,"
    " last_excerpt = %(excerpt)s, last_mentions = %(excerpt_mentions)s::jsonb,"
    " last_at = %(created_at)s"
)
_POSITION = "(SELECT message_count + 1 FROM threads_thread WHERE id = %(thread_id)s)"
RECORD = (
    f"WITH written AS ({insert_into(Message, position=_POSITION)}, position),"  # noqa: S608  as above
    f" lifted AS (UPDATE threads_thread SET seq = %(seq)s, {_LAST},"
    " our_address = coalesce(%(our_address)s, our_address),"
    " message_count = written.position, words = %(words)s,"
    " last_text_id = CASE WHEN %(kind)s = 'internal' THEN last_text_id ELSE written.id END,"
    " needs_reply = coalesce(%(needs_reply)s, needs_reply)"
    " FROM written WHERE threads_thread.id = %(thread_id)s)"
    f" UPDATE inboxes_inbox SET {_LAST} FROM written WHERE inboxes_inbox.id = %(inbox_id)s"
    " RETURNING written.id, written.position"
)
"""Inserts a message and lifts its thread and its inbox; returns its key and its place."""

TEXT_WAITS = (
    "SELECT 1 FROM messaging_message"
    " WHERE thread_id = %s AND kind = 'outbound' AND state = 'queued' LIMIT 1"
)

OPEN_ATTEMPT = (
    "SELECT 1 FROM messaging_attempt AS attempt"
    " JOIN messaging_message AS message ON message.id = attempt.message_id"
    " WHERE attempt.state = 'sending' AND message.thread_id = %s LIMIT 1"
)

NEXT_ORDINAL = "SELECT count(*) + 1 FROM messaging_attempt WHERE message_id = %s"

READ_ATTEMPT = "SELECT state, carrier_message_id, error_class FROM messaging_attempt WHERE id = %s"

SHOWN_OF = (
    "SELECT state, NOT EXISTS (SELECT FROM messaging_attempt AS later"
    " WHERE later.message_id = message.id AND later.ordinal > %(ordinal)s)"
    " FROM messaging_message AS message WHERE id = %(message)s"
)
"""A message's state, and whether no attempt on it is later than that one."""

PARKED = (
    "SELECT 1 FROM messaging_deliveryreceipt"
    " WHERE account_id = %s AND carrier_message_id = %s AND attempt_id IS NULL LIMIT 1"
)
