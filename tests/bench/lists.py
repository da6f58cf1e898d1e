"""The first page of a list or a history, however much lies behind it."""

from __future__ import annotations

import base64
import json
import statistics

from tests.bench import rows
from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.house import House
from tests.bench.stage import Stage, cookie_of, new_agent

ROUNDS = 40
FEW, MANY = 1_000, 100_000
SHORT, FULL, LONG = 10, 100, 41_000
FAR_PAGE = 1_000
FEW_INBOXES, MANY_INBOXES = 5, 50
AIM = 1.2


def measure(stage: Stage) -> list[Figure]:
    from inboxes.models import Inbox
    from messaging.conversations.history import PAGE_SIZE as HISTORY_SIZE
    from threads.lists import PAGE_SIZE

    few = Inbox.objects.create(name="A thousand threads").pk
    many = Inbox.objects.create(name="A hundred thousand threads").pk
    reader = new_agent("reader", few, many)
    with stage.house.connect() as connection:
        rows.write_threads(connection, few, reader.pk, FEW)
        rows.write_threads(connection, many, reader.pk, MANY)
        histories = _histories(connection, few, reader.pk)
        rows.settle(connection)
        key = _key(connection, many, PAGE_SIZE * (FAR_PAGE - 1))
        newer = _message(connection, histories[-1], HISTORY_SIZE)
        older = _message(connection, histories[-1], HISTORY_SIZE * (FAR_PAGE - 1))
    cookie = cookie_of(reader)
    short, full, long = (f"/threads/{thread}/" for thread in histories)
    near, far = f"{long}?before={newer}", f"{long}?before={older}"
    return [
        *_lists(stage.house, cookie, _list(few), _list(many), f"{_list(many)}?after={key}"),
        *_histories_compared(stage.house, cookie, short, full, long, near, far),
        _inboxes(stage),
    ]


def _lists(house: House, cookie: str, few: str, many: str, deep: str) -> list[Figure]:
    deeper = f"thread list, page {FAR_PAGE} : page 1 of 100,000"
    return [
        _compare(house, cookie, "thread list, 100,000 threads : 1,000", many, few),
        _compare(house, cookie, deeper, deep, many),
    ]


def _histories_compared(
    house: House, cookie: str, short: str, full: str, long: str, near: str, far: str
) -> list[Figure]:
    to_full = f"history, {LONG:,} messages : {FULL} (a full page)"
    to_short = f"history, {LONG:,} messages : {SHORT}"
    deeper = f"history, page {FAR_PAGE} : page 2 of {LONG:,} messages"
    return [
        _compare(house, cookie, to_full, long, full, True),
        _compare(house, cookie, to_short, long, short, True, is_aimed=False),
        _compare(house, cookie, deeper, far, near, True),
    ]


def _inboxes(stage: Stage) -> Figure:
    """The messages view of an agent in many inboxes, each with a preview."""
    from inboxes.models import Inbox

    keys = [Inbox.objects.create(name=f"One of {n}").pk for n in range(MANY_INBOXES)]
    busy, idle = new_agent("busy", *keys), new_agent("idle", *keys[:FEW_INBOXES])
    with stage.house.connect() as connection:
        for key in keys:
            rows.write_threads(connection, key, busy.pk, 20)
        rows.settle(connection)
    what = f"messages view, an agent in {MANY_INBOXES} inboxes : {FEW_INBOXES}"
    cookies = cookie_of(busy), cookie_of(idle)
    return _compare(stage.house, cookies[0], what, "/", "/", is_aimed=False, other=cookies[1])


def _compare(
    house: House,
    cookie: str,
    what: str,
    ours: str,
    floor: str,
    is_fragment: bool = False,
    *,
    is_aimed: bool = True,
    other: str = "",
) -> Figure:
    """The median time of both, taken in turns, and their numbers of queries. `other`: the cookie
    of another agent who asks for the floor."""
    more = {"HX_Request": "true"} if is_fragment else {}
    asked = [(ours, {"Cookie": cookie} | more), (floor, {"Cookie": other or cookie} | more)]
    answers = [house.get([path], **headers)[0] for path, headers in asked * (5 + ROUNDS)][10:]
    mine = [answer["seconds"] for answer in answers[::2]]
    theirs = [answer["seconds"] for answer in answers[1::2]]
    ratio = Ratio.of(mine, theirs)
    counts = [_queries(house, path, headers) for path, headers in asked]
    sizes = answers[0]["size"], answers[1]["size"]
    # The median of each, not of pairs: single requests of some ms scatter too much.
    middle = statistics.median(mine) / statistics.median(theirs)
    return Figure(
        what,
        milliseconds(statistics.median(mine)),
        milliseconds(statistics.median(theirs)),
        f"{middle:.2f}",
        f"≤ {AIM}, same queries" if is_aimed else "–",
        (middle <= AIM and counts[0] == counts[1]) if is_aimed else None,
        f"{counts[0]} : {counts[1]} queries, {sizes[0]:,} : {sizes[1]:,} B {ratio.note}",
    )


def _queries(house: House, path: str, headers: dict[str, str]) -> int:
    answer = house.get([f"/floor/queries{path}"], **headers)[0]
    told = json.loads(base64.b64decode(answer["body"]))
    assert told["status"] == 200, told
    return int(told["queries"])


def _list(inbox_id: int) -> str:
    return f"/inboxes/{inbox_id}/"


def _histories(connection: rows.Connection, inbox_id: int, agent_id: int) -> list[int]:
    """Three threads, with few messages, a full page and many of them."""
    found = connection.execute(
        "SELECT id FROM threads_thread WHERE inbox_id = %s ORDER BY last_at LIMIT 3", [inbox_id]
    ).fetchall()
    threads = [int(row[0]) for row in found]
    for thread, count in zip(threads, (SHORT, FULL, LONG), strict=True):
        rows.write_history(connection, thread, agent_id, count - 1)
    return threads


def _message(connection: rows.Connection, thread: int, rank: int) -> int:
    """The message at a rank, counted from 1 and from the newest."""
    row = connection.execute(
        "SELECT id FROM messaging_message WHERE thread_id = %s ORDER BY id DESC OFFSET %s LIMIT 1",
        [thread, rank - 1],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _key(connection: rows.Connection, inbox_id: int, rank: int) -> str:
    """The sort key of the row at a rank, counted from 1."""
    row = connection.execute(
        "SELECT (extract(epoch FROM last_at) * 1000000)::bigint, id FROM threads_thread"
        " WHERE inbox_id = %s ORDER BY last_at DESC, id DESC OFFSET %s LIMIT 1",
        [inbox_id, rank - 1],
    ).fetchone()
    assert row is not None
    return f"{row[0]}-{row[1]}"
