"""Keep each thread's order with two workers, many threads and many 429s."""

from __future__ import annotations

import random
from pathlib import Path

from messaging.models import Message
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import assert_never_doubled, carrier, texts_at
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end"]

THREADS, TEXTS, SEED = 4, 4, 20261122


def test_replies_arrive_in_each_threads_order_despite_two_workers_and_429s(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    threads = [cast.thread(sender=f"+1202555040{number}") for number in range(THREADS)]
    for thread in threads:
        answers = [chance.choice(["accept", "accept", "throttle"]) for _ in range(TEXTS + 1)]
        carrier.plan(*[{"kind": kind} for kind in answers], to=thread.contact.address)
    expected: dict[str, list[str]] = {thread.contact.address: [] for thread in threads}
    for number in range(TEXTS):
        for thread in chance.sample(threads, len(threads)):
            body = f"{thread.pk}: {number}"
            cast.answer(thread, body)
            expected[thread.contact.address].append(body)

    outbound = Message.objects.filter(kind="outbound")
    with run_workers(carrier, tmp_path / "workers.log", count=2) as log:
        wait_until(lambda: not outbound.exclude(state="sent").exists(), log, seconds=60)

    arrived: dict[str, list[str]] = {address: [] for address in expected}
    for entry in carrier.ledger():
        if entry["taken"]:
            arrived[entry["to"]].append(entry["body"])
    assert arrived == expected
    assert texts_at(carrier, taken=False), "the seed made no 429"
    assert_never_doubled(carrier)
