"""A name and a note given in one browser stand at once in the other."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    find_row,
    format_number,
    make_unique,
    message_box,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server


def test_what_one_notes_stands_on_the_pages_of_all(open_page: OpenPage, server: Server) -> None:
    number, name = new_number(), make_unique("Lena Vogt")
    server.receive_text("Hello?", sender=number)
    ana, ben = (open_page(who, server.thread_path(number)) for who in ("ana", "ben"))
    wait_until_live(ben)
    message_box(ben).press_sequentially("Half a word")
    ana.get_by_role("button", name="Thread options").click()
    ana.get_by_role("menuitem", name="Edit contact").click()
    expect(ana.get_by_role("textbox", name="Name")).to_be_focused()
    ana.keyboard.type(name)
    ana.get_by_role("textbox", name="Note").fill("Third floor. Likes to be called.")
    ana.get_by_role("button", name="Save", exact=True).click()
    expect(message_box(ana)).to_be_focused()
    for page in (ana, ben):
        title = page.locator(".thread .bar-title")
        expect(title).to_contain_text(name)
        expect(title).to_contain_text("Third floor. Likes to be called.")
        expect(title.get_by_role("heading")).to_have_text(format_number(number))
        expect(find_row(page, format_number(number))).to_contain_text(name)
    expect(message_box(ben)).to_have_value("Half a word")
    expect(message_box(ben)).to_be_focused()


def test_a_conversation_is_left_for_the_form_and_found_again(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    page = open_page("ana", server.thread_path(number))
    page.get_by_role("link", name="Add name").click()
    page.get_by_role("link", name="Cancel").click()
    expect(message_box(page)).to_be_visible()
    assert page.url.endswith(server.thread_path(number))
