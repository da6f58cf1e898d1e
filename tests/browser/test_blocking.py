"""Blocking a contact: their texts are kept in Blocked, and nobody is told of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    Team,
    choose_thread_option,
    expect_readable,
    find_message,
    find_row,
    format_number,
    make_unique,
    message_box,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WHAT_IT_MEANS = "Their texts are kept here, and nobody is told of them."


def unblock_button(page: Page) -> Locator:
    return page.locator("#reply").get_by_role("button", name="Unblock")


def toast(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text="Blocked.")


def test_a_colleague_sees_at_once_that_a_contact_was_blocked_and_unblocked(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    ana, ben = team["ana"].page, team["ben"].page
    row = format_number(team.number)
    message_box(ana).fill("I was about to ask")
    choose_thread_option(ben, "Block")
    expect(ben.locator("#reply")).to_contain_text("You blocked this contact")
    expect(ana.locator("#reply")).to_contain_text("Ben Okafor blocked this contact")
    expect(ben.locator(".details-block")).to_contain_text("You blocked this contact")
    expect(ana.locator(".details-block")).to_contain_text("Ben Okafor blocked this contact")
    for page in (ana, ben):
        expect(page.locator("#reply")).to_contain_text(WHAT_IT_MEANS)
        expect(message_box(page)).to_have_count(0)
        expect(page.locator(".bar-title", has_text="Blocked")).to_be_visible()
        expect(page.get_by_role("button", name="Done", exact=True)).to_have_count(0)
        expect(find_row(page, row)).to_have_count(0)
    body = make_unique("Cheap parts")
    team.receive_text(body)
    for page in (ana, ben):
        expect(find_message(page, body)).to_be_visible()
        expect(find_row(page, row)).to_have_count(0)
    asked = (
        "SELECT count(*) FROM messaging_notification JOIN messaging_message m ON m.id = message_id"
    )
    assert server.query(f"{asked} WHERE m.body = %s", body) == [(0,)]
    ana.get_by_role("navigation", name="Views").get_by_role("link", name="Blocked").click()
    expect(find_row(ana, row)).to_contain_text(body)
    ana.get_by_role("searchbox").fill(body)
    expect(find_row(ana, row)).to_contain_text(body)
    find_row(ana, row).get_by_role("link").click()
    expect_readable(ana, WIDE, NARROW)
    unblock_button(ana).click()
    for page in (ana, ben):
        expect(message_box(page)).to_be_visible()
    expect(message_box(ana)).to_have_value("I was about to ask")
    expect(find_row(ben, row)).to_contain_text(body)
    choose_thread_option(ben, "Block")
    expect(unblock_button(ana)).to_be_visible()


def test_a_block_is_taken_back_on_a_phone_by_the_toast(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ben", viewport=NARROW, has_touch=True)
    page = team["ben"].page
    choose_thread_option(page, "Block")
    expect(unblock_button(page)).to_be_visible()
    page.get_by_role("button", name="Thread options").click()
    options = page.get_by_role("menu", name="Thread options")
    expect(options.get_by_role("menuitem", name="Block", exact=True)).to_have_count(0)
    expect(options.get_by_role("menuitem", name="Snooze")).to_have_count(0)
    expect(options.get_by_role("menuitem", name="Unblock")).to_be_visible()
    page.keyboard.press("Escape")
    toast(page).get_by_role("button", name="Undo").click()
    expect(toast(page)).to_have_count(0)
    expect(message_box(page)).to_be_visible()
    page.get_by_role("link", name="Back to Front Desk").click()
    expect(find_row(page, format_number(team.number))).to_be_visible()


def test_a_block_from_details_is_taken_back_by_the_toast(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ben", viewport={"width": 1440, "height": 900})
    page = team["ben"].page
    page.get_by_role("complementary", name="Details").get_by_role("button", name="Block").click()
    expect(unblock_button(page)).to_be_visible()
    toast(page).get_by_role("button", name="Undo").click()
    expect(message_box(page)).to_be_visible()
    expect(toast(page)).to_have_count(0)


def test_without_scripts_a_contact_is_blocked_and_unblocked(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Win a prize", sender=number)
    page = open_page("ben", server.thread_path(number), java_script_enabled=False)
    choose_thread_option(page, "Block")
    toast(page).get_by_role("button", name="Undo").click()
    expect(message_box(page)).to_be_visible()
    choose_thread_option(page, "Block")
    unblock_button(page).click()
    expect(message_box(page)).to_be_visible()
    expect(unblock_button(page)).to_have_count(0)


def test_rows_of_blocked_contacts_leave_and_come_back_in_open_lists(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Win a prize", sender=number)
    row = format_number(number)
    ben = open_page("ben", server.thread_path(number))
    inbox, blocked = open_page("ana", server.inbox_path()), open_page("ana", "/?only=blocked")
    for page in (ben, inbox, blocked):
        wait_until_live(page)
    choose_thread_option(ben, "Block")
    expect(find_row(blocked, row)).to_be_visible()
    expect(find_row(inbox, row)).to_have_count(0)
    unblock_button(ben).click()
    expect(find_row(inbox, row)).to_be_visible()
    expect(find_row(blocked, row)).to_have_count(0)


# What is reported of typing only because time passes is never reported.
_WITHOUT_LONG_TIMERS = """() => {
  for (const name of ["setTimeout", "setInterval"]) {
    const set = window[name];
    window[name] = (deed, ms, ...rest) => (ms >= 5_000 ? 0 : set(deed, ms, ...rest));
  }
}"""


def test_the_view_of_blocked_contacts_is_no_search_for_that_word(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Win a prize", sender=number)
    ben = open_page("ben", server.thread_path(number))
    wait_until_live(ben)
    choose_thread_option(ben, "Block")
    expect(unblock_button(ben)).to_be_visible()
    for path in ("/?only=blocked", f"{server.inbox_path()}?only=blocked"):
        ben.goto(server.url + path)
        wait_until_live(ben)
        # Anything that the page asks for by itself has been asked for now.
        ben.wait_for_load_state("networkidle")
        assert ben.url.endswith(path)
        expect(find_row(ben, format_number(number))).to_be_visible()


def test_nobody_goes_on_typing_in_a_conversation_that_was_blocked(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Win a prize", sender=number)
    path = server.thread_path(number)
    ana, ben = open_page("ana", path), open_page("ben", path)
    ben.add_init_script(f"({_WITHOUT_LONG_TIMERS})()")
    ben.reload()
    for page in (ana, ben):
        wait_until_live(page)
    message_box(ben).press_sequentially("I was about to")
    writer = ana.get_by_role("status", name="Viewing now").locator(".person")
    expect(writer).to_have_class(re.compile(r"\breplying is-typing\b"))
    choose_thread_option(ana, "Block")
    ana.get_by_role("navigation", name="Views").get_by_role("link", name="Blocked").click()
    row = find_row(ana, format_number(number))
    expect(row).to_contain_text("Someone is here")
    expect(row).not_to_contain_text("Someone is replying")
