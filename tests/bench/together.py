"""Measure what colleagues cost each other: typing dots, an idle thread, and many members."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
from playwright.sync_api import sync_playwright

from config.embedded.paths import ServerPaths
from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.mixed import REPORT_EVERY, presence_report
from tests.bench.server import Server, to_base64
from tests.bench.setup import (
    Setup,
    Viewer,
    echo_sockets,
    make_thread,
    make_viewers,
    new_agent,
    page_sockets,
)
from tests.chromium import CHROMIUM_FLAGS, chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from threads.models import Thread

AGENTS = 20
KEYSTROKES = 40
AIM_DOTS = 0.150
IDLE_SECONDS = 20.0
HEARTBEATS_PER_MINUTE = 15
CROWD = 200
TEXTS_PER_ROUND = 10
ROUNDS = 12
AIM_CROWD = 1.3

RECORD_KEY = """() => document.addEventListener('keydown', () => {
    window.keyAt = Date.now();
}, true)"""
RECORD_DOTS = """() => new MutationObserver(() => {
    const isOn = Boolean(document.querySelector('[data-typing].is-on'));
    if (isOn === Boolean(window.dotsAt)) return;
    if (isOn) requestAnimationFrame(() => { window.dotsAt = Date.now(); });
    else window.dotsAt = 0;
}).observe(document.body, {subtree: true, attributes: true, childList: true})"""


def measure(setup: Setup) -> list[Figure]:
    return [_measure_typing_dots(setup), _measure_idle_thread(setup), _measure_crowd(setup)]


def _measure_typing_dots(setup: Setup) -> Figure:
    inbox, load_process = setup.inboxes[0], setup.server.load_process
    thread, members = make_thread(setup, inbox), make_viewers(setup, AGENTS)
    load_process.run(
        "open_pages",
        name="others",
        port=setup.server.port,
        pages=page_sockets(inbox, thread, members[2:]),
    )
    load_process.run(
        "open_pages", name="floor", port=setup.server.port, pages=echo_sockets(members)
    )
    load_process.run(
        "keep_open", name="others", text=presence_report(thread.pk), every=1.0, seconds=1.0
    )
    took: list[float] = []
    floors: list[float] = []
    with _running_browser() as browser:
        one, other = (
            _open_thread(browser, setup.server, viewer, thread) for viewer in members[:2]
        )
        one.evaluate(RECORD_KEY)
        other.evaluate(RECORD_DOTS)
        box = one.get_by_role("textbox", name="Message", exact=True)
        for count in range(-2, KEYSTROKES):  # the first two warm up
            box.press("x")
            other.wait_for_function("() => window.dotsAt > 0")
            seconds = (other.evaluate("window.dotsAt") - one.evaluate("window.keyAt")) / 1000
            box.press("Backspace")
            other.wait_for_function("() => window.dotsAt === 0")
            mark = f"mark-{count}-"
            floor = load_process.run(
                "send_echo", name="floor", text=f'{{"typing": "{mark}"}}', mark=mark
            )
            if count >= 0:
                took.append(seconds)
                floors.append(floor["took"][-1])
    load_process.run("close_pages", name="others")
    load_process.run("close_pages", name="floor")
    p95 = sorted(took)[int(len(took) * 0.95)]
    ratio = Ratio.from_pairs(took, floors)
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


def _measure_idle_thread(setup: Setup) -> Figure:
    inbox, load_process = setup.inboxes[0], setup.server.load_process
    thread, members = make_thread(setup, inbox), make_viewers(setup, AGENTS)
    load_process.run(
        "open_pages", name="floor", port=setup.server.port, pages=echo_sockets(members)
    )
    used = -_processor_seconds(setup.server)
    load_process.run("keep_open", name="floor", text="", every=IDLE_SECONDS, seconds=IDLE_SECONDS)
    floor = used + _processor_seconds(setup.server)
    load_process.run("close_pages", name="floor")
    load_process.run(
        "open_pages",
        name="ours",
        port=setup.server.port,
        pages=page_sockets(inbox, thread, members),
    )
    load_process.run(
        "keep_open", name="ours", text=presence_report(thread.pk), every=2.0, seconds=2.0
    )
    used = -_processor_seconds(setup.server)
    received = load_process.run(
        "keep_open",
        name="ours",
        text=presence_report(thread.pk),
        every=REPORT_EVERY,
        seconds=IDLE_SECONDS,
    )
    ours = used + _processor_seconds(setup.server)
    load_process.run("close_pages", name="ours")
    minutes = IDLE_SECONDS / 60
    frames = received["frames"] / AGENTS / minutes
    size = received["bytes"] / max(1, received["frames"])
    return Figure(
        f"an idle thread with {AGENTS} viewers, CPU a minute",
        f"{ours / minutes:.2f} s",
        f"{floor / minutes:.2f} s",
        f"{ours / floor:.1f}" if floor else "–",
        f"{HEARTBEATS_PER_MINUTE} frames",
        frames <= HEARTBEATS_PER_MINUTE * 1.1,
        f"{frames:.0f} frames of {size:.0f} B a minute to each"
        " (the heartbeats); program and database; floor: as many silent sockets",
    )


def _measure_crowd(setup: Setup) -> Figure:
    make_viewers(setup, CROWD)
    many, few = setup.inboxes[0], setup.inboxes[2]
    for name in ("pair-a", "pair-b"):
        new_agent(name, few.pk)
    took: dict[str, list[float]] = {"many": [], "few": []}
    before = _count_notifications()
    for count in range(-1, ROUNDS):
        for name, inbox in (("many", many), ("few", few)):
            requests = [
                to_base64(setup.text_webhook(inbox, n, "Hi, is my parcel there?"))
                for n in range(TEXTS_PER_ROUND)
            ]
            done = setup.server.load_process.run(
                "post_all", port=setup.server.port, requests=requests, connections=1
            )
            assert done["statuses"] == {"200": TEXTS_PER_ROUND}, done["statuses"]
            if count >= 0:
                took[name].append(statistics.median(done["took"]))
    notified = _count_notifications() - before
    expected = (ROUNDS + 1) * TEXTS_PER_ROUND * (len(setup.viewers) + 2)
    assert notified == expected, f"{notified} notifications instead of {expected}"
    ratio = Ratio.from_pairs(took["many"], took["few"])
    return Figure(
        f"a webhook's answer, inbox of {len(setup.viewers)} members : of 2",
        milliseconds(statistics.median(took["many"])),
        milliseconds(statistics.median(took["few"])),
        str(ratio),
        f"≤ {AIM_CROWD}",
        ratio.median <= AIM_CROWD,
        f"{notified} notifications counted {ratio.note}",
    )


@contextmanager
def _running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def _open_thread(browser: Browser, server: Server, viewer: Viewer, thread: Thread) -> Page:
    context = browser.new_context(viewport={"width": 1200, "height": 760})
    name, _, value = viewer.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.stack.url}])
    page = context.new_page()
    page.goto(f"{server.stack.url}/threads/{thread.pk}/")
    page.locator("html[data-connection=online]").wait_for()
    return page


def _processor_seconds(server: Server) -> float:
    """Return the seconds that the program and its database have used so far."""
    postmaster = int(ServerPaths(server.data).pid_file.read_text().split()[0])
    total = 0.0
    for root in (psutil.Process(server.stack.process.pid), psutil.Process(postmaster)):
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _count_notifications() -> int:
    from messaging.models import Notification

    return Notification.objects.count()
