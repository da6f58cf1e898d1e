"""Deleting a thread hides it for one agent until something new comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    find_message,
    find_row,
    format_number,
    make_unique,
    message_box,
    new_number,
    send_text,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def delete_thread(page: Page) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Delete").click()


def undo_button(page: Page) -> Locator:
    return page.get_by_role("status").get_by_role("button", name="Undo")


def test_all_users_can_delete_threads(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Anybody may delete this", sender=number)
    for who in ("ana", "ben", "cho"):
        page = open_page(who, server.thread_path(number))
        wait_until_live(page)
        delete_thread(page)
        expect(undo_button(page)).to_be_visible()
        expect(find_row(page, format_number(number))).to_have_count(0)
        page.wait_for_url(server.url + server.inbox_path())


def test_it_is_hidden_for_the_user_in_the_thread_list_and_the_others_keep_it(
    open_page: OpenPage, server: Server
) -> None:
    number, words = new_number(), make_unique("For one of us")
    server.receive_text(words, sender=number)
    page, tab, ben = (
        open_page("ana", server.thread_path(number)),
        open_page("ana", server.inbox_path()),
        open_page("ben", server.inbox_path()),
    )
    for one in (page, tab, ben):
        wait_until_live(one)
        expect(find_row(one, format_number(number))).to_be_visible()
    delete_thread(page)
    for one in (page, tab):
        expect(find_row(one, format_number(number))).to_have_count(0)
    expect(find_row(ben, format_number(number))).to_be_visible()
    page.reload()
    expect(page.get_by_role("list", name="Threads").get_by_role("listitem").first).to_be_visible()
    expect(find_row(page, format_number(number))).to_have_count(0)


def test_a_future_message_puts_it_back_in_the_list_with_the_full_history(
    open_page: OpenPage, server: Server
) -> None:
    number, first, later = new_number(), make_unique("The first"), make_unique("Much later")
    server.receive_text(first, sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    delete_thread(page)
    expect(find_row(page, format_number(number))).to_have_count(0)
    server.receive_text(later, sender=number)
    top = page.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(top).to_contain_text(format_number(number))
    find_row(page, format_number(number)).get_by_role("link").click()
    expect(find_message(page, first)).to_be_visible()
    expect(find_message(page, later)).to_be_visible()


def test_a_message_of_a_colleague_to_that_number_puts_it_back_too(
    open_page: OpenPage, server: Server
) -> None:
    number, words = new_number(), make_unique("From a colleague")
    server.receive_text("A question", sender=number)
    ana, ben = (
        open_page("ana", server.thread_path(number)),
        open_page("ben", server.thread_path(number)),
    )
    for page in (ana, ben):
        wait_until_live(page)
    delete_thread(ana)
    expect(find_row(ana, format_number(number))).to_have_count(0)
    send_text(ben, words)
    expect(find_row(ana, format_number(number))).to_contain_text(f"Ben: {words}")


def test_undo_brings_the_row_back_in_its_place(open_page: OpenPage, server: Server) -> None:
    older, number, newer = new_number(), new_number(), new_number()
    for sender in (older, number, newer):
        server.receive_text("One of three", sender=sender)
    page = open_page("cho", server.thread_path(number))
    wait_until_live(page)
    delete_thread(page)
    expect(find_row(page, format_number(number))).to_have_count(0)
    undo_button(page).click()
    rows = page.get_by_role("list", name="Threads").get_by_role("listitem")
    for index, sender in enumerate((newer, number, older)):
        expect(rows.nth(index)).to_contain_text(format_number(sender))
    expect(undo_button(page)).to_be_hidden()


def test_deleting_and_undoing_by_keys_alone(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("By keys", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    page.get_by_role("button", name="Thread options").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(undo_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(find_row(page, format_number(number))).to_be_visible()
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()


def test_another_tab_with_the_thread_goes_back_to_the_list(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("In two tabs", sender=number)
    page, phone = (
        open_page("ana", server.thread_path(number)),
        open_page("ana", server.thread_path(number), viewport=NARROW, has_touch=True),
    )
    for one in (page, phone):
        wait_until_live(one)
    delete_thread(page)
    expect(phone.get_by_role("list", name="Threads")).to_be_visible()
    expect(phone.get_by_role("log", name="History")).to_have_count(0)
    expect(undo_button(phone)).to_have_count(0)
    again = open_page("ana", server.thread_path(number))
    wait_until_live(again)
    with again.expect_response("**/draft/"):
        message_box(again).fill("It opens by its address")
    expect(find_message(again, "In two tabs")).to_be_visible()


def test_a_text_that_came_unseen_keeps_it(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Seen", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    server.cable.cut()
    server.receive_text("Not seen", sender=number)
    server.cable.restore()
    page.evaluate("document.querySelector('[data-delete]').click()")
    page.get_by_text("A new text just arrived").wait_for()
    expect(find_message(page, "Not seen")).to_be_visible()


def test_without_scripts(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("No scripts", sender=number)
    page = open_page("ana", server.thread_path(number), java_script_enabled=False)
    delete_thread(page)
    expect(find_row(page, format_number(number))).to_have_count(0)
    undo_button(page).click()
    expect(find_row(page, format_number(number))).to_be_visible()
