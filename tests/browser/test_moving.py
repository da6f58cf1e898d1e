"""Moving through lists and histories: days, older pages, addresses, wide and narrow."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    find_message,
    find_row,
    format_number,
    history,
    make_unique,
    new_number,
    read_texts,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

LONG = "+12025550126"
TOP_OF_FIRST = """log => { log.scrollTop = 0; const first = log.querySelector(".message");
  return [first.id, first.getBoundingClientRect().top] }"""


def test_a_history_grows_upwards_by_days_without_a_jump(
    open_page: OpenPage, server: Server
) -> None:
    server.receive_text(make_unique("The newest"), sender=LONG)
    ana = open_page("ana", server.thread_path(LONG))
    log = history(ana)
    expect(log.get_by_role("article").last).to_be_in_viewport()
    total = server.query(
        "SELECT count(*) FROM messaging_message m JOIN threads_thread t ON t.id = m.thread_id"
        " JOIN threads_contact c ON c.id = t.contact_id WHERE c.address = %s",
        LONG,
    )[0][0]
    loaded = log.get_by_role("article").count()
    assert loaded < total
    first, top = log.evaluate(TOP_OF_FIRST)
    expect(log.get_by_role("article")).to_have_count(total)
    now = ana.locator(f"#{first}").evaluate("one => one.getBoundingClientRect().top")
    assert abs(now - top) < 60, "at most the day's heading above it came or went"
    expect(log.get_by_role("link", name="Show earlier messages")).to_have_count(0)
    keys = [
        int(key)
        for key in log.evaluate(
            "log => [...log.querySelectorAll('.message')].map(one => one.dataset.key)"
        )
    ]
    assert keys == sorted(set(keys))
    days = read_texts(ana, ".log > .day")
    assert days[-1] == "Today"
    assert len(days) == len(set(days)) > 2


def test_an_address_opens_its_thread_beside_its_list(open_page: OpenPage, server: Server) -> None:
    server.raise_thread("+12025550142")
    ana = open_page("ana", server.thread_path("+12025550142"))
    expect(ana.get_by_role("heading", level=1, name=format_number("+12025550142"))).to_be_visible()
    expect(ana.get_by_role("list", name="Threads")).to_be_visible()
    link = find_row(ana, format_number("+12025550142")).get_by_role("link")
    expect(link).to_have_attribute("aria-current", "page")
    expect(ana).to_have_title(re.compile(r"\(202\) 555-0142 · Front Desk · Partyline$"))
    listing = ana.get_by_role("navigation", name="Messages").bounding_box()
    log = history(ana).bounding_box()
    assert listing is not None
    assert log is not None
    assert listing["x"] + listing["width"] <= log["x"], "side by side"


def test_back_and_forward_go_where_one_was_and_stay_live(
    open_page: OpenPage, server: Server
) -> None:
    number = "+12025550142"
    server.raise_thread(number)
    ana = open_page("ana")
    find_row(ana, "Front Desk").get_by_role("link").click()
    ana.get_by_role("list", name="Threads").wait_for()
    expect(ana).to_have_url(server.url + server.inbox_path())
    find_row(ana, format_number(number)).get_by_role("link").click()
    history(ana).wait_for()
    expect(ana).to_have_url(server.url + server.thread_path(number))
    ana.go_back()
    ana.get_by_text("Nothing selected").wait_for()
    expect(ana).to_have_url(server.url + server.inbox_path())
    ana.go_back()
    ana.get_by_role("list", name="Conversations").wait_for()
    ana.go_forward()
    ana.get_by_role("list", name="Threads").wait_for()
    ana.go_forward()
    history(ana).wait_for()
    expect(ana).to_have_url(server.url + server.thread_path(number))
    body = make_unique("Still live")
    server.receive_text(body, sender=number)
    find_message(ana, body).wait_for()
    ana.get_by_role("link", name="Back to messages").click()
    ana.get_by_role("list", name="Conversations").wait_for()
    expect(ana).to_have_url(server.url + "/")


def test_a_narrow_page_shows_one_pane_and_names_the_way_back(
    open_page: OpenPage, server: Server
) -> None:
    server.raise_thread("+12025550142")
    ana = open_page("ana", server.inbox_path(), viewport=NARROW)
    threads = ana.get_by_role("list", name="Threads")
    expect(ana.get_by_text("Nothing selected")).to_be_hidden()
    find_row(ana, format_number("+12025550142")).get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    expect(threads).to_be_hidden()
    ana.get_by_role("link", name="Back to Front Desk").click()
    expect(threads).to_be_visible()
    expect(history(ana)).to_be_hidden()
    ana.get_by_role("link", name="Back to messages").click()
    find_row(ana, "Sam Whitlock").get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    ana.get_by_role("link", name="Back to messages").click()
    expect(ana.get_by_role("list", name="Conversations")).to_be_visible()
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_long_list_loads_as_one_scrolls_and_then_lifts_what_lay_beyond(
    open_page: OpenPage, server: Server
) -> None:
    numbers = [new_number() for _ in range(32)]
    for number in numbers:
        server.receive_text("One of many", sender=number)
    ana = open_page("ana", server.inbox_path(), viewport={"width": 1200, "height": 420})
    wait_until_live(ana)
    rows = ana.get_by_role("list", name="Threads")
    beyond = find_row(ana, format_number(numbers[0]))
    expect(beyond).to_have_count(0)
    body = make_unique("From beyond")
    server.receive_text(body, sender=numbers[0])
    expect(rows.get_by_role("listitem").first).to_contain_text(body)
    further = ana.get_by_role("link", name="Show older")

    def is_whole() -> bool:
        rows.evaluate("list => { list.scrollTop = list.scrollHeight }")
        return further.count() == 0

    wait_until(is_whole)
    expect(find_row(ana, format_number("+12025550142"))).to_have_count(1)
    expect(beyond).to_have_count(1)
    ids = rows.evaluate("list => [...list.querySelectorAll('.row')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    fresh_page = open_page("ana", server.inbox_path(), viewport={"width": 1200, "height": 420})
    wait_until(
        lambda: read_texts(fresh_page, ".rows > .row") == read_texts(ana, ".rows > .row")[:30]
    )
