"""A name and a note in two browsers: given in one, read in the other at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import House, box, fresh, row, shown, stranger, wait_until_live

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Sit = Callable[..., Page]


def test_what_one_notes_stands_on_the_pages_of_all(sit: Sit, house: House) -> None:
    number, name = stranger(), fresh("Lena Vogt")
    house.text_in("Hello?", sender=number)
    ana, ben = (sit(who, house.thread(number)) for who in ("ana", "ben"))
    wait_until_live(ben)
    box(ben).press_sequentially("Half a word")
    ana.get_by_role("button", name="Thread options").click()
    ana.get_by_role("menuitem", name="Name and note").click()
    expect(ana.get_by_role("textbox", name="Name")).to_be_focused()
    ana.keyboard.type(name)
    ana.get_by_role("textbox", name="Note").fill("Third floor. Likes to be called.")
    ana.get_by_role("button", name="Save").click()
    for page in (ana, ben):
        title = page.locator(".thread .bar-title")
        expect(title).to_contain_text(name)
        expect(title).to_contain_text("Third floor. Likes to be called.")
        expect(title.get_by_role("heading")).to_have_text(shown(number))
        expect(row(page, shown(number))).to_contain_text(name)
    expect(box(ben)).to_have_value("Half a word")
    expect(box(ben)).to_be_focused()


def test_a_conversation_is_left_for_the_form_and_found_again(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Hello?", sender=number)
    page = sit("ana", house.thread(number))
    page.get_by_role("link", name="Name and note").click()
    page.get_by_role("link", name="Cancel").click()
    expect(box(page)).to_be_visible()
    assert page.url.endswith(house.thread(number))
