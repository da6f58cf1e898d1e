"""Viewing and typing as three agents see it, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.house import fill_sign_in
from tests.browser.line import Line
from tests.stack import Stack, free_port, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = pytest.mark.browser
Enter = Callable[..., "Page"]

WIDE = {"width": 1200, "height": 760}
NARROW = {"width": 390, "height": 780}
LATE = 12_000


@dataclass
class House:
    stack: Stack
    line: Line
    """Stops those alone who came by the name "localhost"."""
    sessions: dict[tuple[str, str], Any] = field(default_factory=dict)

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.line.port}"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    port = free_port()
    line = Line(port, only="localhost")
    try:
        url = f"http://127.0.0.1:{line.port}"
        with running_stack("presence", PORT=str(port), PUBLIC_URL=url) as stack:
            yield House(stack, line)
    finally:
        line.close()


@pytest.fixture
def enter(open_browser: Callable[..., BrowserContext], house: House) -> Enter:
    """A function that opens Front Desk's first thread for somebody in a browser of their own."""

    def open_page(
        who: str, *, host: str = "127.0.0.1", thread: int = 0, **options: object
    ) -> Page:
        context = open_browser(**{"viewport": {"width": 1200, "height": 760}, **options})
        context.set_default_timeout(30_000)
        page = context.new_page()
        context.add_cookies(house.sessions.get((host, who), []))
        page.goto(f"{house.url(host)}/")
        if "/sign-in/" in page.url:
            fill_sign_in(page, who)
            house.sessions[host, who] = context.cookies()
        page.get_by_role("link", name="Front Desk").first.click()
        rows(page).nth(thread).get_by_role("link").click()
        live(page)
        return page

    return open_page


def live(page: Page) -> None:
    page.get_by_role("log", name="History").wait_for()
    page.locator("html[data-connection=online]").wait_for(state="attached", timeout=30_000)


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Threads").get_by_role("listitem")


def viewing(page: Page) -> Locator:
    return page.get_by_role("status", name="Viewing now")


def person(page: Page, name: str) -> Locator:
    return viewing(page).locator(".person").filter(has_text=name)


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def types(page: Page, words: str = "Hello") -> None:
    box(page).press_sequentially(words)


def says(page: Page, words: str) -> Locator:
    return page.get_by_role("log", name="History").get_by_text(words, exact=True)


def dots(page: Page, name: str) -> Locator:
    return person(page, name).locator(".dots")


def test_below_the_text_box_stand_the_names_of_the_others_who_view_the_thread(
    enter: Enter,
) -> None:
    ana, ben = enter("ana"), enter("ben")
    person(ana, "Ben Okafor").wait_for()
    person(ben, "Ana Ruiz").wait_for()
    expect(person(ana, "Ana Ruiz")).to_have_count(0)
    below = viewing(ana).bounding_box()
    above = box(ana).bounding_box()
    assert below is not None
    assert above is not None
    assert below["y"] > above["y"] + above["height"] - 1
    cho = enter("cho")
    person(cho, "Ana Ruiz").wait_for()
    expect(person(cho, "Ben Okafor")).to_have_count(1)
    cho.context.close()
    person(ana, "Cho Park").wait_for(state="detached")


def test_somebody_with_several_tabs_counts_once_and_a_hidden_tab_is_not_viewing(
    enter: Enter,
) -> None:
    ana, ben = enter("ana"), enter("ben")
    second = ben.context.new_page()
    second.goto(ben.url)
    live(second)
    person(ana, "Ben Okafor").wait_for()
    expect(person(ana, "Ben Okafor")).to_have_count(1)
    hide = """hidden => { Object.defineProperty(document, 'hidden', {value: hidden,
        configurable: true}); document.dispatchEvent(new Event('visibilitychange')) }"""
    for tab in (ben, second):
        tab.evaluate(hide, True)
    person(ana, "Ben Okafor").wait_for(state="detached")
    ben.evaluate(hide, False)
    person(ana, "Ben Okafor").wait_for()


def test_while_one_types_dots_move_over_their_name_and_the_thread_says_so(enter: Enter) -> None:
    ana, ben = enter("ana"), enter("ben")
    person(ana, "Ben Okafor").wait_for()
    log = ana.get_by_role("log", name="History")
    before = log.evaluate("log => [log.scrollHeight, log.scrollTop, log.clientHeight]")
    expect(dots(ana, "Ben Okafor")).to_be_hidden()
    types(ben)
    says(ana, "Ben is typing").wait_for()
    dots(ana, "Ben Okafor").wait_for()
    over, name = dots(ana, "Ben Okafor").bounding_box(), ana.locator(".person-name").bounding_box()
    assert over is not None
    assert name is not None
    assert over["y"] < name["y"]
    assert log.evaluate("log => [log.scrollHeight, log.scrollTop, log.clientHeight]") == before
    # To oneself nothing is told.
    expect(says(ben, "Ben is typing")).to_have_count(0)
    # Five seconds after the last key it is over, and the name stays.
    says(ana, "Ben is typing").wait_for(state="hidden", timeout=LATE)
    expect(person(ana, "Ben Okafor")).to_be_visible()


