"""Three agents see who views a thread and who types."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    find_row,
    format_number,
    history,
    message_box,
    new_number,
    send_text,
    thread_list,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

OpenThread = Callable[..., Page]
LATE = 12_000


@pytest.fixture
def number(server: Server) -> str:
    """Return the number of a contact who wrote once."""
    number = new_number()
    server.receive_text("Who looks at this?", sender=number)
    return number


@pytest.fixture
def open_thread(open_page: OpenPage, server: Server, number: str) -> OpenThread:
    """Return a function that opens the same thread for an agent in a browser of their own."""

    def open_one(username: str, **options: object) -> Page:
        page = open_page(username, server.thread_path(number), **options)
        wait_until_live(page)
        return page

    return open_one


def viewers(page: Page) -> Locator:
    return page.get_by_role("status", name="Viewing now")


def find_viewer(page: Page, name: str) -> Locator:
    return viewers(page).locator(".person").filter(has_text=name)


def type_something(page: Page) -> None:
    message_box(page).press_sequentially("Hello")


def find_words(page: Page, words: str) -> Locator:
    """Find a line of the history that is not a message."""
    return history(page).get_by_text(words, exact=True)


def typing_dots(page: Page, name: str) -> Locator:
    return find_viewer(page, name).locator(".dots")


def test_below_the_text_box_stand_the_names_of_the_others_who_view_the_thread(
    open_thread: OpenThread,
) -> None:
    ana, ben = open_thread("ana"), open_thread("ben")
    find_viewer(ana, "Ben Okafor").wait_for()
    find_viewer(ben, "Ana Ruiz").wait_for()
    expect(find_viewer(ana, "Ana Ruiz")).to_have_count(0)
    below = viewers(ana).bounding_box()
    above = message_box(ana).bounding_box()
    assert below is not None
    assert above is not None
    assert below["y"] > above["y"] + above["height"] - 1
    cho = open_thread("cho")
    find_viewer(cho, "Ana Ruiz").wait_for()
    expect(find_viewer(cho, "Ben Okafor")).to_have_count(1)
    cho.close()
    find_viewer(ana, "Cho Park").wait_for(state="detached")


def test_somebody_with_several_tabs_counts_once_and_a_hidden_tab_is_not_viewing(
    open_thread: OpenThread,
) -> None:
    ana, ben = open_thread("ana"), open_thread("ben")
    second = ben.context.new_page()
    second.goto(ben.url)
    wait_until_live(second)
    find_viewer(ana, "Ben Okafor").wait_for()
    expect(find_viewer(ana, "Ben Okafor")).to_have_count(1)
    hide = """hidden => { Object.defineProperty(document, 'hidden', {value: hidden,
        configurable: true}); document.dispatchEvent(new Event('visibilitychange')) }"""
    for tab in (ben, second):
        tab.evaluate(hide, True)
    find_viewer(ana, "Ben Okafor").wait_for(state="detached")
    ben.evaluate(hide, False)
    find_viewer(ana, "Ben Okafor").wait_for()


def test_while_one_types_dots_move_over_their_name_and_the_thread_says_so(
    open_thread: OpenThread,
) -> None:
    ana, ben = open_thread("ana"), open_thread("ben")
    find_viewer(ana, "Ben Okafor").wait_for()
    log = history(ana)
    before = log.evaluate("log => [log.scrollHeight, log.scrollTop, log.clientHeight]")
    expect(typing_dots(ana, "Ben Okafor")).to_be_hidden()
    type_something(ben)
    find_words(ana, "Ben is typing").wait_for()
    typing_dots(ana, "Ben Okafor").wait_for()
    over, name = (
        typing_dots(ana, "Ben Okafor").bounding_box(),
        ana.locator(".person-name").bounding_box(),
    )
    assert over is not None
    assert name is not None
    assert over["y"] < name["y"]
    assert log.evaluate("log => [log.scrollHeight, log.scrollTop, log.clientHeight]") == before
    # To oneself nothing is told.
    expect(find_words(ben, "Ben is typing")).to_have_count(0)
    # Five seconds after the last key it is over, and the name stays.
    find_words(ana, "Ben is typing").wait_for(state="hidden", timeout=LATE)
    expect(find_viewer(ana, "Ben Okafor")).to_be_visible()


def test_all_who_type_are_named_and_one_who_stops_leaves_the_other_typing(
    open_thread: OpenThread,
) -> None:
    ana, ben, cho = open_thread("ana"), open_thread("ben"), open_thread("cho")
    type_something(ben)
    find_words(ana, "Ben is typing").wait_for()
    type_something(cho)
    find_words(ana, "Ben and Cho are typing").wait_for()
    type_something(ben)
    cho.get_by_role("heading", level=1).last.click()
    message_box(cho).blur()
    find_words(ana, "Ben is typing").wait_for()
    # Sending ends it at once.
    ben.get_by_role("button", name="Send", exact=True).click()
    find_words(ana, "Ben is typing").wait_for(state="hidden", timeout=4_000)


def test_reading_replying_and_writing_internally_are_told_apart(open_thread: OpenThread) -> None:
    ana, ben = open_thread("ana"), open_thread("ben")
    viewers(ana).get_by_title("Ben Okafor, reading").wait_for()
    type_something(ben)
    viewers(ana).get_by_title("Ben Okafor, replying").wait_for()
    ben.get_by_role("button", name="Internal message", exact=True).click()
    viewers(ana).get_by_title("Ben Okafor, writing internally").wait_for()
    message_box(ben).fill("")
    viewers(ana).get_by_title("Ben Okafor, reading").wait_for()
    ben.get_by_role("button", name="Internal message", exact=True).click()


def test_the_list_shows_where_somebody_is_and_where_somebody_replies(
    open_page: OpenPage, open_thread: OpenThread, server: Server, number: str
) -> None:
    another = new_number()
    server.receive_text("Above that one", sender=another)
    ana, ben = open_page("ana", server.thread_path(another)), open_thread("ben")
    row = find_row(ana, format_number(number))
    expect(row).to_contain_text("Someone is here")
    type_something(ben)
    expect(row).to_contain_text("Someone is replying")
    # The row is drawn anew and put elsewhere; its mark stays.
    send_text(ben, "This row rises")
    first = thread_list(ana).get_by_role("listitem").first
    expect(first).to_contain_text("This row rises")
    expect(first).to_contain_text(re.compile("Someone is"))
    ben.close()
    ana.locator(".row-here").wait_for(state="detached")


def test_on_a_phone_the_names_and_the_typing_show_as_well(open_thread: OpenThread) -> None:
    ana, ben = open_thread("ana", viewport=NARROW, has_touch=True), open_thread("ben")
    find_viewer(ana, "Ben Okafor").wait_for()
    type_something(ben)
    find_words(ana, "Ben is typing").wait_for()
    typing_dots(ana, "Ben Okafor").wait_for()
    assert ana.evaluate("document.documentElement.scrollWidth") == NARROW["width"]


def test_a_pulled_cable_leaves_nobody_typing(open_thread: OpenThread, server: Server) -> None:
    ana, ben = open_thread("ana"), open_thread("ben", host="localhost")
    find_viewer(ana, "Ben Okafor").wait_for()
    type_something(ben)
    find_words(ana, "Ben is typing").wait_for()
    server.cable.hush("localhost")
    find_words(ana, "Ben is typing").wait_for(state="hidden", timeout=LATE)
    find_viewer(ana, "Ben Okafor").wait_for(state="detached", timeout=40_000)


# Requests each thread only once, because the page is measured and not the server.
ASK_ONCE = """() => {
    const [ask, kept] = [window.fetch, new Map()];
    window.fetch = async (request, ...more) => {
        const url = String(request.url ?? request);
        if (!/\\/threads\\/\\d+\\/$/.test(url)) return ask(request, ...more);
        if (!kept.has(url)) kept.set(url, await (await ask(request, ...more)).text());
        return new Response(kept.get(url), {headers: {'content-type': 'text/html'}});
    };
}"""

SWITCH = """async count => {
    const links = [...document.querySelectorAll('.row-thread .row-link')].slice(0, 2);
    for (let i = 0; i < count; i += 1) {
        const done = new Promise(go => document.addEventListener('partyline:viewChanged', go,
            {once: true}));
        links[i % 2].click();
        await done;
        if (i % 5) continue;
        const box = document.querySelector('#message-box');
        box.value = 'x';
        box.dispatchEvent(new Event('input', {bubbles: true}));
    }
}"""


def test_hundreds_of_thread_switches_leave_nothing_behind(open_thread: OpenThread) -> None:
    page = open_thread("ana")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    page.evaluate(ASK_ONCE)

    def measure() -> dict[str, float]:
        tools.send("HeapProfiler.collectGarbage")
        found = tools.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in found}

    def is_as_before(now: dict[str, float]) -> bool:
        return (
            now["JSEventListeners"] <= before["JSEventListeners"] + 20
            and now["Nodes"] <= before["Nodes"] * 1.2 + 200
            and now["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.15 + 500_000
        )

    # Drafts on their way to the server hold on to their boxes until it has answered.
    page.evaluate(SWITCH, 40)
    before = measure()
    page.evaluate(SWITCH, 200)
    wait_until(lambda: is_as_before(measure()), 60)
