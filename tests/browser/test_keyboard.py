"""All by keyboard: single keys, steps through lists, the way back; none of it while writing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.house import House, box, bubble, fresh, history, row, shown, stranger
from tests.browser.people import At

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    Sit = Callable[..., Page]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def rows(page: Page) -> Locator:
    return page.locator(".rows .row-link")


def shortcuts(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def open_some_thread(sit: Sit, house: House) -> At:
    number = stranger()
    house.text_in("Do you open on Sunday?", sender=number)
    return At(sit("ana", house.thread(number)))


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("ArrowDown", "ArrowUp")])
def test_keys_walk_through_the_open_list_and_stop_at_its_ends(
    sit: Sit, house: House, down: str, up: str
) -> None:
    page = sit("ana", house.inbox())
    press(page, down)
    expect(rows(page).nth(0)).to_be_focused()
    press(page, up)
    expect(rows(page).nth(0)).to_be_focused()
    press(page, down, down)
    expect(rows(page).nth(2)).to_be_focused()
    press(page, up)
    expect(rows(page).nth(1)).to_be_focused()
    press(page, "Tab")
    expect(rows(page).nth(2)).to_be_focused()


def test_the_first_step_starts_at_the_thread_that_is_open(sit: Sit, house: House) -> None:
    house.lift("+12025550142")
    at = open_some_thread(sit, house)
    row(at.page, shown("+12025550142")).get_by_role("link").click()
    expect(at.page.get_by_role("heading", level=1, name=shown("+12025550142"))).to_be_visible()
    at.history.focus()
    press(at.page, "k")
    number = shown("+12025550142")
    position = rows(at.page).evaluate_all(
        "(all, number) => all.findIndex(one => one.textContent.includes(number))", number
    )
    expect(rows(at.page).nth(position - 1)).to_be_focused()


def test_the_main_job_is_done_without_a_mouse(sit: Sit, house: House) -> None:
    number, body = stranger(), fresh("Yes, until noon")
    house.text_in("Do you open on Sunday?", sender=number)
    page = sit("ana")
    page.keyboard.press("j")
    expect(rows(page).nth(0)).to_be_focused()
    row(page, "Front Desk").get_by_role("link").focus()
    press(page, "Enter")
    page.get_by_role("list", name="Threads").wait_for()
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()
    press(page, "j")
    expect(row(page, shown(number)).get_by_role("link")).to_be_focused()
    press(page, "Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type(body)
    press(page, "Enter")
    bubble(page, body).get_by_text("Delivered").wait_for()
    press(page, "Escape")
    expect(history(page)).to_be_focused()
    press(page, "Escape")
    expect(row(page, shown(number)).get_by_role("link")).to_be_focused()
    expect(history(page)).to_have_count(0)
    expect(page).to_have_url(house.url + house.inbox())
    press(page, "Escape")
    page.get_by_role("list", name="Conversations").wait_for()
    expect(page).to_have_url(house.url + "/")
    press(page, "Escape")
    expect(page.get_by_role("list", name="Conversations")).to_be_visible()


def test_i_switches_to_internal_r_goes_to_the_box_and_escape_leaves_a_list(
    sit: Sit, house: House
) -> None:
    at = open_some_thread(sit, house)
    at.history.focus()
    press(at.page, "i")
    at.is_internal(yes=True)
    expect(at.history).to_be_focused()
    press(at.page, "i")
    at.is_internal(yes=False)
    press(at.page, "r")
    expect(at.box).to_be_focused()
    expect(at.box).to_have_value("")
    press(at.page, "Escape", "j", "Escape")
    at.page.get_by_role("list", name="Conversations").wait_for()


def test_slash_searches_and_n_starts_a_conversation(sit: Sit, house: House) -> None:
    page = sit("ana", house.inbox())
    press(page, "/")
    field = page.get_by_role("searchbox", name="Search last messages")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.type("n/")
    expect(field).to_have_value("n/")
    press(page, "Escape")
    expect(field).to_have_value("")
    press(page, "Escape")
    expect(page.get_by_role("heading", name="Front Desk")).to_be_focused()
    press(page, "n")
    to = page.get_by_role("textbox", name="To", exact=True)
    expect(to).to_be_focused()
    page.keyboard.type("jn/?")
    expect(to).to_have_value("jn/?")
    press(page, "Escape")
    expect(page.get_by_role("heading", name="Start a conversation")).to_be_focused()
    press(page, "Escape")
    page.get_by_text("Nothing is open").wait_for()
    expect(page).to_have_url(house.url + house.inbox())


def test_no_key_fires_while_somebody_writes_or_composes_a_letter(sit: Sit, house: House) -> None:
    at = open_some_thread(sit, house)
    at.box.focus()
    at.page.keyboard.type("jkin/?r")
    expect(at.box).to_have_value("jkin/?r")
    expect(at.box).to_be_focused()
    expect(shortcuts(at.page)).to_be_hidden()
    at.is_internal(yes=False)
    at.box.fill("")
    compose = """key => document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", { key, isComposing: true, bubbles: true, cancelable: true }))"""
    at.page.evaluate(compose, "Escape")
    expect(at.box).to_be_focused()
    at.history.focus()
    at.page.evaluate(compose, "i")
    at.is_internal(yes=False)


