"""Compare the webhooks per second of a cluster with those of one `manage.py serve`."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import psutil

from tests.bench.clients import post_request
from tests.bench.figures import Figure, Ratio
from tests.bench.processors import processor_seconds
from tests.bench.server import to_base64
from tests.bench.setup import Setup
from tests.bench.webhooks import BODY, CONNECTIONS, CUSTOMERS, SIZE
from tests.faults.sites import ClusterSite, cluster_site

ROUNDS = 7
AIM = 1.6

_ids = itertools.count(1)


def measure(setup: Setup) -> list[Figure]:
    """Post signed texts to equally many numbers over equally many connections.

    Those of the cluster go through nginx. The load comes from a process of the same machine.
    """
    speeds: dict[str, list[float]] = {"cluster": [], "one": []}
    p95s: list[float] = []
    busy: dict[str, list[float]] = {"cluster": [], "one": []}
    with cluster_site(threads=1, CLUSTER_TLS="0") as site:
        numbers = _account_numbers(site)
        for count in range(ROUNDS + 1):
            one = _post_all(setup, setup.server.port, _text_webhooks(setup, len(numbers)))
            many = _post_all(setup, site.cluster.port, _cluster_webhooks(site, numbers))
            if count:  # the first was to warm both
                speeds["one"].append(SIZE / one["seconds"])
                speeds["cluster"].append(SIZE / many["seconds"])
                p95s.append(many["took"][int(SIZE * 0.95)])
                busy["one"].append(one["busy"])
                busy["cluster"].append(many["busy"])
        stored = site.fetch_number(
            "SELECT count(*) FROM messaging_message WHERE carrier_message_id LIKE 'SMm%%'"
        )
        assert stored == SIZE * (ROUNDS + 1), f"{stored} messages are not what was sent"
    ratio = Ratio.from_pairs(speeds["cluster"], speeds["one"])
    return [
        Figure(
            "webhook → committed, two web processes behind nginx",
            f"{statistics.median(speeds['cluster']):.0f}/s",
            f"{statistics.median(speeds['one']):.0f}/s",
            str(ratio),
            f"≥ {AIM}",
            ratio.median >= AIM,
            f"p95 {statistics.median(p95s) * 1000:.0f} ms; of {psutil.cpu_count()} processors"
            f" {statistics.median(busy['cluster']):.1f} were busy, with one process"
            f" {statistics.median(busy['one']):.1f} {ratio.note}",
        )
    ]


def _post_all(setup: Setup, port: int, requests: list[bytes]) -> dict[str, Any]:
    encoded = [to_base64(request) for request in requests]
    before = processor_seconds()
    done = setup.server.load_process.run(
        "post_all", port=port, requests=encoded, connections=CONNECTIONS
    )
    assert done["statuses"] == {"200": SIZE}, done["statuses"]
    done["busy"] = (processor_seconds() - before) / done["seconds"]
    return done


def _account_numbers(site: ClusterSite) -> list[str]:
    """Return the numbers of the account whose webhook is called."""
    rows = site.cluster.sql(
        "SELECT address FROM messaging_number WHERE account_id ="
        " (SELECT account_id FROM messaging_number WHERE address = %s)",
        site.number,
    )
    return [address for (address,) in rows]


def _text_webhooks(setup: Setup, numbers: int) -> list[bytes]:
    inboxes = setup.inboxes[:numbers]
    return [
        setup.text_webhook(inboxes[n % numbers], n // numbers % CUSTOMERS, BODY)
        for n in range(SIZE)
    ]


def _cluster_webhooks(site: ClusterSite, numbers: list[str]) -> list[bytes]:
    calls = [
        site.text_call(
            f"SMm{next(_ids)}",
            BODY,
            sender=f"+1202555{1000 + n // len(numbers) % CUSTOMERS}",
            to=numbers[n % len(numbers)],
        )
        for n in range(SIZE)
    ]
    port = site.cluster.port
    return [post_request(call.path, port, call.body, **call.headers) for call in calls]
