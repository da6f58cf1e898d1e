"""Callers, page loads and many open pages of one inbox at once, as a busy office has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.embedded.paths import ServerPaths
from tests.bench.figures import Figure, milliseconds
from tests.bench.house import World, packed
from tests.bench.processors import Busy
from tests.bench.stage import Stage, Viewer, looks, viewers
from tests.bench.wire import get

if TYPE_CHECKING:
    from threads.models import Thread

FEW, MANY = 20, 200
SECONDS = 62.0
"""Long enough for whatever comes now and then, such as jobs every quarter of a minute."""

WARM_UP = 4.0
TEXTS_PER_SECOND = 25
VIEWS_PER_SECOND = 6
SAYS_EVERY = 10.0  # as `static/js/live/presence-reports.js` does
CUSTOMERS = 200
"""A customer's next text comes after eight seconds, so that a late row still shows this one."""

SHOWN = 20
"""Threads that somebody looks at: pages take turns with them."""

LINES = 8
BODY = "Hi, did a parcel for Okafor arrive? We are here until six. mark-{number}-"


@dataclass(frozen=True)
class Aims:
    """Seconds, each a p95."""

    webhook: float | None = None
    view: float | None = None
    live: float | None = None


AIMS = Aims(0.250, 0.250, 0.400)
HALF = Aims(0.125, 0.125, 0.200)


@dataclass(frozen=True)
class Load:
    """Who opens what where. `roots` are the processes whose time is counted."""

    port: int
    pages: list[dict[str, str]]
    texts: list[str]
    gets: list[str]
    roots: list[int]


def measure(stage: Stage) -> list[Figure]:
    threads = _write_first(stage)
    team = viewers(stage, MANY)
    return [
        *run(stage.house.world, _one_serve(stage, threads, team[:FEW]), f"{FEW} pages", Aims()),
        *run(stage.house.world, _one_serve(stage, threads, team), f"{MANY} pages", AIMS),
    ]


def run(world: World, load: Load, where: str, aims: Aims) -> list[Figure]:
    busy = Busy(*load.roots)
    done = world.do(
        "mix",
        port=load.port,
        pages=load.pages,
        texts=load.texts,
        texts_per_second=TEXTS_PER_SECOND,
        gets=load.gets,
        gets_per_second=VIEWS_PER_SECOND,
        says_every=SAYS_EVERY,
        warm_up=WARM_UP,
    )
    spent = busy.report(load=done["used"])
    late = max(done["webhooks"]["late"], done["views"]["late"])
    return [
        _figure(f"mixed, {where}: webhook", done["webhooks"], aims.webhook, spent),
        _figure(
            f"mixed, {where}: page",
            done["views"],
            aims.view,
            f"the load itself was at most {milliseconds(late)} late",
        ),
        _figure(
            f"mixed, {where}: text in → frame, last page",
            done["last"],
            aims.live,
            f"{done['frames']} frames of {done['bytes'] / max(1, done['frames']):.0f} B",
        ),
        _figure(f"mixed, {where}: text in → frame, all pages", done["each"], None, ""),
        _nothing_amiss(where, done),
    ]


def _figure(what: str, found: dict[str, Any], aim: float | None, note: str) -> Figure:
    p95 = found["p95"]
    return Figure(
        f"{what}, p95",
        milliseconds(p95),
        aim="–" if aim is None else f"≤ {aim * 1000:.0f} ms",
        is_met=None if aim is None else p95 <= aim,
        note=f"median {milliseconds(found['p50'])}, most {milliseconds(found['max'])}; {note}",
    )


def _nothing_amiss(where: str, done: dict[str, Any]) -> Figure:
    answers = (done["webhooks"]["statuses"], done["views"]["statuses"])
    refused = sum(count for one in answers for status, count in one.items() if status != "200")
    amiss = refused + done["missing"] + done["closed"]
    return Figure(
        f"mixed, {where}: refused, closed or not shown",
        str(amiss),
        aim="0",
        is_met=amiss == 0,
        note=f"webhooks {answers[0]}, pages {answers[1]}, {done['closed']} sockets closed,"
        f" {done['missing']} texts missing on pages",
    )


# One `serve`


def _write_first(stage: Stage) -> list[Thread]:
    """Each customer of the first desk has written once; the threads that are looked at."""
    from threads.models import Thread

    desk = stage.desks[0]
    first = [packed(stage.text(desk, number, "Good morning.")) for number in range(CUSTOMERS)]
    done = stage.house.world.do("post", port=stage.house.port, requests=first, lines=LINES)
    assert done["statuses"] == {"200": CUSTOMERS}, done["statuses"]
    return list(Thread.objects.filter(inbox=desk.inbox_id).order_by("pk")[:SHOWN])


def _one_serve(stage: Stage, threads: list[Thread], team: list[Viewer]) -> Load:
    desk, house = stage.desks[0], stage.house
    pages = []
    for number, viewer in enumerate(team):
        thread = threads[number % SHOWN]
        [page] = looks(desk, thread, [viewer])
        pages.append(page | {"says": says(thread.pk)})
    texts = [
        packed(stage.text(desk, number % CUSTOMERS, BODY.format(number=number)))
        for number in range(int(SECONDS * TEXTS_PER_SECOND))
    ]
    gets = views(
        house.port, desk.inbox_id, [t.pk for t in threads], [viewer.cookie for viewer in team]
    )
    postmaster = int(ServerPaths(house.data).pid_file.read_text().split()[0])
    return Load(house.port, pages, texts, gets, [house.stack.process.pid, postmaster])


def says(thread: int) -> str:
    return json.dumps({"here": {"thread": thread, "mode": "reading", "is_typing": False}})


def views(port: int, inbox: int, threads: list[int], cookies: list[str]) -> list[str]:
    """The list and conversations in turns, each asked by the next of the agents."""
    paths = []
    for number in range(int(SECONDS * VIEWS_PER_SECOND)):
        thread = threads[number // 2 % len(threads)]
        paths.append(f"/threads/{thread}/" if number % 2 else f"/inboxes/{inbox}/")
    return [
        packed(get(path, port, Cookie=cookies[n % len(cookies)], Accept_Encoding="gzip"))
        for n, path in enumerate(paths)
    ]
