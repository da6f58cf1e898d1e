"""A muted thread notifies its agent no more, in three browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import (
    FIRST_TEXT,
    NARROW,
    OpenBrowser,
    OpenPage,
    ThreadPage,
    choose_thread_option,
    count_unread,
    expect_popups,
    expect_unread,
    find_row,
    format_number,
    mark_all_read,
    new_number,
    open_first_inbox,
    open_thread,
    record_popups,
    thread_list,
    wait_until_live,
)
from tests.browser.server import Server


@pytest.fixture
def number(server: Server) -> str:
    """Return the number of a contact who wrote once."""
    number = new_number()
    server.receive_text(FIRST_TEXT, sender=number)
    return number


def mute_word(page: Page) -> Locator:
    """Find the word of the menu that mutes or unmutes."""
    return page.locator("[data-mute] [data-word]")


def mute_thread(page: Page) -> None:
    choose_thread_option(page, "Mute")
    expect(mute_word(page)).to_have_text("Unmute")


def unmute_thread(page: Page) -> None:
    choose_thread_option(page, "Unmute")
    expect(mute_word(page)).to_have_text("Mute")


def test_a_muted_thread_notifies_me_no_more_but_a_mention_does(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server, number: str
) -> None:
    server.mark_all_read()
    ana = record_popups(open_browser("ana").new_page())
    ana.goto(server.url)
    cho = open_page("cho")
    for page in (ana, cho):
        wait_until_live(page)
        mark_all_read(page)
    open_first_inbox(ana)
    open_thread(ana, format_number(number))
    mute_thread(ana)
    ana.get_by_role("link", name="Back to messages").click()
    server.receive_text("Nobody but Ana is spared", sender=number)
    expect_unread(cho, 1)
    expect(find_row(ana, "Front Desk")).to_contain_text("Nobody but Ana is spared")
    assert count_unread(ana) == 0
    ben = ThreadPage(open_page("ben", server.thread_path(number)))
    ben.box.fill("@ana this one is yours")
    ben.expect_internal(yes=True)
    ben.add_internal()
    expect_unread(ana, 1)
    expect_popups(ana, "@ana this one is yours", about=number)
    title = f"Ben Okafor mentioned you · {format_number(number)}"
    assert ana.evaluate("window.popups[0].title") == title


def test_the_mark_stands_in_my_list_on_all_my_tabs_and_in_nobody_elses(
    open_page: OpenPage, server: Server, number: str
) -> None:
    path = server.thread_path(number)
    ana, ben = open_page("ana", path), open_page("ben", path)
    tab = ana.context.new_page()
    tab.goto(server.url + path)
    for page in (ana, tab, ben):
        wait_until_live(page)
    muted = f"li:has(a[href='{path}']) .muted-mark"
    mute_thread(ana)
    for page in (ana, tab):
        expect(page.locator(muted)).to_have_text("Muted")
    expect(mute_word(tab)).to_have_text("Unmute")
    expect(ben.locator(muted)).to_have_count(0)
    expect(mute_word(ben)).to_have_text("Mute")
    unmute_thread(tab)
    for page in (ana, tab):
        expect(page.locator(muted)).to_have_count(0)
    expect(mute_word(ana)).to_have_text("Mute")


def test_a_muted_thread_still_moves_to_the_top(
    open_page: OpenPage, server: Server, number: str
) -> None:
    server.receive_text("I came later", sender=new_number())
    ana = open_page("ana", server.thread_path(number))
    wait_until_live(ana)
    mute_thread(ana)
    first = thread_list(ana).get_by_role("listitem").first
    expect(first).to_contain_text("I came later")
    server.receive_text("Up again", sender=number)
    expect(first).to_contain_text("Up again")
    expect(first.locator(".muted-mark")).to_have_count(1)


def test_the_menu_goes_by_keys(open_page: OpenPage, server: Server, number: str) -> None:
    page = open_page("cho", server.thread_path(number))
    wait_until_live(page)
    button = page.get_by_role("button", name="Thread options")
    item = page.get_by_role("menuitem").first
    for key in ("Enter", "Space", "ArrowDown"):
        button.focus()
        page.keyboard.press(key)
        expect(item).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Home")
        expect(item).to_be_focused()
        page.keyboard.press("Escape")
        expect(button).to_be_focused()
        expect(item).to_be_hidden()
        expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(item).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(mute_word(page)).to_have_text("Unmute")
    unmute_thread(page)


def test_mute_is_there_in_the_narrow_layout(
    open_page: OpenPage, server: Server, number: str
) -> None:
    page = open_page("cho", server.thread_path(number), viewport=NARROW, has_touch=True)
    wait_until_live(page)
    page.get_by_role("button", name="Thread options").click()
    item = page.get_by_role("menuitem", name="Mute", exact=True)
    box = item.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= NARROW["width"]
    item.click()
    expect(mute_word(page)).to_have_text("Unmute")
    unmute_thread(page)
