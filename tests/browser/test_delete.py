"""Deleting a Thread, as the article tells of it, each sentence in browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    NARROW,
    House,
    answer,
    bubble,
    fresh,
    row,
    shown,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    Sit = Callable[..., Page]


def delete(page: Page) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Delete").click()


def undo(page: Page) -> Locator:
    return page.get_by_role("status").get_by_role("button", name="Undo")


def test_all_users_can_delete_threads(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Anybody may delete this", sender=number)
    for who in ("ana", "ben", "cho"):
        page = sit(who, house.thread(number))
        wait_until_live(page)
        delete(page)
        expect(undo(page)).to_be_visible()
        expect(row(page, shown(number))).to_have_count(0)
        page.wait_for_url(house.url + house.inbox())


def test_it_is_hidden_for_the_user_in_the_thread_list_and_the_others_keep_it(
    sit: Sit, house: House
) -> None:
    number, words = stranger(), fresh("For one of us")
    house.text_in(words, sender=number)
    page, tab, ben = (
        sit("ana", house.thread(number)),
        sit("ana", house.inbox()),
        sit("ben", house.inbox()),
    )
    for one in (page, tab, ben):
        wait_until_live(one)
        expect(row(one, shown(number))).to_be_visible()
    delete(page)
    for one in (page, tab):
        expect(row(one, shown(number))).to_have_count(0)
    expect(row(ben, shown(number))).to_be_visible()
    page.reload()
    expect(page.get_by_role("list", name="Threads").get_by_role("listitem").first).to_be_visible()
    expect(row(page, shown(number))).to_have_count(0)


def test_a_future_message_puts_it_back_in_the_list_with_the_full_history(
    sit: Sit, house: House
) -> None:
    number, first, later = stranger(), fresh("The first"), fresh("Much later")
    house.text_in(first, sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    delete(page)
    expect(row(page, shown(number))).to_have_count(0)
    house.text_in(later, sender=number)
    top = page.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(top).to_contain_text(shown(number))
    row(page, shown(number)).get_by_role("link").click()
    expect(bubble(page, first)).to_be_visible()
    expect(bubble(page, later)).to_be_visible()


def test_a_message_of_a_colleague_to_that_number_puts_it_back_too(sit: Sit, house: House) -> None:
    number, words = stranger(), fresh("From a colleague")
    house.text_in("A question", sender=number)
    ana, ben = sit("ana", house.thread(number)), sit("ben", house.thread(number))
    for page in (ana, ben):
        wait_until_live(page)
    delete(ana)
    expect(row(ana, shown(number))).to_have_count(0)
    answer(ben, words)
    expect(row(ana, shown(number))).to_contain_text(f"Ben: {words}")


def test_undo_brings_the_row_back_in_its_place(sit: Sit, house: House) -> None:
    older, number, newer = stranger(), stranger(), stranger()
    for sender in (older, number, newer):
        house.text_in("One of three", sender=sender)
    page = sit("cho", house.thread(number))
    wait_until_live(page)
    delete(page)
    expect(row(page, shown(number))).to_have_count(0)
    undo(page).click()
    rows = page.get_by_role("list", name="Threads").get_by_role("listitem")
    for index, sender in enumerate((newer, number, older)):
        expect(rows.nth(index)).to_contain_text(shown(sender))
    expect(undo(page)).to_be_hidden()


def test_deleting_and_undoing_by_keys_alone(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("By keys", sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    page.get_by_role("button", name="Thread options").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(undo(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, shown(number))).to_be_visible()
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()


def test_another_tab_with_the_thread_goes_back_to_the_list(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("In two tabs", sender=number)
    page, phone = (
        sit("ana", house.thread(number)),
        sit("ana", house.thread(number), viewport=NARROW, has_touch=True),
    )
    for one in (page, phone):
        wait_until_live(one)
    delete(page)
    expect(phone.get_by_role("list", name="Threads")).to_be_visible()
    expect(phone.get_by_role("log", name="History")).to_have_count(0)
    expect(undo(phone)).to_have_count(0)
    again = sit("ana", house.thread(number))
    wait_until_live(again)
    again.get_by_role("textbox", name="Message").fill("It opens by its address")
    again.wait_for_timeout(1_500)
    expect(bubble(again, "In two tabs")).to_be_visible()


def test_a_text_that_came_unseen_keeps_it(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Seen", sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    house.line.cut()
    house.text_in("Not seen", sender=number)
    house.line.restore()
    page.evaluate("document.querySelector('[data-delete]').click()")
    page.get_by_text("Something new came in at that moment").wait_for()
    expect(bubble(page, "Not seen")).to_be_visible()


def test_without_scripts(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("No scripts", sender=number)
    page = sit("ana", house.thread(number), java_script_enabled=False)
    delete(page)
    expect(row(page, shown(number))).to_have_count(0)
    undo(page).click()
    expect(row(page, shown(number))).to_be_visible()
