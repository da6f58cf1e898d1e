"""The history while one scrolls: its day stays in sight, and a button leads to its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.files import make_file
from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenBrowser,
    OpenPage,
    expect_readable,
    find_message,
    history,
    make_unique,
    new_number,
    open_handset,
    send_from_handset,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

DAYS = 4
EACH = 9
SEEN_DAY = """log => {
  const top = log.getBoundingClientRect().top;
  const seen = [...log.querySelectorAll(".day")].filter(day =>
    Math.abs(day.getBoundingClientRect().top - top - 8) < 2 && getComputedStyle(day).opacity > 0);
  return seen.map(day => day.dataset.day);
}"""
# The days of the last message that begins above the heading, and of the one after it.
DAYS_AT_TOP = """log => {
  const top = log.getBoundingClientRect().top + 8;
  const all = [...log.querySelectorAll(".message")];
  const below = all.findIndex(one => one.getBoundingClientRect().top > top);
  return [all[below - 1], all[below]].filter(Boolean).map(one => one.dataset.day);
}"""


def fill_days(server: Server) -> str:
    """Return a number that texted on several days, enough to scroll."""
    number = new_number()
    for day in range(DAYS):
        for step in range(EACH):
            server.receive_text(make_unique(f"On day {day}, {step}"), sender=number)
    server.query(
        "WITH theirs AS (SELECT m.id, row_number() OVER (ORDER BY m.id) - 1 AS nth"
        " FROM messaging_message m JOIN threads_thread t ON t.id = m.thread_id"
        " JOIN threads_contact c ON c.id = t.contact_id WHERE c.address = %s)"
        " UPDATE messaging_message m SET created_at ="
        " date_trunc('day', now()) + interval '12 hours'"
        " - (%s - nth / %s) * interval '1 day' + nth * interval '7 minutes'"
        " FROM theirs WHERE theirs.id = m.id",
        number,
        DAYS,
        EACH,
    )
    return number


def scroll_to(log: Locator, top: int) -> None:
    log.evaluate("(log, top) => { log.scrollTop = top }", top)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_day_of_what_one_reads_stays_at_the_top(
    open_page: OpenPage, server: Server, size: ViewportSize
) -> None:
    page = open_page("ana", server.thread_path(fill_days(server)), viewport=size)
    wait_until_live(page)
    log = history(page)
    end = log.evaluate("log => log.scrollHeight - log.clientHeight")
    seen: set[str] = set()
    for top in range(int(end), 150, -170):
        scroll_to(log, top)
        wait_until(lambda: len(log.evaluate(SEEN_DAY)) == 1)
        [day] = log.evaluate(SEEN_DAY)
        assert day in log.evaluate(DAYS_AT_TOP)
        seen.add(day)
    assert len(seen) >= DAYS - 1
    expect(log.get_by_role("heading", level=2)).to_have_count(DAYS)
    expect_readable(page)


def test_a_button_leads_back_to_the_newest_message_and_counts_what_came(
    open_page: OpenPage, server: Server
) -> None:
    number = fill_days(server)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    log, button = history(page), page.get_by_role("button", name="Jump to newest")
    expect(button).to_have_accessible_name(f"Jump to newest · {DAYS * EACH} new")
    button.click()
    expect(button).to_be_hidden()
    scroll_to(log, 300)
    expect(button).to_have_accessible_name("Jump to newest")
    place = log.evaluate("log => log.scrollTop")
    bodies = [make_unique("Down below") for _ in range(2)]
    for body in bodies:
        server.receive_text(body, sender=number)
        find_message(page, body).wait_for()
    expect(button).to_have_accessible_name("Jump to newest · 2 new")
    assert log.evaluate("log => log.scrollTop") == place, "nothing jumps"
    expect_readable(page)
    log.focus()
    button.focus()
    button.press("Enter")
    expect(find_message(page, bodies[-1])).to_be_in_viewport()
    expect(button).to_be_hidden()
    expect(log).to_be_focused()
    scroll_to(log, 300)
    expect(button).to_have_accessible_name("Jump to newest")


def test_a_conversation_opened_at_an_old_message_leads_to_the_newest(
    open_page: OpenPage, server: Server
) -> None:
    number = fill_days(server)
    for _ in range(3):
        for _ in range(30):
            server.receive_text("Much more " * 8, sender=number)
    last = make_unique("The newest of them")
    server.receive_text(last, sender=number)
    path = server.thread_path(number)
    [[first]] = server.query(
        "SELECT min(m.id) FROM messaging_message m WHERE m.thread_id = %s",
        int(path.split("/")[2]),
    )
    page = open_page("ana", f"{path}?at={first}")
    wait_until_live(page)
    expect(page.locator(f"#message-{first}")).to_be_in_viewport()
    page.get_by_role("button", name="Jump to newest").click()
    expect(find_message(page, last)).to_be_in_viewport()


def focused_tip(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.activeElement, '::after').content"))


def test_the_full_date_shows_to_those_who_come_by_keyboard(
    open_page: OpenPage, server: Server
) -> None:
    number = fill_days(server)
    page = open_page("ana", server.thread_path(number), locale="en-US", timezone_id="UTC")
    wait_until_live(page)
    newest = page.locator(".message").last.locator("time")
    expect(newest).to_have_attribute("tabindex", "0")
    history(page).focus()
    page.keyboard.press("Tab")
    expect(newest).to_be_focused()
    title = newest.get_attribute("title") or ""
    assert re.fullmatch(r"\w+day, \w+ \d+, \d{4} at \d+:\d\d [AP]M, UTC", title)
    assert title in focused_tip(page)
    page.keyboard.press("ArrowUp")
    expect(newest).not_to_be_focused()
    assert re.search(r"\d{4} at \d+:\d\d [AP]M, UTC", focused_tip(page))
    page.keyboard.press("ArrowDown")
    expect(newest).to_be_focused()
    expect_readable(page)


def test_paper_holds_the_whole_conversation_and_nothing_to_press(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.thread_path(fill_days(server)))
    wait_until_live(page)
    page.emulate_media(media="print", color_scheme="dark")
    messages = page.locator(".log > .message")
    expect(messages).to_have_count(DAYS * EACH)
    last = messages.last.bounding_box()
    assert last is not None
    cut = page.evaluate(
        "[...document.querySelectorAll('html, body, #panes, #conversation, .thread, .log')]"
        ".filter(one => getComputedStyle(one).overflowY !== 'visible').map(one => one.className)"
    )
    assert cut == [], "nothing scrolls on paper"
    height = page.evaluate("document.documentElement.scrollHeight")
    assert last["y"] + last["height"] <= height + page.evaluate("scrollY")
    assert height > 760 * 2
    expect(history(page).get_by_role("heading", level=2)).to_have_count(DAYS)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for hidden in ("navigation", "textbox", "button", "searchbox"):
        assert [one for one in page.get_by_role(hidden).all() if one.is_visible()] == []
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(26, 31, 41)", "dark on white, whatever the screen shows"


def test_the_newest_message_stays_in_view_while_its_contact_card_grows(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    phone = open_handset(open_browser(), server, number)
    # In view from the start: a page with unread messages opens where they begin.
    low: ViewportSize = {"width": 1280, "height": 520}
    page = open_page("ana", server.thread_path(number), viewport=low)
    wait_until_live(page)
    people = [f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna {n}\r\nEND:VCARD\r\n" for n in range(9)]
    card = make_file("people.vcf", "".join(people).encode(), "text/vcard")
    phone.locator("input[type=file]").set_input_files([card])  # type: ignore[arg-type]
    send_from_handset(phone, "Ask them")
    expect(page.get_by_text("Anna 8")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Jump to newest")).to_be_hidden()
