"""Measure every view of an inbox, and over all inboxes, at a thousand and at a million threads."""

from __future__ import annotations

import os

from tests.bench import rows
from tests.bench.figures import Figure
from tests.bench.lists import compare_pages
from tests.bench.setup import Setup, new_agent, signed_in_cookie

FEW, MANY = 1_000, int(os.environ.get("BENCH_THREADS", "1000000"))
ROUNDS = 15  # of each view
DELETED = min(MANY // 10, 100_000)  # newest threads of a busy inbox that an agent has deleted
OTHER_INBOXES = 5  # of the same agents, a thousand threads in each

VIEWS = (
    "only=all",
    "only=open",
    "only=mine",
    "only=unassigned",
    "only=reply",
    "only=unread",
    "only=failed",
    "only=scheduled",
    "only=snoozed",
    "only=done",
    "only=blocked",
    "only=urgent",
    "label={label}",
    "only=mine&only=unread",
    "only=open&only=urgent",
    "only=done&label={label}",
)

# Each state has 40 of a thousand threads or more, so that its first page is full in any inbox.
_THREADS = """
WITH base AS (
    SELECT (SELECT coalesce(max(id), 0) FROM threads_contact) AS contact,
           (SELECT coalesce(max(id), 0) FROM threads_thread) AS thread
), numbered AS (  -- ids do not follow the time, as in an installation of some age
    SELECT g AS pk, row_number() OVER (ORDER BY md5(g::text)) AS age
    FROM generate_series(1, %(count)s) AS g
), kinds AS (
    SELECT *, age %% 25 AS kind, now() - age * interval '37 seconds' AS at FROM numbered
), contacts AS (
    INSERT INTO threads_contact (id, inbox_id, address, raw_address, kind, name, created_at)
    SELECT base.contact + pk, %(inbox)s, '+1303' || lpad(pk::text, 7, '0'),
           '+1303' || lpad(pk::text, 7, '0'), 'phone', '', at FROM kinds, base
), threads AS (
    INSERT INTO threads_thread (id, inbox_id, contact_id, our_address, priority, seq, created_at,
        last_message_id, last_kind, last_excerpt, last_at, last_text_id, needs_reply,
        message_count, status, snoozed_until, assignee_id, failed_count, scheduled_count,
        label_ids)
    SELECT base.thread + pk, %(inbox)s, base.contact + pk, '+12025550100',
        CASE kind WHEN 1 THEN 'urgent' WHEN 2 THEN 'low' ELSE '' END, pk, at,
        pk, 'inbound', 'Did a parcel arrive? We are here until six.', at, pk, kind IN (3, 4), 1,
        CASE WHEN kind = 5 THEN 'snoozed' WHEN kind = 24 THEN 'blocked'
            WHEN kind > 12 THEN 'done' ELSE 'open' END,
        CASE WHEN kind = 5 THEN now() + interval '1 day' END,
        CASE WHEN kind IN (6, 7) THEN %(agent)s::bigint END,
        (kind = 8)::int, (kind = 9)::int,
        CASE WHEN kind IN (10, 20) THEN ARRAY[%(label)s::bigint] ELSE '{}' END
    FROM kinds, base
), labels AS (
    INSERT INTO threads_threadlabel (label_id, thread_id, last_at)
    SELECT %(label)s, base.thread + pk, at FROM kinds, base WHERE kind IN (10, 20)
)
INSERT INTO threads_threadstate (agent_id, thread_id, last_read_id, read_count, hidden_id, seq)
SELECT %(agent)s, base.thread + pk, pk, 1, CASE WHEN age %% 40 = 0 THEN pk ELSE 0 END, 0
FROM kinds, base WHERE age %% 2 = 0
"""


# The newest threads of an inbox are deleted by an agent, as after *Select all* and *Delete*.
_DELETED = """
INSERT INTO threads_threadstate (agent_id, thread_id, last_read_id, read_count, hidden_id, seq)
SELECT %(agent)s, id, last_message_id, 1, last_text_id, 0 FROM threads_thread
WHERE inbox_id = %(inbox)s AND status <> 'blocked'
ORDER BY last_at DESC, id DESC LIMIT %(count)s
"""

DELETED_IN = ("only=all", "only=open", "only=reply", "only=mine")


def measure(setup: Setup) -> list[Figure]:
    from inboxes.models import Inbox

    others = [Inbox.objects.create(name=f"Beside it {n}").pk for n in range(OTHER_INBOXES)]
    few, many = (Inbox.objects.create(name=f"Views of {count:,}").pk for count in (FEW, MANY))
    quiet, busy = new_agent("quiet", few, *others), new_agent("loud", many, *others)
    tidy = new_agent("tidy", many)
    with setup.server.connect() as connection:
        labels = {
            inbox: _write_threads(connection, inbox, agent, count)
            for inbox, agent, count in [
                (few, quiet.pk, FEW),
                (many, busy.pk, MANY),
                *[(other, busy.pk, FEW) for other in others],
            ]
        }
        deleted = {"agent": tidy.pk, "inbox": many, "count": DELETED}
        connection.execute(_DELETED, deleted)
        # What came in before the membership would not be unread.
        connection.execute("UPDATE inboxes_membership SET created_at = '2020-01-01'")
        rows.vacuum(connection)
    cookies = signed_in_cookie(busy), signed_in_cookie(quiet)
    figures = []
    for place, path in (("an inbox", "/inboxes/{inbox}/"), ("all inboxes", "/")):
        for view in VIEWS:
            ours, floor = (
                f"{path}?{view}".format(inbox=inbox, label=labels[inbox]) for inbox in (many, few)
            )
            name = f"{view.format(label='…')} in {place}, {MANY:,} threads : {FEW:,}"
            figures.append(
                compare_pages(
                    setup.server,
                    cookies[0],
                    name,
                    ours,
                    floor,
                    True,
                    floor_cookie=cookies[1],
                    rounds=ROUNDS,
                )
            )
    for view in DELETED_IN:
        path, name = f"/inboxes/{many}/?{view}", f"{view}, {DELETED:,} newest deleted : none"
        figures.append(
            compare_pages(
                setup.server,
                signed_in_cookie(tidy),
                name,
                path,
                path,
                True,
                is_aimed=False,
                floor_cookie=cookies[0],
                rounds=ROUNDS,
            )
        )
    return figures


def _write_threads(connection: rows.Connection, inbox_id: int, agent_id: int, count: int) -> int:
    """Write threads without messages, and a label; return its key."""
    with connection.transaction():
        # The foreign keys hold by construction.
        connection.execute("SET LOCAL session_replication_role = replica")
        found = connection.execute(
            "INSERT INTO threads_label (inbox_id, name, colour, seq)"
            " VALUES (%s, 'Repair', 'blue', 0) RETURNING id",
            [inbox_id],
        ).fetchone()
        assert found is not None
        label = int(found[0])
        details = {"inbox": inbox_id, "agent": agent_id, "count": count, "label": label}
        connection.execute(_THREADS, details)
    return label
