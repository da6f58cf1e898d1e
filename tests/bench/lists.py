"""Measure the first page of lists and histories of various lengths."""

from __future__ import annotations

import base64
import json
import statistics

from tests.bench import rows
from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.server import Server
from tests.bench.setup import Setup, new_agent, signed_in_cookie

ROUNDS = 40
FEW, MANY = 1_000, 100_000
SHORT, FULL, LONG = 10, 100, 41_000
FAR_PAGE = 1_000
FEW_INBOXES, MANY_INBOXES = 5, 50
AIM = 1.2


def measure(setup: Setup) -> list[Figure]:
    from inboxes.models import Inbox
    from messaging.conversations.history import PAGE_SIZE as HISTORY_SIZE
    from threads.lists import PAGE_SIZE

    few = Inbox.objects.create(name="A thousand threads").pk
    many = Inbox.objects.create(name="A hundred thousand threads").pk
    reader = new_agent("reader", few, many)
    with setup.server.connect() as connection:
        rows.write_threads(connection, few, reader.pk, FEW)
        rows.write_threads(connection, many, reader.pk, MANY)
        histories = _write_histories(connection, few, reader.pk)
        rows.vacuum(connection)
        key = _sort_key_at_rank(connection, many, PAGE_SIZE * (FAR_PAGE - 1))
        newer = _message_at_rank(connection, histories[-1], HISTORY_SIZE)
        older = _message_at_rank(connection, histories[-1], HISTORY_SIZE * (FAR_PAGE - 1))
    cookie = signed_in_cookie(reader)
    short, full, long = (f"/threads/{thread}/" for thread in histories)
    near, far = f"{long}?before={newer}", f"{long}?before={older}"
    return [
        *_compare_lists(
            setup.server,
            cookie,
            _list_path(few),
            _list_path(many),
            f"{_list_path(many)}?after={key}",
        ),
        *_compare_histories(setup.server, cookie, short, full, long, near, far),
        _compare_inbox_counts(setup),
    ]


def _compare_lists(server: Server, cookie: str, few: str, many: str, deep: str) -> list[Figure]:
    deeper = f"thread list, page {FAR_PAGE} : page 1 of 100,000"
    return [
        compare_pages(server, cookie, "thread list, 100,000 threads : 1,000", many, few),
        compare_pages(server, cookie, deeper, deep, many),
    ]


def _compare_histories(
    server: Server, cookie: str, short: str, full: str, long: str, near: str, far: str
) -> list[Figure]:
    to_full = f"history, {LONG:,} messages : {FULL} (a full page)"
    to_short = f"history, {LONG:,} messages : {SHORT}"
    deeper = f"history, page {FAR_PAGE} : page 2 of {LONG:,} messages"
    return [
        compare_pages(server, cookie, to_full, long, full, True),
        compare_pages(server, cookie, to_short, long, short, True, is_aimed=False),
        compare_pages(server, cookie, deeper, far, near, True),
    ]


def _compare_inbox_counts(setup: Setup) -> Figure:
    """Compare the messages view of an agent in many inboxes, each with a preview."""
    from inboxes.models import Inbox

    keys = [Inbox.objects.create(name=f"One of {n}").pk for n in range(MANY_INBOXES)]
    busy, idle = new_agent("busy", *keys), new_agent("idle", *keys[:FEW_INBOXES])
    with setup.server.connect() as connection:
        for key in keys:
            rows.write_threads(connection, key, busy.pk, 20)
        rows.vacuum(connection)
    name = f"messages view, an agent in {MANY_INBOXES} inboxes : {FEW_INBOXES}"
    cookies = signed_in_cookie(busy), signed_in_cookie(idle)
    return compare_pages(
        setup.server, cookies[0], name, "/", "/", is_aimed=False, floor_cookie=cookies[1]
    )


def compare_pages(
    server: Server,
    cookie: str,
    name: str,
    ours: str,
    floor: str,
    is_fragment: bool = False,
    *,
    is_aimed: bool = True,
    floor_cookie: str = "",
    rounds: int = ROUNDS,
) -> Figure:
    """Compare two pages, requested in turns, by their median time and number of queries.

    `floor_cookie` is the cookie of another agent who requests the floor.
    """
    extra = {"HX_Request": "true"} if is_fragment else {}
    requests = [
        (ours, {"Cookie": cookie} | extra),
        (floor, {"Cookie": floor_cookie or cookie} | extra),
    ]
    answers = [server.get_all([path], **headers)[0] for path, headers in requests * (5 + rounds)]
    answers = answers[10:]  # the first ones warm up
    our_times = [answer["seconds"] for answer in answers[::2]]
    floor_times = [answer["seconds"] for answer in answers[1::2]]
    ratio = Ratio.from_pairs(our_times, floor_times)
    counts = [_count_queries(server, path, headers) for path, headers in requests]
    sizes = answers[0]["size"], answers[1]["size"]
    # The median of each, not of pairs: single requests of some ms scatter too much.
    ratio_of_medians = statistics.median(our_times) / statistics.median(floor_times)
    return Figure(
        name,
        milliseconds(statistics.median(our_times)),
        milliseconds(statistics.median(floor_times)),
        f"{ratio_of_medians:.2f}",
        f"≤ {AIM}, same queries" if is_aimed else "–",
        (ratio_of_medians <= AIM and counts[0] == counts[1]) if is_aimed else None,
        f"{counts[0]} : {counts[1]} queries, {sizes[0]:,} : {sizes[1]:,} B {ratio.note}",
    )


def _count_queries(server: Server, path: str, headers: dict[str, str]) -> int:
    answer = server.get_all([f"/floor/queries{path}"], **headers)[0]
    result = json.loads(base64.b64decode(answer["body"]))
    assert result["status"] == 200, result
    return int(result["queries"])


def _list_path(inbox_id: int) -> str:
    return f"/inboxes/{inbox_id}/"


def _write_histories(connection: rows.Connection, inbox_id: int, agent_id: int) -> list[int]:
    """Write three threads: with few messages, with a full page of them, and with many."""
    found = connection.execute(
        "SELECT id FROM threads_thread WHERE inbox_id = %s ORDER BY last_at LIMIT 3", [inbox_id]
    ).fetchall()
    threads = [int(row[0]) for row in found]
    for thread, count in zip(threads, (SHORT, FULL, LONG), strict=True):
        rows.write_history(connection, thread, agent_id, count - 1)
    return threads


def _message_at_rank(connection: rows.Connection, thread: int, rank: int) -> int:
    """Return the message at a rank, counted from 1 for the newest."""
    row = connection.execute(
        "SELECT id FROM messaging_message WHERE thread_id = %s ORDER BY id DESC OFFSET %s LIMIT 1",
        [thread, rank - 1],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _sort_key_at_rank(connection: rows.Connection, inbox_id: int, rank: int) -> str:
    """Return the sort key of the row at a rank, counted from 1."""
    row = connection.execute(
        "SELECT (extract(epoch FROM last_at) * 1000000)::bigint, id FROM threads_thread"
        " WHERE inbox_id = %s ORDER BY last_at DESC, id DESC OFFSET %s LIMIT 1",
        [inbox_id, rank - 1],
    ).fetchone()
    assert row is not None
    return f"{row[0]}-{row[1]}"
