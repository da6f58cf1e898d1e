"""Hold the few SQL statements that receiving and sending texts do not leave to the ORM.

Rows are written by the ORM, except by RECORD_MESSAGE, which inserts a message and updates its
thread and its inbox in one round trip. The others only read, for each webhook or each text. Each
takes 0.1 to 0.2 ms of processor time here, and 0.6 to 1.2 ms when the ORM builds it. With all of
them built by the ORM, receiving a text took 1.7 times as much processor time, and sending one 1.8
times (medians of interleaved rounds). Writing by the ORM costs some 5 % of either, and 17 % of
applying a receipt.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models

from messaging.models import Message


def column_names(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]


def build_insert(model: type[models.Model], **expressions: str) -> str:
    """Build an INSERT for the values of `column_values` that returns the row's key.

    `expressions` are SQL expressions for some columns instead.
    """
    names = column_names(model)
    values = ", ".join(expressions.get(name, f"%({name})s") for name in names)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({values}) RETURNING id"  # noqa: S608  names of our own models
    )


def column_values(row: models.Model) -> dict[str, Any]:
    """Return the values that `save(force_insert=True)` would write, by column."""
    return {
        str(field.column): field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def fetch_row(statement: str, details: Any) -> tuple[Any, ...] | None:
    """Execute a statement; return the first row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def fetch_rows(statement: str, details: Any) -> list[tuple[Any, ...]]:
    """Execute a statement; return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        return list(cursor.fetchall())


FIND_ROUTE = (
    "SELECT inbox_id, address FROM messaging_number WHERE account_id = %s AND address = %s"
)

# Whether a text that has come in is answered by itself.
FIND_ANSWERS = (
    "SELECT inbox.answers_when_closed, inbox.greets, inbox.weekly_hours, inbox.time_zone,"
    " inbox.holiday_region,"
    " ARRAY(SELECT closed.date FROM inboxes_closedday AS closed WHERE closed.inbox_id = inbox.id),"
    " contact.kind,"
    " (SELECT max(answer.created_at) FROM messaging_automaticanswer AS answer"
    " WHERE answer.thread_id = thread.id AND answer.kind = 'closed')"
    " FROM threads_thread AS thread"
    " JOIN inboxes_inbox AS inbox ON inbox.id = thread.inbox_id"
    " JOIN threads_contact AS contact ON contact.id = thread.contact_id"
    " WHERE thread.id = %(thread)s"
)

FIND_THREAD = (
    "SELECT thread.id FROM threads_thread AS thread"
    " JOIN threads_contact AS contact ON contact.id = thread.contact_id"
    " WHERE contact.inbox_id = %s AND contact.address = %s"
)

FIND_BLOCKS = (
    "SELECT contact.id, agent.id, agent.display_name, contact.blocked_at"
    " FROM threads_contact AS contact"
    " JOIN inboxes_agent AS agent ON agent.id = contact.blocked_by_id"
    " WHERE contact.id = ANY(%s) AND contact.blocked_at IS NOT NULL"
)

_LAST_MESSAGE = (
    "last_message_id = written.id, last_kind = %(kind)s, last_author_id = %(author_id)s,"
    " last_excerpt = %(excerpt)s, last_mentions = %(excerpt_mentions)s::jsonb,"
    " last_at = %(created_at)s"
)
# A text that Partyline sends by itself is nothing to read: it takes the position of the message
# before it, and so it is in no count of unread messages.
_POSITION = (
    "(SELECT message_count"
    " + CASE WHEN %(is_automatic)s AND %(kind)s = 'outbound' THEN 0 ELSE 1 END"
    " FROM threads_thread WHERE id = %(thread_id)s)"
)

# Whether a text could be sent in the row of threads_thread at hand, if its account is on.
CAN_BE_ANSWERED = (
    "EXISTS (SELECT FROM threads_contact AS contact"
    " WHERE contact.id = threads_thread.contact_id AND contact.kind <> 'name'"
    " AND contact.blocked_at IS NULL"
    " AND EXISTS (SELECT FROM messaging_number AS number"
    " WHERE number.inbox_id = threads_thread.inbox_id AND number.address = {our_address})"
    " AND NOT EXISTS (SELECT FROM messaging_optout AS opt_out"
    " WHERE opt_out.address = contact.address AND opt_out.ended_at IS NULL"
    " AND (opt_out.is_for_all OR opt_out.our_address = {our_address})))"
)
_OUR_ADDRESS = "coalesce(%(our_address)s, threads_thread.our_address)"

# The thread as it was; of its columns about waiting, as they are unless a wait begins or ends. An
# inbound text opens a thread that is done or snoozed, and then the wait begins with that text. A
# blocked one stays blocked.
_STAYS = "(status = 'open' OR NOT %(reopens)s)"
_BEFORE = (
    "SELECT id, status, assignee_id, snoozed_by_id, label_ids <> '{}' AS has_labels,"  # noqa: S608  as above
    f" CASE WHEN {_STAYS} THEN waiting_since END AS waiting_since,"
    f" was_alerted AND {_STAYS} AS was_alerted,"
    f" coalesce(%(needs_reply)s AND {CAN_BE_ANSWERED.format(our_address=_OUR_ADDRESS)},"
    " needs_reply) AS needs_reply"
    " FROM threads_thread WHERE id = %(thread_id)s"
)

# Inserts a message and updates its thread and its inbox, whose row shows nothing of a blocked
# contact. Returns its key and its position; of the thread as it was whether it has labels, its
# status, and who waits for it while snoozed; and whether the inbox ever answers by itself: most
# don't, and need not be asked again. NULL in a blocked thread, which gets no answer.
RECORD_MESSAGE = (
    f"WITH written AS ({build_insert(Message, position=_POSITION)}, position),"  # noqa: S608  as above
    f" before AS MATERIALIZED ({_BEFORE}),"
    f" updated AS (UPDATE threads_thread SET seq = %(seq)s, {_LAST_MESSAGE},"
    f" our_address = {_OUR_ADDRESS},"
    " message_count = written.position, words = %(words)s,"
    " last_text_id = CASE WHEN %(kind)s = 'internal' THEN last_text_id ELSE written.id END,"
    " needs_reply = before.needs_reply,"
    " waiting_since = CASE WHEN before.needs_reply"
    " THEN coalesce(before.waiting_since, %(created_at)s) END,"
    " was_alerted = before.was_alerted AND before.needs_reply,"
    " status = CASE WHEN %(reopens)s AND before.status <> 'blocked' THEN 'open'"
    " ELSE threads_thread.status END,"
    " snoozed_until = CASE WHEN NOT %(reopens)s THEN snoozed_until END,"
    " snoozed_by_id = CASE WHEN NOT %(reopens)s THEN threads_thread.snoozed_by_id END,"
    " is_to_group = coalesce(%(is_to_group)s, is_to_group)"
    " FROM written, before WHERE threads_thread.id = before.id),"
    f" lifted AS (UPDATE inboxes_inbox SET {_LAST_MESSAGE} FROM written, before"
    " WHERE inboxes_inbox.id = %(inbox_id)s AND before.status <> 'blocked'"
    " RETURNING answers_when_closed OR greets AS answers)"
    " SELECT written.id, written.position, before.has_labels, before.status,"
    " coalesce(before.assignee_id, before.snoozed_by_id), (SELECT answers FROM lifted)"
    " FROM written, before"
)

FIND_QUEUED_TEXT = (
    "SELECT 1 FROM messaging_message"
    " WHERE thread_id = %s AND kind = 'outbound' AND state = 'queued' LIMIT 1"
)

FIND_OPEN_ATTEMPT = (
    "SELECT 1 FROM messaging_attempt AS attempt"
    " JOIN messaging_message AS message ON message.id = attempt.message_id"
    " WHERE attempt.state = 'sending' AND message.thread_id = %s LIMIT 1"
)

NEXT_ORDINAL = "SELECT count(*) + 1 FROM messaging_attempt WHERE message_id = %s"

GET_ATTEMPT = "SELECT state, carrier_message_id, error_class FROM messaging_attempt WHERE id = %s"

# A message's state, how it counts, and whether no attempt is later than the given one.
GET_STATE_AND_IS_LATEST = (
    "SELECT state, unseen_failure, NOT EXISTS (SELECT FROM messaging_attempt AS later"
    " WHERE later.message_id = message.id AND later.ordinal > %(ordinal)s)"
    " FROM messaging_message AS message WHERE id = %(message)s"
)

FIND_PARKED_RECEIPT = (
    "SELECT 1 FROM messaging_deliveryreceipt"
    " WHERE account_id = %s AND carrier_message_id = %s AND attempt_id IS NULL LIMIT 1"
)
