"""Priority of threads, set and seen in several browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    expect_readable,
    find_row,
    format_number,
    make_unique,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


WORDS = ["Urgent", "High", "Medium", "Low"]


def new_thread(server: Server) -> tuple[str, str]:
    """Return the number as the pages show it, and the path."""
    number = new_number()
    server.receive_text(make_unique("A new thread"), sender=number)
    return format_number(number), server.thread_path(number)


def priority_items(page: Page) -> Locator:
    return page.get_by_role("menuitemradio")


def choose_priority(page: Page, word: str) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitemradio", name=word, exact=True).click()


def thread_title(page: Page) -> Locator:
    return page.locator("#conversation").get_by_role("heading", level=1)


def read_words(row_or_title: Locator) -> str:
    return " ".join(row_or_title.inner_text().split())


def test_newly_created_threads_have_no_priority_setting(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    page = open_page("ana", path)
    assert read_words(thread_title(page)) == number
    expect(find_row(page, number).locator(".priority")).to_have_count(0)
    page.get_by_role("button", name="Thread options").click()
    for item in priority_items(page).all():
        expect(item).to_have_attribute("aria-checked", "false")


def test_one_of_four_predefined_priorities_can_be_applied(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    page = open_page("ana", path)
    wait_until_live(page)
    page.get_by_role("button", name="Thread options").click()
    assert [read_words(item) for item in priority_items(page).all()] == WORDS
    page.keyboard.press("Escape")
    for word in WORDS:
        choose_priority(page, word)
        expect(thread_title(page)).to_have_text(f"{word} {number}")
        page.get_by_role("button", name="Thread options").click()
        checked = page.get_by_role("menuitemradio", checked=True)
        expect(checked).to_have_count(1)
        assert read_words(checked) == word
        page.keyboard.press("Escape")


def test_the_status_appears_in_front_of_the_number_in_list_and_title_for_everybody(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    ana, ben, cho = (
        open_page("ana", path),
        open_page("ben", path),
        open_page("cho", server.inbox_path()),
    )
    for page in (ana, ben, cho):
        wait_until_live(page)
    box = ben.get_by_role("textbox", name="Message")
    box.fill("Half a sentence")
    choose_priority(ana, "Urgent")
    for page in (ana, ben, cho):
        place = find_row(page, number).get_by_role("link")
        expect(place.locator(".row-who")).to_have_text(f"Urgent {number}")
    for page in (ana, ben):
        expect(thread_title(page)).to_have_text(f"Urgent {number}")
    expect(box).to_be_focused()
    expect(box).to_have_value("Half a sentence")
    ben.get_by_role("button", name="Thread options").click()
    urgent = ben.get_by_role("menuitemradio", name="Urgent")
    expect(urgent).to_have_attribute("aria-checked", "true")


def test_it_is_set_from_the_thread_options_menu_in_the_upper_right(
    open_page: OpenPage, server: Server
) -> None:
    _, path = new_thread(server)
    page = open_page("ana", path)
    place = page.get_by_role("button", name="Thread options").bounding_box()
    assert place is not None
    assert place["y"] < 80
    assert place["x"] > 1100


def test_the_desktop_does_not_allow_for_removing_priority_and_mobile_does(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    wide, narrow = open_page("ana", path), open_page("ben", path, viewport=NARROW, has_touch=True)
    for page in (wide, narrow):
        wait_until_live(page)
    choose_priority(wide, "Low")
    expect(thread_title(narrow)).to_have_text(f"Low {number}")
    wide.get_by_role("button", name="Thread options").click()
    expect(priority_items(wide)).to_have_count(4)
    expect(wide.get_by_text("No priority")).to_be_hidden()
    wide.keyboard.press("Escape")
    narrow.get_by_role("button", name="Thread options").click()
    expect(priority_items(narrow)).to_have_count(5)
    for item in priority_items(narrow).all():
        assert item.evaluate("one => one.getBoundingClientRect().height") >= 44
    narrow.get_by_role("menuitemradio", name="No priority").click()
    for page in (wide, narrow):
        expect(thread_title(page)).to_have_text(number)


def test_it_is_set_by_keys_alone(open_page: OpenPage, server: Server) -> None:
    number, path = new_thread(server)
    page = open_page("ana", path)
    wait_until_live(page)
    page.get_by_role("button", name="Thread options").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemradio", name="Medium")).to_be_focused()
    page.keyboard.press("Enter")
    expect(thread_title(page)).to_have_text(f"Medium {number}")
    expect(page.get_by_role("button", name="Thread options")).to_be_focused()


@pytest.mark.parametrize("viewport", ["wide", "narrow"])
def test_without_scripts_the_menu_sends_a_form(
    open_page: OpenPage, server: Server, viewport: str
) -> None:
    number, path = new_thread(server)
    size = {"viewport": NARROW} if viewport == "narrow" else {}
    page = open_page("ana", path, java_script_enabled=False, **size)
    choose_priority(page, "High")
    expect(thread_title(page)).to_have_text(f"High {number}")


def test_the_list_shows_only_what_was_chosen_and_follows(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    other, _ = new_thread(server)
    page, ben = open_page("ana", server.inbox_path()), open_page("ben", path)
    for one in (page, ben):
        wait_until_live(one)
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("button", name="All views").click()
    views.get_by_role("link", name="Urgent").click()
    chip = page.get_by_role("list", name="Shown only").get_by_role("link", name="Remove Urgent")
    expect(chip).to_be_visible()
    assert page.url.endswith("?only=urgent")
    wait_until_live(page)
    expect(find_row(page, number)).to_have_count(0)
    choose_priority(ben, "Urgent")
    expect(find_row(page, number)).to_be_visible()
    expect(find_row(page, other)).to_have_count(0)
    find_row(page, number).get_by_role("link").click()
    expect(thread_title(page)).to_have_text(f"Urgent {number}")
    page.go_back()
    expect(chip).to_be_visible()
    choose_priority(ben, "Low")
    expect(find_row(page, number)).to_have_count(0)
    page.go_back()
    expect(find_row(page, other)).to_be_visible()
    expect(find_row(page, number)).to_be_visible()
    page.go_forward()
    expect(find_row(page, other)).to_have_count(0)
    chip.click()
    expect(find_row(page, other)).to_be_visible()
    assert page.url.endswith("?only=all")


def test_menu_choices_and_the_line_new_are_accessible(open_page: OpenPage, server: Server) -> None:
    number, path = new_thread(server)
    page = open_page("cho", f"{path}?only=reply")
    wait_until_live(page)
    expect(page.get_by_text("New", exact=True)).to_be_visible()
    choose_priority(page, "High")
    expect(thread_title(page)).to_have_text(f"High {number}")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.get_by_role("button", name="Thread options").click()
        expect(priority_items(page).first).to_be_visible()
        expect_readable(page)
        page.keyboard.press("Escape")
