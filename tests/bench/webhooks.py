"""Webhook to committed, per second, beside a view that does one INSERT."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from tests.bench.figures import Figure, Ratio
from tests.bench.house import packed
from tests.bench.stage import FORM, Desk, Stage
from tests.bench.wire import post

ROUNDS = 9
SECONDS = 30.0
SIZE = 120
LINES = 8
CUSTOMERS = 20
AIM = 0.6
BODY = "Hi, did a parcel for Okafor arrive? We are here until six."


def measure(stage: Stage) -> list[Figure]:
    kinds: dict[str, Callable[[], list[bytes]]] = {
        "floor": lambda: _floor(stage),
        "one inbox": lambda: _texts(stage, stage.desks[:1]),
        "20 inboxes": lambda: _texts(stage, stage.desks),
    }
    speeds: dict[str, list[float]] = {kind: [] for kind in kinds}
    slow: dict[str, list[float]] = {kind: [] for kind in kinds}
    order = list(kinds)
    before = _stored(stage)
    for make in kinds.values():  # warm: threads are there, pools are full
        _run(stage, make())
    deadline = time.monotonic() + SECONDS
    rounds = 0
    while rounds < ROUNDS and (rounds < 3 or time.monotonic() < deadline):
        rounds += 1
        for kind in order:
            seconds, p95 = _run(stage, kinds[kind]())
            speeds[kind].append(SIZE / seconds)
            slow[kind].append(p95)
        order.append(order.pop(0))
    stored = _stored(stage) - before
    assert stored == 2 * SIZE * (rounds + 1), f"{stored} messages are not what was sent"
    return [_figure(kind, speeds, slow) for kind in kinds if kind != "floor"]


def _figure(kind: str, speeds: dict[str, list[float]], slow: dict[str, list[float]]) -> Figure:
    ratio = Ratio.of(speeds[kind], speeds["floor"])
    p95 = statistics.median(slow[kind]) * 1000
    return Figure(
        f"webhook → committed, {kind}",
        f"{statistics.median(speeds[kind]):.0f}/s",
        f"{statistics.median(speeds['floor']):.0f}/s",
        str(ratio),
        f"≥ {AIM}",
        ratio.median >= AIM,
        f"p95 {p95:.0f} ms {ratio.note}",
    )


def _run(stage: Stage, requests: list[bytes]) -> tuple[float, float]:
    """Seconds for all of them, and the 95th percentile of one."""
    done = stage.house.world.do(
        "post", port=stage.house.port, requests=[packed(r) for r in requests], lines=LINES
    )
    assert done["statuses"] == {"200": len(requests)}, done["statuses"]
    return done["seconds"], done["took"][int(len(requests) * 0.95)]


def _texts(stage: Stage, desks: list[Desk]) -> list[bytes]:
    return [
        stage.text(desks[n % len(desks)], n // len(desks) % CUSTOMERS, BODY) for n in range(SIZE)
    ]


def _floor(stage: Stage) -> list[bytes]:
    """The same bytes, to the bare view."""
    _, _, body = stage.text(stage.desks[0], 0, BODY).partition(b"\r\n\r\n")
    request = post("/floor/insert/", stage.house.port, body, Content_Type=FORM)
    return [request] * SIZE


def _stored(stage: Stage) -> int:
    with stage.house.connect() as connection:
        row = connection.execute("SELECT count(*) FROM messaging_message").fetchone()
    assert row is not None
    return int(row[0])
