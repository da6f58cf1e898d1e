"""Search within an inbox, among the last messages of its threads, or in all messages."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from playwright.sync_api import Error, expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    expect_readable,
    find_message,
    find_row,
    find_violations,
    format_number,
    history,
    message_box,
    new_number,
    sign_in,
    thread_list,
    wait_until,
    wait_until_idle,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route


def search_field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search last messages")


def scope_switch(page: Page) -> Locator:
    return page.get_by_role("switch", name="All messages")


def found_threads(page: Page) -> Locator:
    return thread_list(page).get_by_role("listitem")


def receive_text(server: Server, body: str) -> str:
    """Text from a new number, and return the number."""
    number = new_number()
    server.receive_text(body, sender=number)
    return number


def test_search_in_an_inbox_looks_at_the_last_message_of_each_thread(
    open_page: OpenPage, server: Server
) -> None:
    number = receive_text(server, "The Zylinderkopf is cracked")
    other = receive_text(server, "A zylinder for the Crème machine")
    ana = open_page("ana", server.inbox_path())
    expect(search_field(ana)).to_have_attribute("placeholder", "Last messages")
    everything = found_threads(ana).count()
    assert everything > 2
    search_field(ana).press_sequentially("ZYL", delay=30)
    expect(found_threads(ana)).to_have_count(2)
    expect(found_threads(ana).first).to_contain_text(format_number(other))
    expect(found_threads(ana).first.locator("mark")).to_have_text("zylinder")
    search_field(ana).press_sequentially(" creme", delay=30)
    expect(found_threads(ana)).to_have_count(1)
    expect(search_field(ana)).to_be_focused()
    expect(search_field(ana)).to_have_value("ZYL creme")
    server.receive_text("It came", sender=other)
    search_field(ana).fill("zylinder")
    expect(found_threads(ana)).to_have_count(1)
    expect(found_threads(ana).first).to_contain_text(format_number(number))
    search_field(ana).fill("")
    expect(find_row(ana, format_number(other))).to_contain_text("It came")
    expect(found_threads(ana)).to_have_count(everything)
    expect(ana).to_have_url(server.url + server.inbox_path())


def test_what_is_typed_is_in_the_address_and_back_leads_to_it(
    open_page: OpenPage, server: Server
) -> None:
    number = receive_text(server, "The quokka is out")
    ana = open_page("ana", "/")
    find_row(ana, "Front Desk").get_by_role("link").click()
    expect(ana.get_by_role("list", name="Threads")).to_be_visible()
    search_field(ana).press_sequentially("quokka", delay=20)
    expect(found_threads(ana)).to_have_count(1)
    assert ana.url.endswith("/?q=quokka")
    found_threads(ana).get_by_role("link").click()
    expect(find_message(ana, "The quokka is out")).to_be_visible()
    expect(ana).to_have_url(f"{server.url}{server.thread_path(number)}?q=quokka")
    expect(found_threads(ana)).to_have_count(1)
    ana.reload()
    expect(find_message(ana, "The quokka is out")).to_be_visible()
    expect(found_threads(ana)).to_have_count(1)
    expect(search_field(ana)).to_have_value("quokka")
    ana.go_back()
    expect(history(ana)).to_have_count(0)
    expect(search_field(ana)).to_have_value("quokka")
    expect(found_threads(ana)).to_have_count(1)
    ana.go_back()
    expect(ana.get_by_role("list", name="Conversations")).to_be_visible()


def test_results_are_live(open_page: OpenPage, server: Server) -> None:
    first = receive_text(server, "A numbat came")
    ana = open_page("ana", f"{server.inbox_path()}?q=numbat")
    wait_until_live(ana)
    expect(found_threads(ana)).to_have_count(1)
    search_field(ana).focus()
    second = receive_text(server, "Another numbat came")
    expect(found_threads(ana)).to_have_count(2)
    expect(found_threads(ana).first).to_contain_text(format_number(second))
    expect(found_threads(ana).first.locator("mark")).to_have_text("numbat")
    server.receive_text("It left", sender=second)
    expect(found_threads(ana)).to_have_count(1)
    server.receive_text("This numbat stays", sender=first)
    expect(found_threads(ana).first).to_contain_text("This numbat stays")
    server.receive_text("The numbat is back", sender=second)
    expect(found_threads(ana).first).to_contain_text("The numbat is back")
    receive_text(server, "Nothing of the kind")
    server.receive_text("This numbat still stays", sender=first)
    expect(found_threads(ana).first).to_contain_text("This numbat still stays")
    expect(found_threads(ana)).to_have_count(2)
    expect(search_field(ana)).to_be_focused()


def test_a_late_answer_never_stands_over_a_later_one(open_page: OpenPage, server: Server) -> None:
    receive_text(server, "The quoll sleeps")
    receive_text(server, "The quoll wakes")
    ana = open_page("ana", server.inbox_path())
    held: list[Route] = []
    ana.route(re.compile(r"\?q=quoll$"), lambda route: held.append(route))
    search_field(ana).fill("quoll")
    wait_until(lambda: ana.title() and held)
    search_field(ana).fill("quoll wakes")
    expect(found_threads(ana)).to_have_count(1)
    assert len(held) == 1
    # The page may have given the question up, and then there is nothing left to answer.
    with contextlib.suppress(Error):
        held[0].continue_()
    wait_until_idle(ana)
    expect(found_threads(ana)).to_have_count(1)
    expect(found_threads(ana).first).to_contain_text("wakes")


def test_all_messages_shows_the_hit_and_leads_to_its_place(
    open_page: OpenPage, server: Server
) -> None:
    number = receive_text(server, "The bilby is 4711")
    for count in range(50):
        server.receive_text(f"And so on {count}", sender=number)
    ana = open_page("ana", server.inbox_path())
    search_field(ana).fill("bilby")
    expect(ana.get_by_text("No thread's last message matches.")).to_be_visible()
    scope_switch(ana).click()
    expect(scope_switch(ana)).to_have_attribute("aria-checked", "true")
    expect(scope_switch(ana)).to_be_focused()
    hit = found_threads(ana)
    expect(hit).to_have_count(1)
    expect(hit).to_contain_text("Received · Front Desk")
    expect(hit.locator("mark")).to_have_text("bilby")
    hit.get_by_role("link").click()
    expect(find_message(ana, "The bilby is 4711")).to_be_in_viewport()
    assert "at=" not in ana.url
    ana.go_back()
    expect(history(ana)).to_have_count(0)
    expect(scope_switch(ana)).to_have_attribute("aria-checked", "true")
    for digits in (f"({number[2:5]}) {number[5:8]}-{number[8:]}", number[-7:]):
        search_field(ana).fill(digits)
        expect(hit).to_have_count(1)
        expect(hit).to_contain_text("And so on 49")
    search_field(ana).fill("")
    expect(find_row(ana, format_number(number))).to_have_count(1)
    scope_switch(ana).click()
    expect(scope_switch(ana)).to_have_attribute("aria-checked", "false")
    expect(ana).to_have_url(server.url + server.inbox_path())


def test_own_conversations_are_searched_from_the_messages_view(
    open_page: OpenPage, server: Server
) -> None:
    ana = open_page("ana", "/")
    rows = ana.get_by_role("list", name="Conversations").get_by_role("listitem")
    expect(find_row(ana, "Front Desk")).to_have_count(1)
    search_field(ana).fill("pot")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("bring the big pot")
    search_field(ana).fill("")
    expect(find_row(ana, "Front Desk")).to_have_count(1)
    ben = open_page("ben", "/")
    ben.get_by_role("searchbox", name="Search all messages").fill("front desk zzz")
    expect(ben.locator("#found").get_by_text("Nothing found")).to_be_visible()


def test_where_last_messages_have_nothing_all_messages_are_a_button_away(
    open_page: OpenPage, server: Server
) -> None:
    number = receive_text(server, "The bettong eats truffles")
    server.receive_text("And something else", sender=number)
    ana = open_page("ana", server.inbox_path())
    wait_until_live(ana)
    button = ana.get_by_role("button", name="Search all messages")
    expect(button).to_have_count(0)
    digits = number[-7:]
    search_field(ana).fill(digits)
    expect(button).to_be_visible()
    assert find_violations(ana) == []
    button.click()
    expect(search_field(ana)).to_have_value(digits)
    expect(scope_switch(ana)).to_have_attribute("aria-checked", "true")
    expect(find_row(ana, "And something else")).to_have_count(1)
    expect(ana).to_have_url(re.compile(rf"/search/\?q={digits}$"))
    ana.reload()
    expect(search_field(ana)).to_have_value(digits)
    search_field(ana).fill("no such word anywhere")
    expect(ana.locator("#found").get_by_text("Nothing found")).to_be_visible()
    expect(button).to_have_count(0)
    # Beside an open conversation, which stays.
    ana.goto(server.url + server.thread_path(number))
    wait_until_live(ana)
    search_field(ana).fill("bettong")
    button.press("Enter")
    expect(find_row(ana, "bettong eats")).to_have_count(1)
    expect(message_box(ana)).to_be_visible()


def test_one_searches_by_keyboard_alone(open_page: OpenPage, server: Server) -> None:
    receive_text(server, "The potoroo hides")
    ana = open_page("ana", server.inbox_path())
    wait_until_live(ana)
    ana.keyboard.press("/")
    expect(search_field(ana)).to_be_focused()
    ana.keyboard.type("potoroo")
    expect(found_threads(ana)).to_have_count(1)
    with ana.expect_response(lambda answer: "potoroo" in answer.url):
        ana.keyboard.press("Enter")
    expect(search_field(ana)).to_be_focused()
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("Enter")
    expect(find_message(ana, "The potoroo hides")).to_be_visible()
    expect(message_box(ana)).to_be_focused()
    search_field(ana).focus()
    ana.keyboard.press("Escape")
    expect(search_field(ana)).to_have_value("")
    expect(find_row(ana, "The potoroo hides")).to_have_count(1)
    expect(found_threads(ana)).not_to_have_count(1)
    search_field(ana).focus()
    ana.keyboard.press("Tab")
    expect(scope_switch(ana)).to_be_focused()
    ana.keyboard.press("Space")
    expect(scope_switch(ana)).to_have_attribute("aria-checked", "true")


def test_on_a_phone_one_comes_back_to_what_was_found(open_page: OpenPage, server: Server) -> None:
    receive_text(server, "The kowari digs " + "and digs " * 30)
    ana = open_page("ana", server.inbox_path(), viewport=NARROW, has_touch=True)
    search_field(ana).fill("kowari")
    expect(found_threads(ana)).to_have_count(1)
    for control in (search_field(ana), scope_switch(ana)):
        bounds = control.bounding_box()
        assert bounds is not None
        assert bounds["height"] >= 44
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found_threads(ana).get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    ana.get_by_role("link", name="Back to Front Desk").click()
    expect(search_field(ana)).to_have_value("kowari")
    expect(found_threads(ana)).to_have_count(1)


def test_search_is_readable_by_everyone(open_page: OpenPage, server: Server) -> None:
    receive_text(server, "The dunnart is small")
    ana = open_page("ana", f"{server.inbox_path()}?q=dunnart")
    for is_everywhere in ("false", "true"):
        expect(scope_switch(ana)).to_have_attribute("aria-checked", is_everywhere)
        expect(found_threads(ana).first).to_be_visible()
        expect_readable(ana)
        scope_switch(ana).click()


def test_without_scripts_it_is_a_form(open_page: OpenPage, server: Server) -> None:
    number = receive_text(server, "The chuditch looks")
    page = open_page(None, java_script_enabled=False)
    sign_in(page, "ben")
    find_row(page, "Front Desk").get_by_role("link").click()
    search_field(page).fill("chuditch")
    search_field(page).press("Enter")
    expect(found_threads(page)).to_have_count(1)
    expect(page).to_have_url(f"{server.url}{server.inbox_path()}?q=chuditch")
    scope_switch(page).click()
    expect(scope_switch(page)).to_have_attribute("aria-checked", "true")
    expect(found_threads(page)).to_contain_text("Front Desk")
    search_field(page).fill(number[-6:])
    page.get_by_role("button", name="Search", exact=True).click()
    expect(found_threads(page)).to_have_count(1)
    found_threads(page).get_by_role("link").click()
    expect(find_message(page, "The chuditch looks")).to_be_visible()
    expect(search_field(page)).to_have_value(number[-6:])
    expect(found_threads(page)).to_have_count(1)
