"""Measure the list of contacts at a thousand and at a million of them."""

from __future__ import annotations

import os

from tests.bench import rows
from tests.bench.figures import Figure
from tests.bench.lists import compare_pages
from tests.bench.search import without_indexes
from tests.bench.setup import Setup, new_agent, signed_in_cookie

FEW, MANY = 1_000, int(os.environ.get("BENCH_CONTACTS", "1000000"))
ROUNDS = 15
OTHER_INBOXES = 3  # of the same agents, a thousand contacts in each, with the same numbers

PAGES = {
    "all, the newest text first": "",
    "by name": "?order=name",
    "of one inbox": "?inbox={inbox}",
    "a label": "?label={label}",
    "opted out": "?opted_out=1",
    "blocked": "?blocked=1",
    "opted out, by name": "?opted_out=1&order=name",
    "a common name": "?q=maria",
    "a rare name": "?q=zebedee",
    "an absent name": "?q=nobody",
    "a part of a number": "?q=5550007",
    "a label's name": "?q=repair",
}

# A tenth has no conversation, a third no name; one of 100 is opted out, one of 1,000 blocked.
_CONTACTS = """
WITH base AS (
    SELECT (SELECT coalesce(max(id), 0) FROM threads_contact) AS contact,
           (SELECT coalesce(max(id), 0) FROM threads_thread) AS thread
), numbered AS (  -- ids do not follow the time, as in an installation of some age
    SELECT g AS pk, row_number() OVER (ORDER BY md5(g::text)) AS age,
           '1202' || lpad((5550000 + g)::text, 7, '0') AS digits
    FROM generate_series(1, %(count)s) AS g
), people AS (
    SELECT *, now() - age * interval '37 seconds' AS at, pk %% 10 = 0 AS is_unused,
        CASE WHEN pk %% 3 = 0 THEN ''
            WHEN pk %% 20000 = 1 THEN 'zebedee ' || left(md5(pk::text), 6)
            WHEN pk %% 25 = 1 THEN 'maria ' || left(md5(pk::text), 6)
            ELSE left(md5((pk * 7)::text), 5) || ' ' || left(md5(pk::text), 6) END AS name
    FROM numbered
), contacts AS (
    INSERT INTO threads_contact (id, inbox_id, address, raw_address, kind, name, is_unused,
        blocked_at, words, created_at)
    SELECT base.contact + pk, %(inbox)s, '+' || digits, '+' || digits, 'phone', name, is_unused,
        CASE WHEN pk %% 1000 = 7 THEN at END,
        array_to_tsvector(ARRAY(
            SELECT DISTINCT %(inbox)s::text || '~' || word FROM (
                SELECT unnest(string_to_array(name, ' ')) AS word
                UNION SELECT '#' || substr(digits, i, 3) FROM generate_series(1, 9) AS i
            ) AS words WHERE word <> '')), at
    FROM people, base
), threads AS (
    INSERT INTO threads_thread (id, inbox_id, contact_id, our_address, priority, seq, created_at,
        last_message_id, last_kind, last_excerpt, last_at, last_text_id, needs_reply,
        message_count, status, label_ids)
    SELECT base.thread + pk, %(inbox)s, base.contact + pk, '+12025550100', '', pk, at,
        pk, 'inbound', 'Did a parcel arrive? We are here until six.', at, pk, false, 1,
        CASE WHEN pk %% 1000 = 7 THEN 'blocked' ELSE 'open' END,
        CASE WHEN pk %% 12 = 5 THEN ARRAY[%(label)s::bigint] ELSE '{}' END
    FROM people, base WHERE NOT is_unused
), labels AS (
    INSERT INTO threads_threadlabel (label_id, thread_id, last_at)
    SELECT %(label)s, base.thread + pk, at FROM people, base WHERE pk %% 12 = 5 AND NOT is_unused
)
INSERT INTO messaging_optout (our_address, address, source, since)
SELECT %(ours)s, '+' || digits, 'keyword', at FROM people WHERE pk %% 100 = 9
"""


def measure(setup: Setup) -> list[Figure]:
    from inboxes.models import Inbox

    few, many = (Inbox.objects.create(name=f"Contacts of {count:,}").pk for count in (FEW, MANY))
    others = [Inbox.objects.create(name=f"Contacts beside {n}").pk for n in range(OTHER_INBOXES)]
    quiet, busy = new_agent("knows_few", few, *others), new_agent("knows_many", many, *others)
    with setup.server.connect() as connection:
        with without_indexes(connection):
            labels = {
                inbox: _write_contacts(connection, inbox, count)
                for inbox, count in [(few, FEW), (many, MANY), *((one, FEW) for one in others)]
            }
        rows.vacuum(connection)
    cookies = signed_in_cookie(busy), signed_in_cookie(quiet)
    figures = []
    for name, query in PAGES.items():
        ours, floor = (
            f"/contacts/{query}".format(inbox=inbox, label=labels[inbox]) for inbox in (many, few)
        )
        figures.append(
            compare_pages(
                setup.server,
                cookies[0],
                f"contacts, {name}, {MANY:,} : {FEW:,}",
                ours,
                floor,
                floor_cookie=cookies[1],
                rounds=ROUNDS,
            )
        )
    return figures


def _write_contacts(connection: rows.Connection, inbox: int, count: int) -> int:
    """Write contacts, a number and a label; return the label's key."""
    ours = f"+1303{inbox:07}"
    with connection.transaction():
        # The foreign keys hold by construction.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO messaging_number (address, account_id, inbox_id, segments_per_second,"
            " created_at) SELECT %s, (SELECT min(id) FROM messaging_carrieraccount), %s, 1, now()",
            [ours, inbox],
        )
        found = connection.execute(
            "INSERT INTO threads_label (inbox_id, name, colour, seq)"
            " VALUES (%s, 'Repair', 'blue', 0) RETURNING id",
            [inbox],
        ).fetchone()
        assert found is not None
        details = {"inbox": inbox, "count": count, "label": int(found[0]), "ours": ours}
        connection.execute(_CONTACTS, details)
        for table in ("threads_contact", "threads_thread"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                f" (SELECT max(id) FROM {table}))"
            )
    return int(found[0])
