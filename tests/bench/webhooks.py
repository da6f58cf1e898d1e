"""Compare webhooks committed per second with a view that does one INSERT, and those of an inbox
that is closed and has told its contacts so with those of one without hours."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tests.bench.clients import post_request
from tests.bench.figures import Figure, Ratio
from tests.bench.server import to_base64
from tests.bench.setup import FORM, BenchInbox, Setup

ROUNDS = 9
SECONDS = 30.0
SIZE = 120
CONNECTIONS = 8
CUSTOMERS = 20
AIM = 0.6
AIM_WITH_HOURS = 1 / 1.3
BODY = "Hi, did a parcel for Okafor arrive? We are here until six."


def measure(setup: Setup) -> list[Figure]:
    request_makers: dict[str, Callable[[], list[bytes]]] = {
        "floor": lambda: _floor_requests(setup),
        "one inbox": lambda: _text_webhooks(setup, setup.inboxes[:1]),
        "20 inboxes": lambda: _text_webhooks(setup, setup.inboxes),
        "closed inbox": lambda: _text_webhooks(setup, setup.inboxes[1:2]),
    }
    _give_hours(setup, setup.inboxes[1])
    speeds: dict[str, list[float]] = {kind: [] for kind in request_makers}
    p95s: dict[str, list[float]] = {kind: [] for kind in request_makers}
    order = list(request_makers)
    before = _count_messages(setup)
    for make in request_makers.values():  # warm: threads are there, pools are full
        _post_all(setup, make())
    deadline = time.monotonic() + SECONDS
    rounds = 0
    while rounds < ROUNDS and (rounds < 3 or time.monotonic() < deadline):
        rounds += 1
        for kind in order:
            seconds, p95 = _post_all(setup, request_makers[kind]())
            speeds[kind].append(SIZE / seconds)
            p95s[kind].append(p95)
        order.append(order.pop(0))
    stored = _count_messages(setup) - before
    assert stored == 3 * SIZE * (rounds + 1), f"{stored} messages are not what was sent"
    _end_hours(setup)
    kinds = ("one inbox", "20 inboxes")
    return [*(_figure(kind, speeds, p95s) for kind in kinds), _figure_with_hours(speeds)]


def _figure_with_hours(speeds: dict[str, list[float]]) -> Figure:
    with_hours, without = speeds["closed inbox"], speeds["one inbox"]
    ratio = Ratio.from_pairs(with_hours, without)
    return Figure(
        "webhook → committed, closed inbox",
        f"{statistics.median(with_hours):.0f}/s",
        f"{statistics.median(without):.0f}/s",
        str(ratio),
        f"≥ {AIM_WITH_HOURS:.2f}",
        ratio.median >= AIM_WITH_HOURS,
        f"floor: an inbox without hours {ratio.note}",
    )


def _give_hours(setup: Setup, inbox: BenchInbox) -> None:
    """Let an inbox be closed for the next days. The round that warms tells its contacts so."""
    day = (datetime.now(UTC).weekday() + 4) % 7
    week = [[["09:00", "12:00"], ["13:00", "17:00"]] if one == day else [] for one in range(7)]
    with setup.server.connect() as connection:
        connection.execute(
            "UPDATE inboxes_inbox SET weekly_hours = %s::jsonb, time_zone = 'America/New_York',"
            " holiday_region = 'US', answers_when_closed = true, closed_text = 'Open {opens}'"
            " WHERE id = %s",
            [json.dumps(week), inbox.pk],
        )


def _end_hours(setup: Setup) -> None:
    with setup.server.connect() as connection:
        connection.execute(
            "UPDATE inboxes_inbox SET weekly_hours = '[]', answers_when_closed = false"
        )


def _figure(kind: str, speeds: dict[str, list[float]], p95s: dict[str, list[float]]) -> Figure:
    ratio = Ratio.from_pairs(speeds[kind], speeds["floor"])
    p95 = statistics.median(p95s[kind]) * 1000
    return Figure(
        f"webhook → committed, {kind}",
        f"{statistics.median(speeds[kind]):.0f}/s",
        f"{statistics.median(speeds['floor']):.0f}/s",
        str(ratio),
        f"≥ {AIM}",
        ratio.median >= AIM,
        f"p95 {p95:.0f} ms {ratio.note}",
    )


def _post_all(setup: Setup, requests: list[bytes]) -> tuple[float, float]:
    """Return the seconds for all requests, and the 95th percentile of one."""
    done = setup.server.load_process.run(
        "post_all",
        port=setup.server.port,
        requests=[to_base64(r) for r in requests],
        connections=CONNECTIONS,
    )
    assert done["statuses"] == {"200": len(requests)}, done["statuses"]
    return done["seconds"], done["took"][int(len(requests) * 0.95)]


def _text_webhooks(setup: Setup, inboxes: list[BenchInbox]) -> list[bytes]:
    return [
        setup.text_webhook(inboxes[n % len(inboxes)], n // len(inboxes) % CUSTOMERS, BODY)
        for n in range(SIZE)
    ]


def _floor_requests(setup: Setup) -> list[bytes]:
    """Return requests with the same bytes to the bare view."""
    _, _, body = setup.text_webhook(setup.inboxes[0], 0, BODY).partition(b"\r\n\r\n")
    request = post_request("/floor/insert/", setup.server.port, body, Content_Type=FORM)
    return [request] * SIZE


def _count_messages(setup: Setup) -> int:
    with setup.server.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM messaging_message WHERE kind = 'inbound'"
        ).fetchone()
    assert row is not None
    return int(row[0])
