"""Run callers, page loads and many open pages of one inbox at once, as in a busy office."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.embedded.paths import ServerPaths
from tests.bench.clients import get_request
from tests.bench.figures import Figure, milliseconds
from tests.bench.processors import ProcessorMeter
from tests.bench.server import LoadProcess, to_base64
from tests.bench.setup import Setup, Viewer, make_viewers, page_sockets

if TYPE_CHECKING:
    from threads.models import Thread

FEW, MANY = 20, 200
# Long enough to include periodic work, such as jobs every quarter of a minute.
SECONDS = 62.0

WARM_UP = 4.0
TEXTS_PER_SECOND = 25
VIEWS_PER_SECOND = 6
REPORT_EVERY = 10.0  # as `static/js/live/presence-reports.js` does
# A customer's next text comes after eight seconds, so that a late row still shows this one.
CUSTOMERS = 200

SHOWN_THREADS = 20  # Threads that pages show, in turns

CONNECTIONS = 8
BODY = "Hi, did a parcel for Okafor arrive? We are here until six. mark-{number}-"


@dataclass(frozen=True)
class Aims:
    """Hold the aims: 95th percentiles in seconds."""

    webhook: float | None = None
    view: float | None = None
    live: float | None = None


AIMS = Aims(0.250, 0.250, 0.400)
HALF_AIMS = Aims(0.125, 0.125, 0.200)


@dataclass(frozen=True)
class Load:
    """Describe the load. `root_pids` are the processes whose time is counted."""

    port: int
    pages: list[dict[str, str]]
    texts: list[str]
    gets: list[str]
    root_pids: list[int]


def measure(setup: Setup) -> list[Figure]:
    threads = _write_first_texts(setup)
    members = make_viewers(setup, MANY)
    return [
        *run_load(
            setup.server.load_process,
            _load_on_serve(setup, threads, members[:FEW]),
            f"{FEW} pages",
            Aims(),
        ),
        *run_load(
            setup.server.load_process,
            _load_on_serve(setup, threads, members),
            f"{MANY} pages",
            AIMS,
        ),
    ]


def run_load(load_process: LoadProcess, load: Load, setting: str, aims: Aims) -> list[Figure]:
    meter = ProcessorMeter(*load.root_pids)
    done = load_process.run(
        "run_mixed_load",
        port=load.port,
        pages=load.pages,
        texts=load.texts,
        texts_per_second=TEXTS_PER_SECOND,
        gets=load.gets,
        gets_per_second=VIEWS_PER_SECOND,
        report_every=REPORT_EVERY,
        warm_up=WARM_UP,
    )
    spent = meter.report(load=done["used"])
    lag = max(done["webhooks"]["max_lag"], done["views"]["max_lag"])
    return [
        _figure(f"mixed, {setting}: webhook", done["webhooks"], aims.webhook, spent),
        _figure(
            f"mixed, {setting}: page",
            done["views"],
            aims.view,
            f"the load itself was at most {milliseconds(lag)} late",
        ),
        _figure(
            f"mixed, {setting}: text in → frame, last page",
            done["last"],
            aims.live,
            f"{done['frames']} frames of {done['bytes'] / max(1, done['frames']):.0f} B",
        ),
        _figure(f"mixed, {setting}: text in → frame, all pages", done["each"], None, ""),
        _count_failures(setting, done),
    ]


def _figure(name: str, result: dict[str, Any], aim: float | None, note: str) -> Figure:
    p95 = result["p95"]
    return Figure(
        f"{name}, p95",
        milliseconds(p95),
        aim="–" if aim is None else f"≤ {aim * 1000:.0f} ms",
        is_met=None if aim is None else p95 <= aim,
        note=f"median {milliseconds(result['p50'])}, most {milliseconds(result['max'])}; {note}",
    )


def _count_failures(setting: str, done: dict[str, Any]) -> Figure:
    answers = (done["webhooks"]["statuses"], done["views"]["statuses"])
    refused = sum(count for one in answers for status, count in one.items() if status != "200")
    failures = refused + done["missing"] + done["closed"]
    return Figure(
        f"mixed, {setting}: refused, closed or not shown",
        str(failures),
        aim="0",
        is_met=failures == 0,
        note=f"webhooks {answers[0]}, pages {answers[1]}, {done['closed']} sockets closed,"
        f" {done['missing']} texts missing on pages",
    )


# One `serve`


def _write_first_texts(setup: Setup) -> list[Thread]:
    """Post one text of each customer; return the threads that pages show."""
    from threads.models import Thread

    inbox = setup.inboxes[0]
    first = [
        to_base64(setup.text_webhook(inbox, number, "Good morning."))
        for number in range(CUSTOMERS)
    ]
    done = setup.server.load_process.run(
        "post_all", port=setup.server.port, requests=first, connections=CONNECTIONS
    )
    assert done["statuses"] == {"200": CUSTOMERS}, done["statuses"]
    return list(Thread.objects.filter(inbox=inbox.pk).order_by("pk")[:SHOWN_THREADS])


def _load_on_serve(setup: Setup, threads: list[Thread], members: list[Viewer]) -> Load:
    inbox, server = setup.inboxes[0], setup.server
    pages = []
    for number, viewer in enumerate(members):
        thread = threads[number % SHOWN_THREADS]
        [page] = page_sockets(inbox, thread, [viewer])
        pages.append(page | {"report": presence_report(thread.pk)})
    texts = [
        to_base64(setup.text_webhook(inbox, number % CUSTOMERS, BODY.format(number=number)))
        for number in range(int(SECONDS * TEXTS_PER_SECOND))
    ]
    gets = page_requests(
        server.port, inbox.pk, [t.pk for t in threads], [viewer.cookie for viewer in members]
    )
    postmaster = int(ServerPaths(server.data).pid_file.read_text().split()[0])
    return Load(server.port, pages, texts, gets, [server.stack.process.pid, postmaster])


def presence_report(thread: int) -> str:
    return json.dumps({"here": {"thread": thread, "mode": "reading", "is_typing": False}})


def page_requests(port: int, inbox: int, threads: list[int], cookies: list[str]) -> list[str]:
    """Return requests for the list and conversations in turns, by one agent after the other."""
    paths = []
    for number in range(int(SECONDS * VIEWS_PER_SECOND)):
        thread = threads[number // 2 % len(threads)]
        paths.append(f"/threads/{thread}/" if number % 2 else f"/inboxes/{inbox}/")
    return [
        to_base64(
            get_request(path, port, Cookie=cookies[n % len(cookies)], Accept_Encoding="gzip")
        )
        for n, path in enumerate(paths)
    ]
