"""Moving through lists and histories: days, older pages, addresses, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    NARROW,
    House,
    bubble,
    eventually,
    fresh,
    history,
    row,
    shown,
    stranger,
    texts,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Sit = Callable[..., Page]

LONG = "+12025550126"
TOP_OF_FIRST = """log => { log.scrollTop = 0; const first = log.querySelector(".message");
  return [first.id, first.getBoundingClientRect().top] }"""


def test_a_history_grows_upwards_by_days_without_a_jump(sit: Sit, house: House) -> None:
    house.text_in(fresh("The newest"), sender=LONG)
    ana = sit("ana", house.thread(LONG))
    log = history(ana)
    expect(log.get_by_role("article").last).to_be_in_viewport()
    total = house.sql(
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
    days = texts(ana, ".log > .day")
    assert days[-1] == "Today"
    assert len(days) == len(set(days)) > 2


def test_an_address_opens_its_thread_beside_its_list(sit: Sit, house: House) -> None:
    house.lift("+12025550142")
    ana = sit("ana", house.thread("+12025550142"))
    expect(ana.get_by_role("heading", level=1, name=shown("+12025550142"))).to_be_visible()
    expect(ana.get_by_role("list", name="Threads")).to_be_visible()
    link = row(ana, shown("+12025550142")).get_by_role("link")
    expect(link).to_have_attribute("aria-current", "page")
    expect(ana).to_have_title(re.compile(r"\(202\) 555-0142 · Front Desk · Partyline$"))
    listing = ana.get_by_role("navigation", name="Messages").bounding_box()
    log = history(ana).bounding_box()
    assert listing is not None
    assert log is not None
    assert listing["x"] + listing["width"] <= log["x"], "side by side"


def test_back_and_forward_go_where_one_was_and_stay_live(sit: Sit, house: House) -> None:
    number = "+12025550142"
    house.lift(number)
    ana = sit("ana")
    row(ana, "Front Desk").get_by_role("link").click()
    ana.get_by_role("list", name="Threads").wait_for()
    expect(ana).to_have_url(house.url + house.inbox())
    row(ana, shown(number)).get_by_role("link").click()
    history(ana).wait_for()
    expect(ana).to_have_url(house.url + house.thread(number))
    ana.go_back()
    ana.get_by_text("Nothing is open").wait_for()
    expect(ana).to_have_url(house.url + house.inbox())
    ana.go_back()
    ana.get_by_role("list", name="Conversations").wait_for()
    ana.go_forward()
    ana.get_by_role("list", name="Threads").wait_for()
    ana.go_forward()
    history(ana).wait_for()
    expect(ana).to_have_url(house.url + house.thread(number))
    body = fresh("Still live")
    house.text_in(body, sender=number)
    bubble(ana, body).wait_for()
    ana.get_by_role("link", name="Back to messages").click()
    ana.get_by_role("list", name="Conversations").wait_for()
    expect(ana).to_have_url(house.url + "/")


def test_a_narrow_page_shows_one_pane_and_names_the_way_back(sit: Sit, house: House) -> None:
    house.lift("+12025550142")
    ana = sit("ana", house.inbox(), viewport=NARROW)
    threads = ana.get_by_role("list", name="Threads")
    expect(ana.get_by_text("Nothing is open")).to_be_hidden()
    row(ana, shown("+12025550142")).get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    expect(threads).to_be_hidden()
    ana.get_by_role("link", name="Back to Front Desk").click()
    expect(threads).to_be_visible()
    expect(history(ana)).to_be_hidden()
    ana.get_by_role("link", name="Back to messages").click()
    row(ana, "Sam Whitlock").get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    ana.get_by_role("link", name="Back to messages").click()
    expect(ana.get_by_role("list", name="Conversations")).to_be_visible()
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_long_list_loads_as_one_scrolls_and_then_lifts_what_lay_beyond(
    sit: Sit, house: House
) -> None:
    numbers = [stranger() for _ in range(32)]
    for number in numbers:
        house.text_in("One of many", sender=number)
    ana = sit("ana", house.inbox(), viewport={"width": 1200, "height": 420})
    wait_until_live(ana)
    rows = ana.get_by_role("list", name="Threads")
    beyond = row(ana, shown(numbers[0]))
    expect(beyond).to_have_count(0)
    body = fresh("From beyond")
    house.text_in(body, sender=numbers[0])
    expect(rows.get_by_role("listitem").first).to_contain_text(body)
    further = ana.get_by_role("link", name="Show older")

    def is_whole() -> bool:
        rows.evaluate("list => { list.scrollTop = list.scrollHeight }")
        ana.wait_for_timeout(100)
        return further.count() == 0

    eventually(is_whole)
    expect(row(ana, shown("+12025550142"))).to_have_count(1)
    expect(beyond).to_have_count(1)
    ids = rows.evaluate("list => [...list.querySelectorAll('.row')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    fresh_page = sit("ana", house.inbox(), viewport={"width": 1200, "height": 420})
    eventually(lambda: texts(fresh_page, ".rows > .row") == texts(ana, ".rows > .row")[:30])
