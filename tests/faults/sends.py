"""E2: texts go out while workers are killed and the carrier misbehaves; and their order."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.faults.ground import Ground, meanwhile
from tests.faults.ingest import SEED, Killer

WRITERS = 6


@dataclass(frozen=True)
class Size:
    texts: int
    kills: int
    threads: int


SHORT = Size(texts=60, kills=2, threads=10)
LONG = Size(texts=2_000, kills=25, threads=50)
ORDER = Size(texts=1_000, kills=0, threads=50)

ANSWERS = {
    "accept": 80,
    "throttle": 8,
    "error": 3,
    "reject": 3,
    "timeout": 2,
    "reset": 2,
    "reset_untaken": 2,
}
"""Of a hundred: what the carrier does. `timeout` and `reset` come after it took the text."""


def _plan(ground: Ground, size: Size) -> None:
    chance = random.Random(SEED)
    kinds = chance.choices(list(ANSWERS), list(ANSWERS.values()), k=2 * size.texts)
    more = {"reject": {"code": 21614}, "timeout": {"seconds": 4}}
    ground.far_end.plan(*[{"kind": kind} | more.get(kind, {}) for kind in kinds])


def write(ground: Ground, size: Size, mark: str) -> dict[str, list[str]]:
    """Texts in turns over the threads, each thread's own in order; a tenth is clicked twice. What
    was written to each address."""
    threads = ground.threads[: size.threads]
    written: dict[str, list[str]] = {address: [] for _, address in threads}

    def fill(share: list[tuple[int, str]]) -> None:
        with ground.browser() as browser:
            for number in range(size.texts // len(threads)):
                for thread, address in share:
                    body = f"{mark} {thread}: {number}"
                    ground.send(browser, thread, body, clicks=2 if number % 10 == 0 else 1)
                    written[address].append(body)

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(fill, threads[n::WRITERS]) for n in range(WRITERS)]:
            done.result()
    return written


def settle(ground: Ground, mark: str, count: int) -> float:
    """Wait until no text is under way; the seconds."""
    unsettled = (
        "SELECT count(*) FROM messaging_message"
        " WHERE kind = 'outbound' AND body LIKE %s AND state IN ('queued', 'sending')"
    )
    took = ground.wait_until(lambda: ground.one(unsettled, f"{mark}%") == 0, seconds=900)
    made = "SELECT count(*) FROM messaging_message WHERE body LIKE %s"
    assert ground.one(made, f"{mark}%") == count, "a click made two messages, or none"
    return took


def e2(ground: Ground, size: Size) -> list[Figure]:
    mark, begun = f"E2-{time.time_ns()}", time.monotonic()
    _plan(ground, size)
    killer = Killer(ground, ("worker",), size.kills, 2.0)
    with meanwhile(killer):
        written = write(ground, size, mark)
    count = sum(map(len, written.values()))
    settle(ground, mark, count)
    took = time.monotonic() - begun
    ground.far_end.plan()
    calls = [entry for entry in ground.far_end.ledger() if entry["body"].startswith(mark)]
    taken = Counter(entry["body"] for entry in calls if entry["taken"])
    attempts = Counter(entry["attempt"] for entry in calls)
    states = dict(
        ground.cluster.sql(
            "SELECT body, state FROM messaging_message WHERE body LIKE %s", f"{mark}%"
        )
    )
    lost = [body for body, state in states.items() if state not in {"failed", "unknown"}]
    lost = [body for body in lost if body not in taken]
    wrongly = [body for body, state in states.items() if state == "failed" and body in taken]
    late = ground.one(
        "SELECT coalesce(max(extract(epoch FROM a.settled_at - a.started_at)), 0)::int"
        " FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id"
        " WHERE a.state = 'unknown' AND m.body LIKE %s",
        f"{mark}%",
    )
    doubled = sum(n - 1 for n in taken.values()) + sum(n - 1 for n in attempts.values())
    found = Counter(states.values())
    return [
        Figure(
            f"E2: {count} texts, {killer.killed} workers killed",
            f"{took:.0f} s",
            note=", ".join(f"{n} {state}" for state, n in found.most_common()),
        ),
        Figure("E2: doubled by us", str(doubled), aim="0", is_met=doubled == 0),
        Figure("E2: called sent, and lost", str(len(lost)), aim="0", is_met=not lost),
        Figure("E2: called failed, and taken", str(len(wrongly)), aim="0", is_met=not wrongly),
        Figure("E2: unknown is shown after", f"≤ {late} s", aim="≤ 60 s", is_met=late <= 60),
    ]


def order(ground: Ground, size: Size) -> list[Figure]:
    """Each thread's texts arrive in the order in which they were written, whatever 429s say."""
    mark, begun = f"order-{time.time_ns()}", time.monotonic()
    chance = random.Random(SEED)
    kinds = chance.choices(["accept", "throttle"], [85, 15], k=2 * size.texts)
    ground.far_end.plan(*[{"kind": kind} for kind in kinds])
    written = write(ground, size, mark)
    count = sum(map(len, written.values()))
    settle(ground, mark, count)
    took = time.monotonic() - begun
    arrived: dict[str, list[str]] = {address: [] for address in written}
    entries = [entry for entry in ground.far_end.ledger() if entry["body"].startswith(mark)]
    for entry in entries:
        if entry["taken"]:
            arrived[entry["to"]].append(entry["body"])
    wrong = sum(arrived[address] != bodies for address, bodies in written.items())
    throttled = len(entries) - count
    what = f"order: {count} replies in {len(written)} threads, {throttled} of 429"
    return [
        Figure(what, f"{took:.0f} s"),
        Figure("order: threads out of order", str(wrong), aim="0", is_met=wrong == 0),
    ]
