"""Signing in with a second factor, and changing one's password."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from base64 import b32decode
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from config.demo import PASSWORD
from tests.browser.browsers import Browsers
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
from tests.stack import ROOT, Stack, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import Page


def add_second_factor(stack: Stack) -> TOTP:
    """Give the administrator an authenticator, as whoever runs the server does."""
    command = [sys.executable, "manage.py", "add_second_factor", "admin"]
    done = subprocess.run(
        command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=True
    )
    [address] = re.findall(r"otpauth://\S+", done.stdout)
    return TOTP(b32decode(parse_qs(urlsplit(address).query)["secret"][0]))


def code_of(authenticator: TOTP) -> str:
    authenticator.time = time.time()
    return f"{authenticator.token():06d}"


def test_an_administrator_gets_in_with_the_code_at_the_first_try(browsers: Browsers) -> None:
    with running_stack(f"second_factor_{os.getpid()}", ADMIN_SECOND_FACTOR="1") as stack:
        authenticator = add_second_factor(stack)
        profile = browsers.take(viewport=WIDE)
        page = profile.context.new_page()
        page.goto(f"{stack.url}/admin/inboxes/inbox/")
        expect_readable(page, WIDE, NARROW)
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code from your authenticator app").fill(code_of(authenticator))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Select inbox to change").wait_for()
        browsers.give_back(profile)


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
    page.goto(f"{server.url}/settings/")
    page.get_by_role("link", name="Change password").click()
    fill_passwords(page, "wrong", "other-words-entirely")
    expect(page.get_by_text("That isn't your current password.")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    fill_passwords(page, PASSWORD, "other-words-entirely")
    expect(page.get_by_text("Password changed.")).to_be_visible()
    there.get_by_role("status").filter(has_text="You're signed out").wait_for()
    server.receive_text("Still there?", sender=number)
    expect(find_message(reading, "Still there?")).to_be_visible()
