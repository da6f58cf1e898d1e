"""Send texts while workers are killed and the carrier misbehaves (E2), and check their order."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.faults.ingest import SEED, Killer
from tests.faults.sites import ClusterSite, run_in_background

WRITERS = 6


@dataclass(frozen=True)
class Size:
    texts: int
    kills: int
    threads: int


SHORT = Size(texts=60, kills=2, threads=10)
LONG = Size(texts=2_000, kills=25, threads=50)
ORDER = Size(texts=1_000, kills=0, threads=50)

# What the carrier does, in percent. `timeout` and `reset` come after it accepted the text.
ANSWERS = {
    "accept": 80,
    "throttle": 8,
    "error": 3,
    "reject": 3,
    "timeout": 2,
    "reset": 2,
    "reset_untaken": 2,
}


def _plan_answers(site: ClusterSite, size: Size) -> None:
    chance = random.Random(SEED)
    kinds = chance.choices(list(ANSWERS), list(ANSWERS.values()), k=2 * size.texts)
    more = {"reject": {"code": 21614}, "timeout": {"seconds": 4}}
    site.far_end.plan(*[{"kind": kind} | more.get(kind, {}) for kind in kinds])


def write_texts(site: ClusterSite, size: Size, prefix: str) -> dict[str, list[str]]:
    """Write texts to the threads in turn, every tenth with a double click.

    Return the bodies by address, in their order.
    """
    threads = site.threads[: size.threads]
    written: dict[str, list[str]] = {address: [] for _, address in threads}

    def write_share(share: list[tuple[int, str]]) -> None:
        with site.signed_in_browser() as browser:
            for number in range(size.texts // len(threads)):
                for thread, address in share:
                    body = f"{prefix} {thread}: {number}"
                    site.send_text(browser, thread, body, clicks=2 if number % 10 == 0 else 1)
                    written[address].append(body)

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write_share, threads[n::WRITERS]) for n in range(WRITERS)]:
            done.result()
    return written


def wait_until_settled(site: ClusterSite, prefix: str, count: int) -> float:
    """Wait until no text is under way; return the seconds."""
    unsettled = (
        "SELECT count(*) FROM messaging_message"
        " WHERE kind = 'outbound' AND body LIKE %s AND state IN ('queued', 'sending')"
    )
    took = site.wait_until(lambda: site.fetch_number(unsettled, f"{prefix}%") == 0, seconds=900)
    made = "SELECT count(*) FROM messaging_message WHERE body LIKE %s"
    assert site.fetch_number(made, f"{prefix}%") == count, "a click made two messages, or none"
    return took


def measure_killed_workers(site: ClusterSite, size: Size) -> list[Figure]:
    prefix, begun = f"E2-{time.time_ns()}", time.monotonic()
    _plan_answers(site, size)
    killer = Killer(site, ("worker",), size.kills, 2.0)
    with run_in_background(killer):
        written = write_texts(site, size, prefix)
    count = sum(map(len, written.values()))
    wait_until_settled(site, prefix, count)
    took = time.monotonic() - begun
    site.far_end.plan()
    calls = [entry for entry in site.far_end.ledger() if entry["body"].startswith(prefix)]
    taken = Counter(entry["body"] for entry in calls if entry["taken"])
    attempts = Counter(entry["attempt"] for entry in calls)
    states = dict(
        site.cluster.sql(
            "SELECT body, state FROM messaging_message WHERE body LIKE %s", f"{prefix}%"
        )
    )
    lost = [body for body, state in states.items() if state not in {"failed", "unknown"}]
    lost = [body for body in lost if body not in taken]
    wrongly = [body for body, state in states.items() if state == "failed" and body in taken]
    late = site.fetch_number(
        "SELECT coalesce(max(extract(epoch FROM a.settled_at - a.started_at)), 0)::int"
        " FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id"
        " WHERE a.state = 'unknown' AND m.body LIKE %s",
        f"{prefix}%",
    )
    doubled = sum(n - 1 for n in taken.values()) + sum(n - 1 for n in attempts.values())
    counts = Counter(states.values())
    return [
        Figure(
            f"E2: {count} texts, {killer.killed} workers killed",
            f"{took:.0f} s",
            note=", ".join(f"{n} {state}" for state, n in counts.most_common()),
        ),
        Figure("E2: doubled by us", str(doubled), aim="0", is_met=doubled == 0),
        Figure("E2: called sent, and lost", str(len(lost)), aim="0", is_met=not lost),
        Figure("E2: called failed, and taken", str(len(wrongly)), aim="0", is_met=not wrongly),
        Figure("E2: unknown is shown after", f"≤ {late} s", aim="≤ 60 s", is_met=late <= 60),
    ]


def measure_order(site: ClusterSite, size: Size) -> list[Figure]:
    """Check that each thread's texts arrive in the order of writing, despite 429s."""
    prefix, begun = f"order-{time.time_ns()}", time.monotonic()
    chance = random.Random(SEED)
    kinds = chance.choices(["accept", "throttle"], [85, 15], k=2 * size.texts)
    site.far_end.plan(*[{"kind": kind} for kind in kinds])
    written = write_texts(site, size, prefix)
    count = sum(map(len, written.values()))
    wait_until_settled(site, prefix, count)
    took = time.monotonic() - begun
    arrived: dict[str, list[str]] = {address: [] for address in written}
    entries = [entry for entry in site.far_end.ledger() if entry["body"].startswith(prefix)]
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
