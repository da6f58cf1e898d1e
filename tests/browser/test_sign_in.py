"""The pages of signing in: passkeys that don't come, the second step, and who needs one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from config.demo import PASSWORD
from tests.browser.pages import NARROW, WIDE, OpenBrowser, expect_readable, wait_until_live
from tests.browser.server import Server
from tests.browser.test_account import add_authenticator, add_passkey, kim

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["kim"]

NONE_CAME = re.compile("No passkey was used. You can try again")


def use_passkey(page: Page) -> None:
    page.get_by_role("button", name="Use a passkey").click()


@pytest.fixture
def passkeys_exist(server: Server, kim: str) -> None:
    """Give somebody a passkey that no browser here has."""
    server.query(
        "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
        """ VALUES (90002, 'webauthn', '{"name": "Phone", "credential": {}}', now())"""
    )


def test_a_password_can_be_looked_at_and_is_hidden_before_it_leaves(
    open_browser: OpenBrowser, server: Server
) -> None:
    page = open_browser().new_page()
    page.goto(f"{server.url}/sign-in/?next=/settings/")
    page.get_by_role("textbox", name="Username").fill("ana")
    password = page.get_by_role("textbox", name="Password")
    password.fill("wrong")
    eye = page.get_by_role("button", name="Show password")
    expect(eye).to_have_attribute("aria-pressed", "false")
    eye.click()
    expect(password).to_have_attribute("type", "text")
    expect_readable(page, WIDE, NARROW)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("don't match. Both are case-sensitive.")
    expect(page.get_by_role("textbox", name="Password")).to_have_attribute("type", "password")
    expect_readable(page, WIDE, NARROW)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/settings/")


@pytest.mark.usefixtures("passkeys_exist")
def test_a_passkey_that_does_not_come_is_said_in_plain_words(
    open_browser: OpenBrowser, server: Server
) -> None:
    page = open_browser(host="localhost").new_page()
    add_authenticator(page)  # with nothing in it
    page.goto(f"{server.url_of('localhost')}/sign-in/")
    use_passkey(page)
    expect(page.get_by_role("alert")).to_have_text(NONE_CAME)
    expect_readable(page, WIDE, NARROW)
    page.goto(f"{server.url_of('127.0.0.1')}/sign-in/")
    use_passkey(page)
    expect(page.get_by_role("alert")).to_have_text(
        "Passkeys belong to localhost. Open Partyline there to use one."
    )
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(f"{server.url_of('localhost')}/sign-in/")
    use_passkey(page)
    expect(page.get_by_role("alert")).to_have_text("This browser can’t use passkeys.")


@pytest.mark.usefixtures("passkeys_exist")
def test_without_scripts_there_is_a_password_and_no_passkey(
    open_browser: OpenBrowser, server: Server
) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    page.goto(f"{server.url}/sign-in/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    expect(page.get_by_role("button", name="Show password")).to_be_hidden()


def test_the_second_step_takes_a_passkey_or_a_code(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    page = open_browser(kim, host="localhost", has_new_session=True).new_page()
    add_authenticator(page)
    site = server.url_of("localhost")
    page.goto(f"{site}/account/")
    add_passkey(page, "Laptop")
    page.get_by_role("link", name="I have kept them").click()
    for _ in range(2):
        page.goto(f"{site}/account/")
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.get_by_role("textbox", name="Username").fill(kim)
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        if page.get_by_role("textbox", name="Code").count():
            expect_readable(page, WIDE, NARROW)
        use_passkey(page)
        page.wait_for_url(f"{site}/")


@pytest.fixture
def _everybody_needs_two_steps(server: Server) -> Iterator[None]:
    server.query("DELETE FROM inboxes_signinsettings")  # as pages that other tests opened made it
    yield
    server.query("DELETE FROM inboxes_signinsettings")


@pytest.mark.usefixtures("_everybody_needs_two_steps")
def test_whoever_has_no_second_step_is_led_to_it_from_a_page_that_is_open(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    page = open_browser(kim, has_new_session=True).new_page()
    page.goto(f"{server.url}/notifications/")
    wait_until_live(page)
    server.query("INSERT INTO inboxes_signinsettings (id, two_step) VALUES (1, 'everybody')")
    banner = page.get_by_role("status").filter(has_text="Partyline asks for a second step now.")
    banner.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/account/two-step/**")
    expect_readable(page, WIDE, NARROW)
