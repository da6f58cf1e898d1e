"""The few statements of the receiving and the sending path, written out.

Each webhook and each text passes here, and building a statement by the ORM costs more than
PostgreSQL needs to run it (docs/benchmarks.md). Columns are read from the models, so that a new
one is not forgotten.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models

from messaging.models import Attempt, Message, Webhook


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


def update(row: models.Model, **columns: object) -> None:
    """Write named columns of a row, and set them on it."""
    fields = {field.name: field for field in row._meta.concrete_fields}
    values: dict[str, Any] = {"pk": row.pk}
    for name, value in columns.items():
        setattr(row, name, value)
        values[name] = fields[name].get_db_prep_save(value, connection)
    written = ", ".join(f"{fields[name].column} = %({name})s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {written} WHERE id = %(pk)s", values)  # noqa: S608  names of our own models


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

INSERT_WEBHOOK = insert_into(Webhook)

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

_ORDINAL = "(SELECT count(*) + 1 FROM messaging_attempt WHERE message_id = %(message_id)s)"
BEGIN_ATTEMPT = f"{insert_into(Attempt, ordinal=_ORDINAL)}, ordinal"

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
