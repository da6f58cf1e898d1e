"""Changing one's password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from config.demo import PASSWORD
from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenBrowser,
    expect_readable,
    find_message,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def pat(server: Server) -> Iterator[str]:
    """Make an agent, a member of Front Desk with the password of all; return the username.

    They are no member afterwards, so that no other test meets them.
    """
    server.query("CREATE TEMP TABLE pat AS SELECT * FROM inboxes_agent WHERE username = 'cho';")
    server.query("UPDATE pat SET id = 90001, username = 'pat', display_name = 'Pat Lee'")
    server.query("INSERT INTO inboxes_agent SELECT * FROM pat")
    server.query(
        "CREATE TEMP TABLE pats AS SELECT m.* FROM inboxes_membership m"
        " JOIN inboxes_agent a ON a.id = m.agent_id WHERE a.username = 'cho' LIMIT 1"
    )
    server.query("UPDATE pats SET id = 90001, agent_id = 90001")
    server.query("INSERT INTO inboxes_membership SELECT * FROM pats")
    yield "pat"
    server.query("DELETE FROM inboxes_membership WHERE agent_id = 90001")


def fill_passwords(page: Page, current: str, new: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(new)
    page.get_by_role("button", name="Change password").click()


def test_a_new_password_keeps_this_browser_and_signs_out_the_others(
    open_browser: OpenBrowser, server: Server, pat: str
) -> None:
    number = new_number()
    server.receive_text("Hello", sender=number)
    here = open_browser(pat, has_new_session=True)
    there = open_browser(pat, has_new_session=True).new_page()
    reading, page = here.new_page(), here.new_page()
    for one in (reading, there):
        one.goto(server.url + server.thread_path(number))
        wait_until_live(one)
    page.goto(f"{server.url}/account/")
    page.get_by_role("link", name="Change password").click()
    fill_passwords(page, "wrong", "other-words-entirely")
    expect(page.get_by_text("That isn't your current password.")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    fill_passwords(page, PASSWORD, "other-words-entirely")
    expect(page.get_by_text("Password changed.")).to_be_visible()
    there.get_by_role("status").filter(has_text="You're signed out").wait_for()
    server.receive_text("Still there?", sender=number)
    expect(find_message(reading, "Still there?")).to_be_visible()