def test_no_key_fires_with_another_one_held(sit: Sit, house: House) -> None:
    page = sit("ana", house.inbox())
    title = page.get_by_role("heading", name="Front Desk")
    title.focus()
    press(page, "Control+j", "Alt+j", "Meta+j", "Shift+J", "Shift+ArrowDown", "Shift+Escape")
    expect(title).to_be_focused()
    press(page, "j")
    expect(rows(page).nth(0)).to_be_focused()


def test_an_open_menu_keeps_its_keys_and_escape_only_closes_it(sit: Sit, house: House) -> None:
    at = open_some_thread(sit, house)
    button = at.page.get_by_role("button", name="Thread options")
    button.focus()
    press(at.page, "Enter")
    menu = at.page.get_by_role("menu", name="Thread options")
    expect(menu).to_be_visible()
    press(at.page, "j", "i", "?")
    expect(menu).to_be_visible()
    expect(shortcuts(at.page)).to_be_hidden()
    at.is_internal(yes=False)
    press(at.page, "Escape")
    expect(menu).to_be_hidden()
    expect(at.history).to_be_visible()
    at.box.focus()
    at.page.keyboard.type("@b")
    expect(at.menu).to_be_visible()
    press(at.page, "Escape")
    expect(at.menu).to_be_hidden()
    expect(at.box).to_be_focused()
    press(at.page, "Escape")
    expect(at.history).to_be_focused()
    at.box.fill("")


def test_a_question_mark_lists_the_keys_and_gives_the_focus_back(sit: Sit, house: House) -> None:
    page = sit("ana", house.inbox())
    press(page, "j", "j", "?")
    expect(shortcuts(page)).to_be_visible()
    for words in ("Next in the list", "Start a conversation", "This list"):
        expect(shortcuts(page).get_by_text(words)).to_be_visible()
    assert Axe().run(page).violations_count == 0
    press(page, "j")
    press(page, "Escape")
    expect(shortcuts(page)).to_be_hidden()
    expect(rows(page).nth(1)).to_be_focused()
    button = page.get_by_role("button", name="Keyboard shortcuts")
    button.click()
    shortcuts(page).get_by_role("button", name="Close").click()
    expect(button).to_be_focused()


def test_single_keys_can_be_switched_off_for_those_who_speak_to_their_browser(
    sit: Sit, house: House
) -> None:
    page = sit("ana", house.inbox())
    press(page, "?")
    shortcuts(page).get_by_role("checkbox").uncheck()
    press(page, "Escape")
    page.reload()
    press(page, "?", "j")
    expect(shortcuts(page)).to_be_hidden()
    expect(page.locator(".row-link:focus")).to_have_count(0)
    press(page, "ArrowDown")
    expect(rows(page).nth(0)).to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    shortcuts(page).get_by_role("checkbox").check()
    press(page, "Escape", "j", "j")
    expect(rows(page).nth(1)).to_be_focused()
