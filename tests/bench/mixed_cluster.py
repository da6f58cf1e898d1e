"""Run the load of `mixed` with twice the pages, on two web processes behind nginx."""

from __future__ import annotations

from tests.bench import mixed
from tests.bench.clients import post_request
from tests.bench.figures import Figure
from tests.bench.mixed import (
    BODY,
    CUSTOMERS,
    HALF_AIMS,
    SECONDS,
    SHOWN_THREADS,
    TEXTS_PER_SECOND,
    Load,
)
from tests.bench.server import to_base64
from tests.bench.setup import Setup
from tests.faults.sites import ClusterSite, cluster_site

PAGES = 2 * mixed.MANY


def measure(setup: Setup) -> list[Figure]:
    """Aim at half of the times of one process. The load is a process of this machine, too."""
    with cluster_site(threads=CUSTOMERS, members=PAGES, CLUSTER_TLS="0") as site:
        return mixed.run_load(
            setup.server.load_process, _make_load(site), f"{PAGES} pages, two processes", HALF_AIMS
        )


def _make_load(site: ClusterSite) -> Load:
    port = site.cluster.port
    shown = [thread for thread, _ in site.threads[:SHOWN_THREADS]]
    pages = [
        site.page_address(member, shown[n % SHOWN_THREADS])
        | {"report": mixed.presence_report(shown[n % SHOWN_THREADS])}
        for n, member in enumerate(site.members)
    ]
    texts = []
    for number in range(int(SECONDS * TEXTS_PER_SECOND)):
        _, sender = site.threads[number % CUSTOMERS]
        call = site.text_call(f"SMmixed{number}", BODY.format(number=number), sender=sender)
        texts.append(to_base64(post_request(call.path, port, call.body, **call.headers)))
    cookies = [member.cookie for member in site.members]
    gets = mixed.page_requests(port, site.inbox, shown, cookies)
    return Load(port, pages, texts, gets, [site.cluster.process.pid])
