"""Texts through the ledger, per second and worker, beside a bare httpx loop to one carrier."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.bench.figures import Figure, Ratio
from tests.bench.stage import Stage
from tests.bench.writing import BODY
from tests.faults.sites import ClusterSite, cluster_site
from tests.stack import ROOT

ROUNDS = 5
THREADS = 8
EACH = 15
SIZE = THREADS * EACH
LINES = 4
"""WORKER_CONCURRENCY's default: as many calls at once on both sides."""
AIM = 0.5


def measure(stage: Stage) -> list[Figure]:
    """The texts wait already when the worker starts; from the first that the carrier notes to
    the last, so that its start is not measured."""
    several: list[float] = []
    one: list[float] = []
    floors: list[float] = []
    with cluster_site(threads=THREADS, CLUSTER_WORKERS="0", CLUSTER_TLS="0") as there:
        for _ in range(ROUNDS):
            floors.append(_bare(there))
            several.append(_through_the_ledger(there, inboxes=THREADS))
            one.append(_through_the_ledger(there))
        calls = [entry["attempt"] for entry in there.far_end.ledger() if entry["to"] != "bare"]
        assert len(calls) == len(set(calls)) == 2 * SIZE * ROUNDS, "not each text was sent once"
    return [
        _figure(f"texts sent by one worker, {THREADS} numbers", several, floors),
        _figure(f"the same of one number, {THREADS} threads", one, floors),
    ]


def _figure(name: str, ours: list[float], floors: list[float]) -> Figure:
    ratio = Ratio.of(ours, floors)
    return Figure(
        name,
        f"{statistics.median(ours):.0f}/s",
        f"{statistics.median(floors):.0f}/s",
        str(ratio),
        f"≥ {AIM}",
        ratio.median >= AIM,
        ratio.note,
    )


def _through_the_ledger(there: ClusterSite, inboxes: int = 0) -> float:
    """Texts per second; of as many inboxes, or else all of one."""
    # The bench's own process has no pool; a worker has.
    environment = os.environ | there.settings | {"DB_POOL_SIZE": "20"}
    writing = [sys.executable, "-m", "tests.bench.writing", str(EACH), str(inboxes)]
    subprocess.run(writing, cwd=ROOT, env=environment, check=True)
    before = len(there.far_end.ledger())
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
        there.wait_until(lambda: there.fetch_number(waiting) == 0)
    finally:
        worker.terminate()
        worker.wait(15)
    times: list[float] = [entry["at"] for entry in there.far_end.ledger()[before:]]
    return (len(times) - 1) / (times[-1] - times[0])


def _bare(there: ClusterSite) -> float:
    """The same form as often, with nothing around it but the client that we use."""
    form = {"From": there.number, "To": "bare", "Body": BODY, "StatusCallback": "http://bench/"}
    path = f"{there.far_end.url}/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"

    def line() -> None:
        with httpx.Client(trust_env=False) as http:
            for _ in range(SIZE // LINES):
                http.post(path, data=form).raise_for_status()

    begun = time.perf_counter()
    with ThreadPoolExecutor(LINES) as pool:
        for done in [pool.submit(line) for _ in range(LINES)]:
            done.result()
    return SIZE / (time.perf_counter() - begun)
