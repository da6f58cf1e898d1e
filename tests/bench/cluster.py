"""Webhooks per second of the house of many processes, beside one `manage.py serve`."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

from tests.bench.figures import Figure, Ratio
from tests.bench.house import packed
from tests.bench.stage import Stage
from tests.bench.webhooks import BODY, CUSTOMERS, LINES, SIZE
from tests.bench.wire import post
from tests.faults.ground import Ground, ground

ROUNDS = 7
AIM = 1.6

_ids = itertools.count(1)


def measure(stage: Stage) -> list[Figure]:
    """Both sides get signed texts to one number over as many kept lines. The cluster's go through
    nginx; the load comes from a process of this same machine."""
    speeds: dict[str, list[float]] = {"cluster": [], "one": []}
    slow: list[float] = []
    with ground(threads=1, CLUSTER_TLS="0") as there:
        for count in range(ROUNDS + 1):
            one = _run(stage, stage.house.port, _texts(stage))
            many = _run(stage, there.cluster.port, _calls(there))
            if count:  # the first was to warm both
                speeds["one"].append(SIZE / one["seconds"])
                speeds["cluster"].append(SIZE / many["seconds"])
                slow.append(many["took"][int(SIZE * 0.95)])
        stored = there.one(
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
            f"p95 {statistics.median(slow) * 1000:.0f} ms {ratio.note}",
        )
    ]


def _run(stage: Stage, port: int, requests: list[bytes]) -> dict[str, Any]:
    told = [packed(request) for request in requests]
    done = stage.house.world.do("post", port=port, requests=told, lines=LINES)
    assert done["statuses"] == {"200": SIZE}, done["statuses"]
    return done


def _texts(stage: Stage) -> list[bytes]:
    return [stage.text(stage.desks[0], n % CUSTOMERS, BODY) for n in range(SIZE)]


def _calls(there: Ground) -> list[bytes]:
    senders = [f"+1202555{1000 + n % CUSTOMERS}" for n in range(SIZE)]
    calls = [there.text(f"SMm{next(_ids)}", BODY, sender=sender) for sender in senders]
    port = there.cluster.port
    return [post(call.path, port, call.body, **call.headers) for call in calls]
