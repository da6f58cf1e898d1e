"""Everything works by keyboard: single keys, steps through lists, the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    InputMethod,
    OpenPage,
    ThreadPage,
    find_message,
    find_row,
    find_violations,
    format_number,
    history,
    make_unique,
    message_box,
    new_number,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def press_keys(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def row_links(page: Page) -> Locator:
    return page.locator(".rows .row-link")


def shortcuts_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def open_some_thread(open_page: OpenPage, server: Server) -> ThreadPage:
    number = new_number()
    server.receive_text("Do you open on Sunday?", sender=number)
    return ThreadPage(open_page("ana", server.thread_path(number)))


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("ArrowDown", "ArrowUp")])
def test_keys_walk_through_the_open_list_and_stop_at_its_ends(
    open_page: OpenPage, server: Server, down: str, up: str
) -> None:
    page = open_page("ana", server.inbox_path())
    press_keys(page, down)
    expect(row_links(page).nth(0)).to_be_focused()
    press_keys(page, up)
    expect(row_links(page).nth(0)).to_be_focused()
    press_keys(page, down, down)
    expect(row_links(page).nth(2)).to_be_focused()
    press_keys(page, up)
    expect(row_links(page).nth(1)).to_be_focused()
    press_keys(page, "Tab", "Tab")  # over the checkbox of the next row
    expect(row_links(page).nth(2)).to_be_focused()


def test_the_first_step_starts_at_the_thread_that_is_open(
    open_page: OpenPage, server: Server
) -> None:
    server.raise_thread("+12025550142")
    at = open_some_thread(open_page, server)
    find_row(at.page, format_number("+12025550142")).get_by_role("link").click()
    expect(
        at.page.get_by_role("heading", level=1, name=format_number("+12025550142"))
    ).to_be_visible()
    at.history.focus()
    press_keys(at.page, "k")
    number = format_number("+12025550142")
    position = row_links(at.page).evaluate_all(
        "(all, number) => all.findIndex(one => one.textContent.includes(number))", number
    )
    expect(row_links(at.page).nth(position - 1)).to_be_focused()


def test_the_main_job_is_done_without_a_mouse(open_page: OpenPage, server: Server) -> None:
    number, body = new_number(), make_unique("Yes, until noon")
    server.receive_text("Do you open on Sunday?", sender=number)
    page = open_page("ana")
    page.keyboard.press("j")
    expect(row_links(page).nth(0)).to_be_focused()
    find_row(page, "Front Desk").get_by_role("link").focus()
    press_keys(page, "Enter")
    page.get_by_role("list", name="Threads").wait_for()
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()
    press_keys(page, "j")
    expect(find_row(page, format_number(number)).get_by_role("link")).to_be_focused()
    press_keys(page, "Enter")
    expect(message_box(page)).to_be_focused()
    page.keyboard.type(body)
    press_keys(page, "Enter")
    find_message(page, body).get_by_text("Delivered").wait_for()
    press_keys(page, "Escape")
    expect(history(page)).to_be_focused()
    press_keys(page, "Escape")
    expect(find_row(page, format_number(number)).get_by_role("link")).to_be_focused()
    expect(history(page)).to_have_count(0)
    expect(page).to_have_url(server.url + server.inbox_path())
    press_keys(page, "Escape")
    page.get_by_role("list", name="Conversations").wait_for()
    expect(page).to_have_url(server.url + "/")
    press_keys(page, "Escape")
    expect(page.get_by_role("list", name="Conversations")).to_be_visible()


def test_i_switches_to_internal_r_goes_to_the_box_and_escape_leaves_a_list(
    open_page: OpenPage, server: Server
) -> None:
    at = open_some_thread(open_page, server)
    at.history.focus()
    press_keys(at.page, "i")
    at.expect_internal(yes=True)
    expect(at.history).to_be_focused()
    press_keys(at.page, "i")
    at.expect_internal(yes=False)
    press_keys(at.page, "r")
    expect(at.box).to_be_focused()
    expect(at.box).to_have_value("")
    press_keys(at.page, "Escape", "j", "Escape")
    at.page.get_by_role("list", name="Conversations").wait_for()


def test_slash_searches_and_n_starts_a_conversation(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana", server.inbox_path())
    press_keys(page, "/")
    field = page.get_by_role("searchbox", name="Search last messages")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.type("n/")
    expect(field).to_have_value("n/")
    press_keys(page, "Escape")
    expect(field).to_have_value("")
    press_keys(page, "Escape")
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()
    press_keys(page, "n")
    to = page.get_by_role("textbox", name="To", exact=True)
    expect(to).to_be_focused()
    page.keyboard.type("jn/?")
    expect(to).to_have_value("jn/?")
    press_keys(page, "Escape")
    expect(page.get_by_role("heading", name="Start a conversation")).to_be_focused()
    press_keys(page, "Escape")
    page.get_by_text("Nothing selected").wait_for()
    expect(page).to_have_url(server.url + server.inbox_path())


def test_no_key_fires_while_somebody_writes_or_composes_a_letter(
    open_page: OpenPage, server: Server
) -> None:
    at = open_some_thread(open_page, server)
    at.box.focus()
    at.page.keyboard.type("jkin/?r")
    expect(at.box).to_have_value("jkin/?r")
    expect(at.box).to_be_focused()
    expect(shortcuts_dialog(at.page)).to_be_hidden()
    at.expect_internal(yes=False)
    at.box.fill("")
    method = InputMethod(at.page)
    method.compose("に")
    for key in ("Escape", "j", "i", "?", "/"):
        method.press(key)
        expect(at.box).to_be_focused()
    expect(shortcuts_dialog(at.page)).to_be_hidden()
    at.expect_internal(yes=False)
    method.commit("日")
    expect(at.box).to_have_value("日")
    at.page.keyboard.press("Escape")
    expect(at.history).to_be_focused()
    at.page.keyboard.press("i")
    at.expect_internal(yes=True)


def test_no_key_fires_with_another_one_held(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana", server.inbox_path())
    title = page.get_by_role("heading", name="Front Desk")
    title.focus()
    press_keys(page, "Control+j", "Alt+j", "Meta+j", "Shift+J", "Shift+ArrowDown", "Shift+Escape")
    expect(title).to_be_focused()
    press_keys(page, "j")
    expect(row_links(page).nth(0)).to_be_focused()


def test_an_open_menu_keeps_its_keys_and_escape_only_closes_it(
    open_page: OpenPage, server: Server
) -> None:
    at = open_some_thread(open_page, server)
    button = at.page.get_by_role("button", name="Thread options")
    button.focus()
    press_keys(at.page, "Enter")
    menu = at.page.get_by_role("menu", name="Thread options")
    expect(menu).to_be_visible()
    press_keys(at.page, "j", "i", "?")
    expect(menu).to_be_visible()
    expect(shortcuts_dialog(at.page)).to_be_hidden()
    at.expect_internal(yes=False)
    press_keys(at.page, "Escape")
    expect(menu).to_be_hidden()
    expect(at.history).to_be_visible()
    at.box.focus()
    at.page.keyboard.type("@b")
    expect(at.menu).to_be_visible()
    press_keys(at.page, "Escape")
    expect(at.menu).to_be_hidden()
    expect(at.box).to_be_focused()
    press_keys(at.page, "Escape")
    expect(at.history).to_be_focused()
    at.box.fill("")


def test_a_question_mark_lists_the_keys_and_gives_the_focus_back(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.inbox_path())
    press_keys(page, "j", "j", "?")
    expect(shortcuts_dialog(page)).to_be_visible()
    for words in ("Next in the list", "Start a conversation", "Show keyboard shortcuts"):
        expect(shortcuts_dialog(page).get_by_text(words)).to_be_visible()
    assert find_violations(page) == []
    press_keys(page, "j")
    press_keys(page, "Escape")
    expect(shortcuts_dialog(page)).to_be_hidden()
    expect(row_links(page).nth(1)).to_be_focused()
    button = page.get_by_role("button", name="Keyboard shortcuts")
    button.click()
    shortcuts_dialog(page).get_by_role("button", name="Close").click()
    expect(button).to_be_focused()


def test_single_keys_can_be_switched_off_for_those_who_speak_to_their_browser(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.inbox_path())
    press_keys(page, "?")
    shortcuts_dialog(page).get_by_role("checkbox").uncheck()
    press_keys(page, "Escape")
    page.reload()
    press_keys(page, "?", "j")
    expect(shortcuts_dialog(page)).to_be_hidden()
    expect(page.locator(".row-link:focus")).to_have_count(0)
    press_keys(page, "ArrowDown")
    expect(row_links(page).nth(0)).to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    shortcuts_dialog(page).get_by_role("checkbox").check()
    press_keys(page, "Escape", "j", "j")
    expect(row_links(page).nth(1)).to_be_focused()
