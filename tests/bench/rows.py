"""Write big inboxes and long threads by plain SQL, with the columns that actions would write."""

from __future__ import annotations

from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


def _words_sql(inbox: str, text: str) -> str:
    """Return SQL for the words of a text without punctuation, folded as in `threads/words.py`."""
    return (
        f"array_to_tsvector(ARRAY(SELECT {inbox} || '~' || word"
        f" FROM unnest(string_to_array({text}, ' ')) AS word))"
    )


_TEXT_WORDS = _words_sql(
    "%(inbox)s::text", "'did a parcel for number ' || pk || ' arrive we are here until six'"
)
THREADS = f"""
WITH base AS (
    SELECT (SELECT coalesce(max(id), 0) FROM threads_contact) AS contact,
           (SELECT coalesce(max(id), 0) FROM threads_thread) AS thread,
           (SELECT coalesce(max(id), 0) FROM messaging_message) AS message
), numbered AS (  -- ids do not follow the time, as in an installation of some age
    SELECT g AS pk, row_number() OVER (ORDER BY md5(g::text)) AS age,
           'Did a parcel for number ' || g || ' arrive? We are here until six.' AS body
    FROM generate_series(1, %(count)s) AS g
), dated AS (
    SELECT *, now() - age * interval '37 seconds' AS at FROM numbered
), contacts AS (
    INSERT INTO threads_contact (id, inbox_id, address, raw_address, kind, name, words, created_at)
    SELECT base.contact + pk, %(inbox)s, '+1303' || lpad(pk::text, 7, '0'),
           '+1303' || lpad(pk::text, 7, '0'), 'phone', '', '', at FROM dated, base
), threads AS (
    INSERT INTO threads_thread (id, inbox_id, contact_id, our_address, priority, seq, created_at,
        last_message_id, last_kind, last_author_id, last_excerpt, last_at, last_text_id,
        needs_reply, message_count, words)
    SELECT base.thread + pk, %(inbox)s, base.contact + pk, '+12025550100', '', pk, at,
           base.message + pk, 'inbound', NULL, body, at, base.message + pk, true, 1, {_TEXT_WORDS}
    FROM dated, base
), states AS (  -- the agent has read every second one
    INSERT INTO threads_threadstate (agent_id, thread_id, last_read_id, read_count, seq)
    SELECT %(agent)s, base.thread + pk, base.message + pk, 1, 0 FROM dated, base WHERE pk %% 2 = 0
)
INSERT INTO messaging_message (id, thread_id, inbox_id, kind, author_id, body, created_at, seq,
    state, reason, tries, carrier_message_id, position, words)
SELECT base.message + pk, base.thread + pk, %(inbox)s, 'inbound', NULL, body, at, pk,
       '', '', 0, '', 1, {_TEXT_WORDS} FROM dated, base
"""

_ANSWER_WORDS = _words_sql(
    "thread.inbox_id", "'yes it lies at the desk you can have it until six ' || g"
)
MESSAGES = f"""
INSERT INTO messaging_message (thread_id, inbox_id, kind, author_id, body, created_at, seq,
    state, reason, tries, carrier_message_id, position, words)
SELECT thread.id, thread.inbox_id,
       CASE WHEN g %% 2 = 0 THEN 'inbound' ELSE 'outbound' END,
       CASE WHEN g %% 2 = 0 THEN NULL ELSE %(agent)s::bigint END,
       'Yes, it lies at the desk. You can have it until six. (' || g || ')',
       now() - (%(count)s - g) * interval '11 minutes', thread.seq,
       CASE WHEN g %% 2 = 0 THEN '' ELSE 'delivered' END, '', 0, '', g + 1, {_ANSWER_WORDS}
FROM generate_series(1, %(count)s) AS g, threads_thread AS thread WHERE thread.id = %(thread)s
"""

UPDATE_THREAD = """
UPDATE threads_thread SET last_message_id = last.id, last_kind = last.kind,
    last_author_id = last.author_id, last_excerpt = last.body, last_at = last.created_at,
    last_text_id = last.id, needs_reply = last.kind = 'inbound', message_count = last.position,
    words = last.words
FROM (SELECT * FROM messaging_message WHERE thread_id = %(thread)s ORDER BY id DESC LIMIT 1) last
WHERE threads_thread.id = %(thread)s
"""

TABLES_WITH_SEQUENCES = (
    "threads_contact",
    "threads_thread",
    "threads_threadstate",
    "messaging_message",
)


def write_threads(connection: Connection, inbox_id: int, agent_id: int, count: int) -> None:
    """Write threads with one text each; the agent has read every second one."""
    details = {"inbox": inbox_id, "agent": agent_id, "count": count}
    with connection.transaction():
        # The foreign keys hold by construction; checking them row by row takes most of the time.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(THREADS, details)
        for name in TABLES_WITH_SEQUENCES:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"
                f" (SELECT coalesce(max(id), 1) FROM {name}))"
            )
        connection.execute(
            "UPDATE inboxes_inbox AS inbox SET seq = %(count)s, last_message_id = last.id,"
            " last_kind = 'inbound', last_excerpt = last.body, last_at = last.created_at"
            " FROM (SELECT * FROM messaging_message WHERE inbox_id = %(inbox)s"
            " ORDER BY created_at DESC LIMIT 1) last WHERE inbox.id = %(inbox)s",
            details,
        )


def write_history(connection: Connection, thread_id: int, agent_id: int, count: int) -> None:
    with connection.transaction():
        connection.execute(MESSAGES, {"thread": thread_id, "agent": agent_id, "count": count})
        connection.execute(UPDATE_THREAD, {"thread": thread_id})


def vacuum(connection: Connection) -> None:
    """Do what autovacuum does in an installation that has run for a while."""
    connection.execute("VACUUM ANALYZE")