def test_all_who_type_are_named_and_one_who_stops_leaves_the_other_typing(enter: Enter) -> None:
    ana, ben, cho = enter("ana"), enter("ben"), enter("cho")
    types(ben)
    says(ana, "Ben is typing").wait_for()
    types(cho)
    says(ana, "Ben and Cho are typing").wait_for()
    types(ben)
    cho.get_by_role("heading", level=1).last.click()
    box(cho).blur()
    says(ana, "Ben is typing").wait_for()
    # Sending ends it at once.
    ben.get_by_role("button", name="Send", exact=True).click()
    says(ana, "Ben is typing").wait_for(state="hidden", timeout=4_000)


def test_reading_replying_and_writing_internally_are_told_apart(enter: Enter) -> None:
    ana, ben = enter("ana"), enter("ben")
    viewing(ana).get_by_title("Ben Okafor, reading").wait_for()
    types(ben)
    viewing(ana).get_by_title("Ben Okafor, replying").wait_for()
    ben.get_by_role("button", name="Internal message", exact=True).click()
    viewing(ana).get_by_title("Ben Okafor, writing internally").wait_for()
    box(ben).fill("")
    viewing(ana).get_by_title("Ben Okafor, reading").wait_for()
    ben.get_by_role("button", name="Internal message", exact=True).click()


def test_the_list_shows_where_somebody_is_and_where_somebody_replies(enter: Enter) -> None:
    ana, ben = enter("ana", thread=1), enter("ben", thread=0)
    ana.get_by_role("listitem").filter(has_text="Someone is here").wait_for()
    types(ben)
    row = ana.get_by_role("listitem").filter(has_text="Someone is replying")
    row.wait_for()
    # The row is drawn anew and put elsewhere; its mark stays.
    box(ben).fill("This row rises")
    ben.get_by_role("button", name="Send", exact=True).click()
    rows(ana).first.filter(has_text="This row rises").wait_for()
    rows(ana).first.filter(has_text=re.compile("Someone is")).wait_for()
    ben.context.close()
    ana.locator(".row-here").wait_for(state="detached")


def test_on_a_phone_the_names_and_the_typing_show_as_well(enter: Enter) -> None:
    ana, ben = enter("ana", viewport=NARROW, has_touch=True), enter("ben")
    person(ana, "Ben Okafor").wait_for()
    types(ben)
    says(ana, "Ben is typing").wait_for()
    dots(ana, "Ben Okafor").wait_for()
    assert ana.evaluate("document.documentElement.scrollWidth") == NARROW["width"]


def test_a_pulled_cable_leaves_nobody_typing(enter: Enter, house: House) -> None:
    ana, ben = enter("ana"), enter("ben", host="localhost")
    person(ana, "Ben Okafor").wait_for()
    types(ben)
    says(ana, "Ben is typing").wait_for()
    house.line.hush()
    says(ana, "Ben is typing").wait_for(state="hidden", timeout=LATE)
    person(ana, "Ben Okafor").wait_for(state="detached", timeout=40_000)
    house.line.restore()


ASK_ONCE = """() => {
    const [ask, kept] = [window.fetch, new Map()];
    window.fetch = async (request, ...more) => {
        const url = String(request.url ?? request);
        if (!/\\/threads\\/\\d+\\/$/.test(url)) return ask(request, ...more);
        if (!kept.has(url)) kept.set(url, await (await ask(request, ...more)).text());
        return new Response(kept.get(url), {headers: {'content-type': 'text/html'}});
    };
}"""
"""The page is measured and not the server, so each thread is asked for once."""

SWITCH = """async count => {
    const links = [...document.querySelectorAll('.row-thread .row-link')].slice(0, 2);
    for (let i = 0; i < count; i += 1) {
        const done = new Promise(go => document.addEventListener('partyline:looked', go,
            {once: true}));
        links[i % 2].click();
        await done;
        if (i % 5) continue;
        const box = document.querySelector('#message-box');
        box.value = 'x';
        box.dispatchEvent(new Event('input', {bubbles: true}));
    }
}"""


def test_hundreds_of_thread_switches_leave_nothing_behind(enter: Enter, house: House) -> None:
    page = enter("ana")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    page.evaluate(ASK_ONCE)

    def measured() -> dict[str, float]:
        tools.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(300)
        tools.send("HeapProfiler.collectGarbage")
        found = tools.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in found}

    def is_as_before(now: dict[str, float]) -> bool:
        return (
            now["JSEventListeners"] <= before["JSEventListeners"] + 20
            and now["Nodes"] <= before["Nodes"] * 1.2 + 200
            and now["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.15 + 500_000
        )

    page.evaluate(SWITCH, 40)
    page.wait_for_timeout(3_000)
    before = measured()
    page.evaluate(SWITCH, 200)
    after = measured()
    # Drafts on their way to the server hold on to their boxes until it has answered.
    for _ in range(20):
        if is_as_before(after):
            break
        page.wait_for_timeout(1_000)
        after = measured()
    assert is_as_before(after), (before, after)
