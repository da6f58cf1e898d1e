"""A text box that opens with words in it has its caret behind them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import (
    OpenPage,
    Team,
    find_row,
    format_number,
    message_box,
    thread_list,
    wait_until_live,
)
from tests.browser.server import Server

DRAFT = "half written text"


def write_draft(page: Page, body: str = DRAFT) -> None:
    with page.expect_response("**/draft/"):
        message_box(page).fill(body)


@pytest.mark.parametrize("way", ["a reload", "the list", "going back", "a key"])
def test_who_comes_back_to_a_draft_goes_on_where_it_ends(
    open_page: OpenPage, server: Server, way: str
) -> None:
    team = Team(open_page, server, "ana")
    page = team["ana"].page
    write_draft(page)
    if way == "a reload":
        page.reload()
    else:
        page.goto(f"{server.url}{server.inbox_path()}")
        wait_until_live(page)
        thread_list(page).get_by_role("link", name=format_number(team.number)).click()
    expect(message_box(page)).to_have_value(DRAFT)
    if way == "going back":
        page.goto(f"{server.url}/start/")
        page.go_back()
    expect(message_box(page)).to_have_value(DRAFT)
    wait_until_live(page)
    if way == "a key":
        message_box(page).press("Escape")
        page.keyboard.press("r")
        expect(message_box(page)).to_be_focused()
    else:
        message_box(page).focus()
    page.keyboard.type(", and the rest")
    expect(message_box(page)).to_have_value(f"{DRAFT}, and the rest")


def test_a_draft_that_comes_from_another_tab_is_gone_on_with_at_its_end(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    here = team["ana"].page
    there = here.context.new_page()
    there.goto(server.url + team.path)
    wait_until_live(there)
    message_box(there).focus()
    write_draft(here)
    expect(message_box(there)).to_have_value(DRAFT)
    there.keyboard.type("!")
    expect(message_box(there)).to_have_value(f"{DRAFT}!")


def test_the_caret_stays_where_the_agent_put_it(open_page: OpenPage, server: Server) -> None:
    team = Team(open_page, server, "ana")
    ana = team["ana"]
    ana.box.fill("world")
    ana.box.press("Home")
    # Live messages, and a text that is refused, leave it there.
    team.receive_text("And another")
    expect(ana.find_message("And another")).to_be_visible()
    ana.page.keyboard.type("Hello ")
    expect(ana.box).to_have_value("Hello world")


def test_a_note_and_a_refused_first_text_open_with_the_caret_at_their_end(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    page = team["ana"].page
    page.goto(f"{server.url}{team.path}contact/")
    note = page.get_by_role("textbox", name="Note")
    note.fill("Second bell.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(find_row(page, format_number(team.number)).first).to_be_visible()
    page.goto(f"{server.url}{team.path}contact/")
    note.focus()
    page.keyboard.type(" Has a dog.")
    expect(note).to_have_value("Second bell. Has a dog.")
    page.goto(f"{server.url}/start/")
    page.get_by_role("textbox", name="Message").fill("Ask @ben")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Enter a phone number.")).to_be_visible()
    page.get_by_role("textbox", name="Message").focus()
    page.keyboard.type(" about it")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Ask @ben about it")


@pytest.mark.parametrize("body", ["\u200b", "\u2800 \u3164", " \n"])
def test_what_nobody_can_see_is_not_sent(open_page: OpenPage, server: Server, body: str) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    asked: list[str] = []
    ana.page.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        ana.box.fill(body)
        ana.send()
        expect(ana.page.get_by_role("alert")).to_have_text("Write something first.")
        ana.eye.click()
        ana.box.press("Enter")
        expect(ana.page.get_by_role("alert")).to_have_text("Write something first.")
        ana.eye.click()
    assert not [url for url in asked if url.endswith("/messages/")]
    expect(ana.history.get_by_role("article")).to_have_count(1)
