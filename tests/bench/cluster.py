"""Webhooks per second of the house of many processes, beside one `manage.py serve`."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import psutil

from tests.bench.figures import Figure, Ratio
from tests.bench.house import packed
from tests.bench.stage import Stage
from tests.bench.webhooks import BODY, CUSTOMERS, LINES, SIZE
from tests.bench.wire import post
from tests.faults.sites import ClusterSite, cluster_site

ROUNDS = 7
AIM = 1.6

_ids = itertools.count(1)


def measure(stage: Stage) -> list[Figure]:
    """Both sides get signed texts to as many numbers over as many kept lines. The cluster's go
    through nginx; the load comes from a process of this same machine."""
    speeds: dict[str, list[float]] = {"cluster": [], "one": []}
    slow: list[float] = []
    busy: dict[str, list[float]] = {"cluster": [], "one": []}
    with cluster_site(threads=1, CLUSTER_TLS="0") as there:
        numbers = _numbers(there)
        for count in range(ROUNDS + 1):
            one = _run(stage, stage.house.port, _texts(stage, len(numbers)))
            many = _run(stage, there.cluster.port, _calls(there, numbers))
            if count:  # the first was to warm both
                speeds["one"].append(SIZE / one["seconds"])
                speeds["cluster"].append(SIZE / many["seconds"])
                slow.append(many["took"][int(SIZE * 0.95)])
                busy["one"].append(one["busy"])
                busy["cluster"].append(many["busy"])
        stored = there.fetch_number(
            "SELECT count(*) FROM messaging_message WHERE carrier_message_id LIKE 'SMm%%'"
        )
        assert stored == SIZE * (ROUNDS + 1), f"{stored} messages are not what was sent"
    ratio = Ratio.of(speeds["cluster"], speeds["one"])
    return [
        Figure(
            "webhook → committed, two web processes behind nginx",
            f"{statistics.median(speeds['cluster']):.0f}/s",
            f"{statistics.median(speeds['one']):.0f}/s",
            str(ratio),
            f"≥ {AIM}",
            ratio.median >= AIM,
            f"p95 {statistics.median(slow) * 1000:.0f} ms; of {psutil.cpu_count()} processors"
            f" {statistics.median(busy['cluster']):.1f} were busy, with one process"
            f" {statistics.median(busy['one']):.1f} {ratio.note}",
        )
    ]


def _run(stage: Stage, port: int, requests: list[bytes]) -> dict[str, Any]:
    told = [packed(request) for request in requests]
    before = _used()
    done = stage.house.world.do("post", port=port, requests=told, lines=LINES)
    assert done["statuses"] == {"200": SIZE}, done["statuses"]
    done["busy"] = (_used() - before) / done["seconds"]
    return done


def _used() -> float:
    """Seconds that all of this machine's processors have worked so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def _numbers(there: ClusterSite) -> list[str]:
    """Those of the account that is called."""
    found = there.cluster.sql(
        "SELECT address FROM messaging_number WHERE account_id ="
        " (SELECT account_id FROM messaging_number WHERE address = %s)",
        there.number,
    )
    return [address for (address,) in found]


def _texts(stage: Stage, numbers: int) -> list[bytes]:
    desks = stage.desks[:numbers]
    return [stage.text(desks[n % numbers], n // numbers % CUSTOMERS, BODY) for n in range(SIZE)]


def _calls(there: ClusterSite, numbers: list[str]) -> list[bytes]:
    calls = [
        there.text_call(
            f"SMm{next(_ids)}",
            BODY,
            sender=f"+1202555{1000 + n // len(numbers) % CUSTOMERS}",
            to=numbers[n % len(numbers)],
        )
        for n in range(SIZE)
    ]
    port = there.cluster.port
    return [post(call.path, port, call.body, **call.headers) for call in calls]
