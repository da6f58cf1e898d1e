"""The load of `mixed` with twice the pages, on two web processes behind nginx."""

from __future__ import annotations

from tests.bench import mixed
from tests.bench.figures import Figure
from tests.bench.house import packed
from tests.bench.mixed import BODY, CUSTOMERS, HALF, SECONDS, SHOWN, TEXTS_PER_SECOND, Load
from tests.bench.stage import Stage
from tests.bench.wire import post
from tests.faults.sites import ClusterSite, cluster_site

PAGES = 2 * mixed.MANY


def measure(stage: Stage) -> list[Figure]:
    """Half of what one process may take is the aim. The load is a process of this machine too."""
    with cluster_site(threads=CUSTOMERS, members=PAGES, CLUSTER_TLS="0") as there:
        return mixed.run(stage.house.world, _load(there), f"{PAGES} pages, two processes", HALF)


def _load(there: ClusterSite) -> Load:
    port = there.cluster.port
    shown = [thread for thread, _ in there.threads[:SHOWN]]
    pages = [
        there.page_address(member, shown[n % SHOWN]) | {"says": mixed.says(shown[n % SHOWN])}
        for n, member in enumerate(there.members)
    ]
    texts = []
    for number in range(int(SECONDS * TEXTS_PER_SECOND)):
        _, sender = there.threads[number % CUSTOMERS]
        call = there.text_call(f"SMmixed{number}", BODY.format(number=number), sender=sender)
        texts.append(packed(post(call.path, port, call.body, **call.headers)))
    cookies = [member.cookie for member in there.members]
    gets = mixed.views(port, there.inbox, shown, cookies)
    return Load(port, pages, texts, gets, [there.cluster.process.pid])
