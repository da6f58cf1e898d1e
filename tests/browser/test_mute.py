"""Mute, as the article tells of it, in three browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_notifications import (
    People,
    count,
    open_thread,
    people,
    popups,
    read_all,
    wait_for_count,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["people"]

pytestmark = pytest.mark.browser

NARROW = {"width": 390, "height": 780}


def options(page: Page) -> None:
    page.get_by_role("button", name="Thread options").click()


def mute(page: Page) -> None:
    options(page)
    page.get_by_role("menuitem", name="Mute", exact=True).click()
    expect(page.locator("[data-mute] [data-word]")).to_have_text("Unmute")


def unmute(page: Page) -> None:
    options(page)
    page.get_by_role("menuitem", name="Unmute").click()
    expect(page.locator("[data-mute] [data-word]")).to_have_text("Mute")


def row(page: Page, number: str = "0177") -> object:
    return page.get_by_role("list", name="Threads").get_by_role("link", name=number)


def test_a_muted_thread_notifies_me_no_more_but_a_mention_does(people: People) -> None:
    ana, ben, cho = (people.sign_in(name) for name in ("ana", "ben", "cho"))
    for page in (ana, cho):
        read_all(page)
    open_thread(ana)
    mute(ana)
    ana.get_by_role("link", name="Back to messages").click()
    people.text("Nobody but Ana is spared")
    wait_for_count(cho, 1)
    expect(ana.get_by_role("link", name="Front Desk")).to_contain_text("Nobody but Ana is spared")
    assert count(ana) == 0
    assert "Nobody but Ana is spared" not in [popup["body"] for popup in popups(ana)]
    open_thread(ben)
    box = ben.get_by_role("textbox", name="Message")
    box.fill("@ana this one is yours")
    ben.wait_for_timeout(300)
    ben.keyboard.press("Escape")
    ben.locator("#composer .send").click()
    wait_for_count(ana, 1)
    ana.wait_for_function("() => window.popups.at(-1)?.title.startsWith('Ben Okafor')")
    assert popups(ana)[-1]["title"] == "Ben Okafor mentioned you · (202) 555-0177"
    open_thread(ana)
    unmute(ana)


def test_the_mark_stands_in_my_list_on_all_my_tabs_and_in_nobody_elses(people: People) -> None:
    ana, ben = people.sign_in("ana"), people.sign_in("ben")
    tab = ana.context.new_page()
    tab.goto(f"{people.url}/")
    for page in (ana, tab, ben):
        open_thread(page)
    muted = "li:has(a[href='{}']) .muted-mark"
    path = ana.evaluate("location.pathname")
    mute(ana)
    for page in (ana, tab):
        expect(page.locator(muted.format(path))).to_have_text("Muted")
    expect(tab.locator("[data-mute] [data-word]")).to_have_text("Unmute")
    expect(ben.locator(".muted-mark")).to_have_count(0)
    expect(ben.locator("[data-mute] [data-word]")).to_have_text("Mute")
    unmute(tab)
    for page in (ana, tab):
        expect(page.locator(muted.format(path))).to_have_count(0)
    expect(ana.locator("[data-mute] [data-word]")).to_have_text("Mute")


def test_a_muted_thread_still_moves_to_the_top(people: People) -> None:
    people.text("I came first", sender="+12025550190")
    people.text("I came later", sender="+12025550191")
    ana = people.sign_in("ana")
    ana.get_by_role("link", name="Front Desk").first.click()
    ana.get_by_role("list", name="Threads").get_by_role("link", name="555-0190").click()
    mute(ana)
    first = ana.get_by_role("list", name="Threads").get_by_role("listitem").first
    people.text("Up again", sender="+12025550190")
    expect(first).to_contain_text("Up again")
    expect(first.locator(".muted-mark")).to_have_count(1)


def test_the_menu_goes_by_keys(people: People) -> None:
    page = people.sign_in("cho")
    open_thread(page)
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
    expect(page.locator("[data-mute] [data-word]")).to_have_text("Unmute")
    unmute(page)


def test_mute_is_there_in_the_narrow_layout(people: People) -> None:
    page = people.sign_in("cho", viewport=NARROW, has_touch=True)
    open_thread(page)
    options(page)
    item = page.get_by_role("menuitem", name="Mute", exact=True)
    box = item.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= NARROW["width"]
    item.click()
    expect(page.locator("[data-mute] [data-word]")).to_have_text("Unmute")
    unmute(page)
