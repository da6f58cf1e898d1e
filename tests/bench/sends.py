"""Compare the texts per second that one worker sends with a bare loop of httpx."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.bench.figures import Figure, Ratio
from tests.bench.setup import Setup
from tests.bench.text_writer import BODY
from tests.faults.sites import ClusterSite, cluster_site
from tests.stack import ROOT

ROUNDS = 5
THREADS = 8
TEXTS_PER_THREAD = 15
SIZE = THREADS * TEXTS_PER_THREAD
CONNECTIONS = 4  # WORKER_CONCURRENCY's default: as many calls at once on both sides
AIM = 0.5


def measure(setup: Setup) -> list[Figure]:
    """Measure from the first text that the carrier gets to the last one.

    All texts wait when the worker starts, and its start is not measured.
    """
    several: list[float] = []
    one: list[float] = []
    floors: list[float] = []
    with cluster_site(threads=THREADS, CLUSTER_WORKERS="0", CLUSTER_TLS="0") as site:
        for _ in range(ROUNDS):
            floors.append(_send_without_ledger(site))
            several.append(_send_through_ledger(site, inboxes=THREADS))
            one.append(_send_through_ledger(site))
        calls = [entry["attempt"] for entry in site.far_end.ledger() if entry["to"] != "bare"]
        assert len(calls) == len(set(calls)) == 2 * SIZE * ROUNDS, "not each text was sent once"
    return [
        _figure(f"texts sent by one worker, {THREADS} numbers", several, floors),
        _figure(f"the same of one number, {THREADS} threads", one, floors),
    ]


def _figure(name: str, ours: list[float], floors: list[float]) -> Figure:
    ratio = Ratio.from_pairs(ours, floors)
    return Figure(
        name,
        f"{statistics.median(ours):.0f}/s",
        f"{statistics.median(floors):.0f}/s",
        str(ratio),
        f"≥ {AIM}",
        ratio.median >= AIM,
        ratio.note,
    )


def _send_through_ledger(site: ClusterSite, inboxes: int = 0) -> float:
    """Return the texts per second, sent from one thread in each of so many inboxes, or all from
    one."""
    # The bench's own process has no pool; a worker has.
    environment = os.environ | site.settings | {"DB_POOL_SIZE": "20"}
    writing = [
        sys.executable,
        "-m",
        "tests.bench.text_writer",
        str(TEXTS_PER_THREAD),
        str(inboxes),
    ]
    subprocess.run(writing, cwd=ROOT, env=environment, check=True)
    before = len(site.far_end.ledger())
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waiting = (
            "SELECT count(*) FROM messaging_message WHERE kind = 'outbound' AND state <> 'sent'"
        )
        site.wait_until(lambda: site.fetch_number(waiting) == 0)
    finally:
        worker.terminate()
        worker.wait(15)
    times: list[float] = [entry["at"] for entry in site.far_end.ledger()[before:]]
    return (len(times) - 1) / (times[-1] - times[0])


def _send_without_ledger(site: ClusterSite) -> float:
    """Send the same form as often, with nothing but the client that we use."""
    form = {"From": site.number, "To": "bare", "Body": BODY, "StatusCallback": "http://bench/"}
    path = f"{site.far_end.url}/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"

    def send_share() -> None:
        with httpx.Client(trust_env=False) as http:
            for _ in range(SIZE // CONNECTIONS):
                http.post(path, data=form).raise_for_status()

    started_at = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(send_share) for _ in range(CONNECTIONS)]:
            done.result()
    return SIZE / (time.perf_counter() - started_at)
