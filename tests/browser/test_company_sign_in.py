"""Signing in with the company, in a browser that enforces our policy."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
from playwright.sync_api import expect

from tests.browser.browsers import Browsers
from tests.browser.pages import NARROW, WIDE, expect_readable
from tests.openid_provider.company import running_company
from tests.openid_provider.people import PASSWORD, PEOPLE
from tests.stack import free_port, running_stack

EMAIL = PEOPLE["ana.ruiz"].email


def test_an_agent_signs_in_with_the_company_and_out_of_both(
    browsers: Browsers, tmp_path: Path
) -> None:
    port = str(free_port())
    with (
        running_company(tmp_path, f"http://127.0.0.1:{port}") as company,
        running_stack(f"company_{os.getpid()}", PORT=port, **company.settings) as stack,
    ):
        with psycopg.connect(stack.database_url, autocommit=True) as database:
            database.execute("UPDATE inboxes_agent SET email = %s WHERE username = 'ana'", [EMAIL])
        profile = browsers.take(viewport=WIDE)
        page = profile.context.new_page()
        page.goto(f"{stack.url}/notifications/")
        expect_readable(page, NARROW, WIDE)
        page.get_by_role("button", name="Example Ltd").click()
        page.get_by_label("Username").fill("ana.ruiz")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{stack.url}/notifications/")
        page.goto(stack.url)
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{stack.url}/sign-in/")
        page.get_by_role("button", name="Example Ltd").click()
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        browsers.give_back(profile)
