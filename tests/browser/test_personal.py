"""A personal line is for one person: what makes sense for one works there, the rest is absent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.house import (
    NARROW,
    WIDE,
    House,
    answer,
    box,
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

LINE = "+12025550112"


def menu(page: Page) -> Locator:
    page.get_by_role("button", name="Thread options").click()
    return page.get_by_role("menu", name="Thread options")


@pytest.fixture
def number(house: House) -> str:
    """Somebody who wrote to Ana's own line."""
    theirs = stranger()
    house.text_in("Only for Ana", sender=theirs, to=LINE)
    return theirs


def test_no_eye_no_mentions_no_presence(sit: Sit, house: House, number: str) -> None:
    ana = sit("ana", house.thread(number, LINE))
    wait_until_live(ana)
    expect(box(ana)).to_be_visible()
    expect(ana.get_by_role("button", name="Internal message")).to_have_count(0)
    expect(ana.locator("#message-scope .to-team")).to_be_hidden()
    box(ana).press_sequentially("@b")
    ana.keyboard.press("Control+I")
    expect(ana.get_by_role("listbox", name="Mention someone")).to_have_count(0)
    expect(ana.get_by_role("button", name="Send", exact=True)).to_be_visible()
    second = sit("ana", house.thread(number, LINE))
    wait_until_live(second)
    expect(ana.get_by_role("status", name="Viewing now")).to_have_text("")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_mute_priority_and_delete_work_there(
    sit: Sit, house: House, number: str, size: dict[str, int]
) -> None:
    page = sit("ana", house.thread(number, LINE), viewport=size)
    wait_until_live(page)
    shown_menu = menu(page)
    for word in ("Mute", "Urgent", "High", "Medium", "Low", "Delete"):
        item = shown_menu.locator("[role^=menuitem]").filter(has_text=re.compile(f"^\\s*{word}"))
        expect(item.first).to_be_visible()
    expect(shown_menu.get_by_text("No priority")).to_be_visible(visible=size is NARROW)
    shown_menu.get_by_text("High").click()
    expect(page.locator(".thread h1")).to_contain_text("High")
    shown_menu = menu(page)
    shown_menu.get_by_text("Delete").click()
    page.goto(house.url)
    expect(row(page, "Front Desk")).to_be_visible()
    expect(row(page, shown(number))).to_have_count(0)
    house.text_in("I am back", sender=number, to=LINE)
    expect(row(page, shown(number))).to_contain_text("I am back")


def test_it_notifies_its_owner_alone(sit: Sit, house: House) -> None:
    theirs, body = stranger(), fresh("Between us")
    house.text_in(body, sender=theirs, to=LINE)
    told = house.sql(
        "SELECT a.username FROM messaging_notification n"
        " JOIN inboxes_agent a ON a.id = n.agent_id"
        " JOIN messaging_message m ON m.id = n.message_id WHERE m.body = %s",
        body,
    )
    assert told == [("ana",)]
    ben = sit("ben")
    expect(row(ben, "Front Desk")).to_be_visible()
    expect(row(ben, shown(theirs))).to_have_count(0)


def test_a_name_and_a_note_are_its_owners(sit: Sit, house: House, number: str) -> None:
    page = sit("ana", house.thread(number, LINE))
    page.get_by_role("link", name="Name and note").click()
    expect(page.get_by_text("Only you see the name and the note.")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("Aunt Rosa")
    page.get_by_role("button", name="Save").click()
    expect(row(page, shown(number))).to_contain_text("Aunt Rosa")
    answer(page, fresh("Hello aunt"))


def test_when_the_number_moves_the_old_thread_is_read_and_refuses(
    sit: Sit, house: House, number: str
) -> None:
    page = sit("ana", house.thread(number, LINE))
    thread = house.thread(number, LINE)
    line = house.sql("SELECT inbox_id FROM messaging_number WHERE address = %s", LINE)[0][0]
    house.sql("INSERT INTO inboxes_inbox (name, seq, created_at, last_kind, last_excerpt)"
              " VALUES ('Elsewhere', 0, now(), '', '')")  # fmt: skip
    move = (
        "UPDATE messaging_number SET inbox_id = (SELECT id FROM inboxes_inbox"
        " WHERE name = 'Elsewhere') WHERE address = %s"
    )
    house.sql(move, LINE)
    try:
        page.goto(house.url + thread)
        expect(page.get_by_text("no longer belongs to this inbox")).to_be_visible()
        expect(bubble(page, "Only for Ana")).to_be_visible()
        expect(box(page)).to_have_count(0)
        page.goto(f"{house.url}/start/")
        expect(page.get_by_role("combobox", name="From").locator("option")).to_have_text(
            ["Choose an inbox", "Dispatch", "Front Desk"]
        )
    finally:
        house.sql("UPDATE messaging_number SET inbox_id = %s WHERE address = %s", line, LINE)
        house.sql("DELETE FROM inboxes_inbox WHERE name = 'Elsewhere'")
    page.goto(house.url + thread)
    expect(box(page)).to_be_visible()
