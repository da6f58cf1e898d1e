"""What colleagues cost each other: dots that wander, a thread that is only looked at, and the
telling of many members."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
from playwright.sync_api import sync_playwright

from config.embedded.paths import ServerPaths
from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.house import House, packed
from tests.bench.stage import (
    Stage,
    Viewer,
    echo_pages,
    looks,
    new_agent,
    thread_of,
    viewers,
)
from tests.chromium import CHROMIUM_FLAGS, chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from threads.models import Thread

AGENTS = 20
KEYSTROKES = 40
AIM_DOTS = 0.150
IDLE_SECONDS = 20.0
SAYS_EVERY = 10.0  # as `static/js/live/presence-reports.js` does
BEATS_PER_MINUTE = 15
CROWD = 200
TEXTS_PER_ROUND = 10
ROUNDS = 12
AIM_CROWD = 1.3

NOTE_KEY = """() => document.addEventListener('keydown', () => {
    window.keyAt = Date.now();
}, true)"""
NOTE_DOTS = """() => new MutationObserver(() => {
    const isOn = Boolean(document.querySelector('[data-typing].is-on'));
    if (isOn === Boolean(window.dotsAt)) return;
    if (isOn) requestAnimationFrame(() => { window.dotsAt = Date.now(); });
    else window.dotsAt = 0;
}).observe(document.body, {subtree: true, attributes: true, childList: true})"""


def measure(stage: Stage) -> list[Figure]:
    return [_dots(stage), _idle(stage), _crowd(stage)]


def _dots(stage: Stage) -> Figure:
    desk, world = stage.desks[0], stage.house.world
    thread, team = thread_of(stage, desk), viewers(stage, AGENTS)
    world.do("open", name="others", port=stage.house.port, pages=looks(desk, thread, team[2:]))
    world.do("open", name="floor", port=stage.house.port, pages=echo_pages(team))
    world.do("stay", name="others", text=_reading(thread), every=1.0, seconds=1.0)
    took: list[float] = []
    floors: list[float] = []
    with _browser() as browser:
        one, other = (_open(browser, stage.house, viewer, thread) for viewer in team[:2])
        one.evaluate(NOTE_KEY)
        other.evaluate(NOTE_DOTS)
        box = one.get_by_role("textbox", name="Message", exact=True)
        for count in range(-2, KEYSTROKES):  # the first two warm up
            box.press("x")
            other.wait_for_function("() => window.dotsAt > 0")
            seconds = (other.evaluate("window.dotsAt") - one.evaluate("window.keyAt")) / 1000
            box.press("Backspace")
            other.wait_for_function("() => window.dotsAt === 0")
            mark = f"mark-{count}-"
            floor = world.do("echo", name="floor", text=f'{{"typing": "{mark}"}}', mark=mark)
            if count >= 0:
                took.append(seconds)
                floors.append(floor["took"][-1])
    world.do("close", name="others")
    world.do("close", name="floor")
    p95 = sorted(took)[int(len(took) * 0.95)]
    ratio = Ratio.of(took, floors)
    return Figure(
        f"keystroke → dots in another browser, {AGENTS} in the thread, p95",
        milliseconds(p95),
        milliseconds(sorted(floors)[int(len(floors) * 0.95)]),
        str(ratio),
        f"≤ {AIM_DOTS * 1000:.0f} ms",
        p95 <= AIM_DOTS,
        f"median {milliseconds(statistics.median(took))} of {len(took)}; floor: an echo to"
        f" {AGENTS} sockets, without browsers {ratio.note}",
    )


def _idle(stage: Stage) -> Figure:
    desk, world = stage.desks[0], stage.house.world
    thread, team = thread_of(stage, desk), viewers(stage, AGENTS)
    world.do("open", name="floor", port=stage.house.port, pages=echo_pages(team))
    spent = -_cpu(stage.house)
    world.do("stay", name="floor", text="", every=IDLE_SECONDS, seconds=IDLE_SECONDS)
    floor = spent + _cpu(stage.house)
    world.do("close", name="floor")
    world.do("open", name="ours", port=stage.house.port, pages=looks(desk, thread, team))
    world.do("stay", name="ours", text=_reading(thread), every=2.0, seconds=2.0)
    spent = -_cpu(stage.house)
    came = world.do(
        "stay", name="ours", text=_reading(thread), every=SAYS_EVERY, seconds=IDLE_SECONDS
    )
    ours = spent + _cpu(stage.house)
    world.do("close", name="ours")
    minutes = IDLE_SECONDS / 60
    frames = came["frames"] / AGENTS / minutes
    return Figure(
        f"an idle thread with {AGENTS} viewers, CPU a minute",
        f"{ours / minutes:.2f} s",
        f"{floor / minutes:.2f} s",
        f"{ours / floor:.1f}" if floor else "–",
        f"{BEATS_PER_MINUTE} frames",
        frames <= BEATS_PER_MINUTE * 1.1,
        f"{frames:.0f} frames of {came['bytes'] / max(1, came['frames']):.0f} B a minute to each"
        " (the beats); program and database; floor: as many silent sockets",
    )


def _crowd(stage: Stage) -> Figure:
    viewers(stage, CROWD)
    many, few = stage.desks[0], stage.desks[2]
    for name in ("pair-a", "pair-b"):
        new_agent(name, few.inbox_id)
    took: dict[str, list[float]] = {"many": [], "few": []}
    before = _notified()
    for count in range(-1, ROUNDS):
        for name, desk in (("many", many), ("few", few)):
            requests = [
                packed(stage.text(desk, n, "Hi, is my parcel there?"))
                for n in range(TEXTS_PER_ROUND)
            ]
            done = stage.house.world.do("post", port=stage.house.port, requests=requests, lines=1)
            assert done["statuses"] == {"200": TEXTS_PER_ROUND}, done["statuses"]
            if count >= 0:
                took[name].append(statistics.median(done["took"]))
    told = _notified() - before
    expected = (ROUNDS + 1) * TEXTS_PER_ROUND * (len(stage.viewers) + 2)
    assert told == expected, f"{told} notifications instead of {expected}"
    ratio = Ratio.of(took["many"], took["few"])
    return Figure(
        f"a webhook's answer, inbox of {len(stage.viewers)} members : of 2",
        milliseconds(statistics.median(took["many"])),
        milliseconds(statistics.median(took["few"])),
        str(ratio),
        f"≤ {AIM_CROWD}",
        ratio.median <= AIM_CROWD,
        f"{told} notifications counted {ratio.note}",
    )


def _reading(thread: Thread) -> str:
    return json.dumps({"here": {"thread": thread.pk, "mode": "reading", "is_typing": False}})


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def _open(browser: Browser, house: House, viewer: Viewer, thread: Thread) -> Page:
    context = browser.new_context(viewport={"width": 1200, "height": 760})
    name, _, value = viewer.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": house.stack.url}])
    page = context.new_page()
    page.goto(f"{house.stack.url}/threads/{thread.pk}/")
    page.locator("html[data-connection=online]").wait_for()
    return page


def _cpu(house: House) -> float:
    """Seconds that the program and its database have used so far."""
    postmaster = int(ServerPaths(house.data).pid_file.read_text().split()[0])
    total = 0.0
    for root in (psutil.Process(house.stack.process.pid), psutil.Process(postmaster)):
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _notified() -> int:
    from messaging.models import Notification

    return Notification.objects.count()
