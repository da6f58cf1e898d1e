"""Undo send: a text counts down, and comes back into the box with its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.files import attach_files, attached_files, expect_shown, make_file
from tests.browser.pages import OpenPage, Team, ThreadPage, make_unique
from tests.browser.server import Server
from tests.messaging.attachments.picture_bytes import make_picture

if TYPE_CHECKING:
    from playwright.sync_api import Locator


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Iterator[Team]:
    server.query("UPDATE inboxes_agent SET undo_seconds = 10 WHERE username = 'ana'")
    yield Team(open_page, server, "ana", "ben")
    server.query("UPDATE inboxes_agent SET undo_seconds = 0 WHERE username = 'ana'")


def leaving(at: ThreadPage, words: str) -> Locator:
    return at.page.get_by_role("log", name="History").locator(".leaving").filter(has_text=words)


def leave_now(server: Server, words: str) -> None:
    server.query("UPDATE messaging_scheduledtext SET send_at = now() WHERE body = %s", words)
    server.query(
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE args->>'text_id' ="
        " (SELECT id::text FROM messaging_scheduledtext WHERE body = %s)",
        words,
    )


def test_a_text_with_a_picture_comes_back_above_what_was_typed_since(team: Team) -> None:
    ana, ben, words = team["ana"], team["ben"], make_unique("On my way")
    attach_files(ana.page, make_file("van.jpg", make_picture()))
    expect(attached_files(ana.page)).to_have_count(1)
    ana.box.fill(words)
    ana.box.press("Enter")
    bubble = leaving(ana, words)
    expect(bubble).to_contain_text(re.compile(r"Leaves in \d+ s"))
    expect_shown(bubble.locator("img"), 1)
    expect(ana.box).to_have_value("")
    expect(attached_files(ana.page)).to_have_count(0)
    expect(leaving(ben, words)).to_contain_text("Ana is sending…")
    expect(leaving(ben, words).get_by_role("button")).to_have_count(0)
    ana.box.fill("See you")
    bubble.get_by_role("button", name="Undo").click()
    expect(ana.box).to_have_value(f"{words}\nSee you")
    expect(ana.box).to_be_focused()
    expect(attached_files(ana.page)).to_have_count(1)
    for at in (ana, ben):
        expect(leaving(at, words)).to_have_count(0)
        expect(at.find_message(words)).to_have_count(0)
    ana.page.reload()
    expect(ana.box).to_have_value(f"{words}\nSee you")
    assert team.server.count_messages(words) == 0


def test_it_counts_down_without_moving_outlives_a_reload_and_leaves(team: Team) -> None:
    ana, words = team["ana"], make_unique("Be right there")
    ana.box.fill(words)
    ana.box.press("Enter")
    undo = leaving(ana, words).get_by_role("button", name="Undo")
    expect(leaving(ana, words)).to_contain_text("Leaves in 9 s")
    before = undo.bounding_box()
    expect(leaving(ana, words)).to_contain_text("Leaves in 8 s")
    assert undo.bounding_box() == before
    ana.page.reload()
    expect(leaving(ana, words)).to_contain_text(re.compile(r"Leaves in [1-9] s"))
    leave_now(team.server, words)
    for at in (ana, team["ben"]):
        expect(at.find_message(words)).to_contain_text("Delivered")
        expect(leaving(at, words)).to_have_count(0)
    assert team.server.count_messages(words) == 1


def test_ctrl_z_in_the_empty_box_takes_the_last_text_back(team: Team) -> None:
    ana, words = team["ana"], make_unique("Too soon")
    ana.box.fill(words)
    ana.box.press("Enter")
    expect(leaving(ana, words)).to_have_count(1)
    ana.box.press("Control+z")
    expect(ana.box).to_have_value(words)
    expect(leaving(ana, words)).to_have_count(0)


def test_it_is_chosen_on_the_account_page_and_works_without_scripts(
    team: Team, open_page: OpenPage
) -> None:
    page = open_page("ana", "/account/", java_script_enabled=False)
    page.get_by_role("radio", name="5 seconds").check()
    page.locator("#undo-send").get_by_role("button", name="Save").click()
    expect(page.get_by_role("radio", name="5 seconds")).to_be_checked()
    words = make_unique("Without a script")
    page.goto(team.server.url + team.path)
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(words)
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(box).to_have_value(words)
    assert team.server.count_messages(words) == 0
