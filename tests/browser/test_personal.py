"""A personal line offers what makes sense for one person, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
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


LINE = "+12025550112"


def open_menu(page: Page) -> Locator:
    page.get_by_role("button", name="Thread options").click()
    return page.get_by_role("menu", name="Thread options")


@pytest.fixture
def number(server: Server) -> str:
    """Return the number of a contact who wrote to Ana's own line."""
    theirs = new_number()
    server.receive_text("Only for Ana", sender=theirs, to=LINE)
    return theirs


def test_no_eye_no_mentions_no_presence(open_page: OpenPage, server: Server, number: str) -> None:
    ana = open_page("ana", server.thread_path(number, LINE))
    wait_until_live(ana)
    expect(message_box(ana)).to_be_visible()
    expect(ana.get_by_role("button", name="Internal message")).to_have_count(0)
    expect(ana.locator("#message-scope .to-team")).to_be_hidden()
    message_box(ana).press_sequentially("@b")
    ana.keyboard.press("Control+I")
    expect(ana.get_by_role("listbox", name="Mention someone")).to_have_count(0)
    expect(ana.get_by_role("button", name="Send", exact=True)).to_be_visible()
    second = open_page("ana", server.thread_path(number, LINE))
    wait_until_live(second)
    expect(ana.get_by_role("status", name="Viewing now")).to_have_text("")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_mute_priority_and_delete_work_there(
    open_page: OpenPage, server: Server, number: str, size: dict[str, int]
) -> None:
    page = open_page("ana", server.thread_path(number, LINE), viewport=size)
    wait_until_live(page)
    shown_menu = open_menu(page)
    for word in ("Mute", "Urgent", "High", "Medium", "Low", "Delete"):
        item = shown_menu.locator("[role^=menuitem]").filter(has_text=re.compile(f"^\\s*{word}"))
        expect(item.first).to_be_visible()
    expect(shown_menu.get_by_text("No priority")).to_be_visible(visible=size is NARROW)
    shown_menu.get_by_text("High").click()
    expect(page.locator(".thread h1")).to_contain_text("High")
    shown_menu = open_menu(page)
    shown_menu.get_by_text("Delete").click()
    page.goto(server.url)
    expect(find_row(page, "Front Desk")).to_be_visible()
    expect(find_row(page, format_number(number))).to_have_count(0)
    server.receive_text("I am back", sender=number, to=LINE)
    expect(find_row(page, format_number(number))).to_contain_text("I am back")


def test_it_notifies_its_owner_alone(open_page: OpenPage, server: Server) -> None:
    theirs, body = new_number(), make_unique("Between us")
    server.receive_text(body, sender=theirs, to=LINE)
    told = server.query(
        "SELECT a.username FROM messaging_notification n"
        " JOIN inboxes_agent a ON a.id = n.agent_id"
        " JOIN messaging_message m ON m.id = n.message_id WHERE m.body = %s",
        body,
    )
    assert told == [("ana",)]
    ben = open_page("ben")
    expect(find_row(ben, "Front Desk")).to_be_visible()
    expect(find_row(ben, format_number(theirs))).to_have_count(0)


def test_a_name_and_a_note_are_its_owners(
    open_page: OpenPage, server: Server, number: str
) -> None:
    page = open_page("ana", server.thread_path(number, LINE))
    page.get_by_role("link", name="Add name").click()
    expect(page.get_by_text("Only you can see this.")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("Aunt Rosa")
    page.get_by_role("button", name="Save").click()
    expect(find_row(page, format_number(number))).to_contain_text("Aunt Rosa")
    send_text(page, make_unique("Hello aunt"))


def test_when_the_number_moves_the_old_thread_is_read_and_refuses(
    open_page: OpenPage, server: Server, number: str
) -> None:
    page = open_page("ana", server.thread_path(number, LINE))
    thread = server.thread_path(number, LINE)
    line = server.query("SELECT inbox_id FROM messaging_number WHERE address = %s", LINE)[0][0]
    server.query("INSERT INTO inboxes_inbox (name, seq, created_at, last_kind, last_excerpt)"
              " VALUES ('Elsewhere', 0, now(), '', '')")  # fmt: skip
    move = (
        "UPDATE messaging_number SET inbox_id = (SELECT id FROM inboxes_inbox"
        " WHERE name = 'Elsewhere') WHERE address = %s"
    )
    server.query(move, LINE)
    try:
        page.goto(server.url + thread)
        expect(page.get_by_text("no longer belongs to this inbox")).to_be_visible()
        expect(find_message(page, "Only for Ana")).to_be_visible()
        expect(message_box(page)).to_have_count(0)
        page.goto(f"{server.url}/start/")
        expect(page.get_by_role("combobox", name="From").locator("option")).to_have_text(
            ["Choose an inbox", "Dispatch", "Front Desk"]
        )
    finally:
        server.query("UPDATE messaging_number SET inbox_id = %s WHERE address = %s", line, LINE)
        server.query("DELETE FROM inboxes_inbox WHERE name = 'Elsewhere'")
    page.goto(server.url + thread)
    expect(message_box(page)).to_be_visible()
