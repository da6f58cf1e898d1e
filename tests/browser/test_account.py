"""Your account: sessions, the second step, passkeys, and a phone that is signed in by a code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenBrowser,
    expect_readable,
    wait_until_live,
)
from tests.browser.server import Server
from tests.stack import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page


@pytest.fixture
def kim(server: Server) -> Iterator[str]:
    """Make an agent without inboxes, with the password of all; return the username."""
    server.query("CREATE TEMP TABLE kim AS SELECT * FROM inboxes_agent WHERE username = 'cho'")
    server.query("UPDATE kim SET id = 90002, username = 'kim', display_name = 'Kim Berg'")
    server.query("INSERT INTO inboxes_agent SELECT * FROM kim")
    yield "kim"
    server.query("DROP TABLE kim")
    for table in ("mfa_authenticator", "usersessions_usersession"):
        server.query(f"DELETE FROM {table} WHERE user_id = 90002")
    server.query("DELETE FROM inboxes_phonesignin WHERE agent_id = 90002")
    server.query("DELETE FROM inboxes_agent WHERE id = 90002")


def add_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the browser a device that keeps passkeys, and knows its owner's finger."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, added["authenticatorId"]


def section(page: Page, name: str) -> Any:
    return page.get_by_role("region", name=name)


def add_passkey(page: Page, name: str) -> None:
    section(page, "Passkeys").get_by_role("link", name="Add a passkey").click()
    page.get_by_role("textbox", name="Name of the passkey").fill(name)
    page.get_by_role("button", name="Add the passkey").click()


def test_sessions_are_listed_and_signing_out_elsewhere_closes_their_pages(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    page = open_browser(kim, has_new_session=True).new_page()
    there = open_browser(kim, has_new_session=True).new_page()
    there.goto(f"{server.url}/notifications/")
    wait_until_live(there)
    page.goto(server.url)
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    section(page, "Sessions").get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_text("You're signed out everywhere else.")).to_be_visible()
    there.get_by_role("status").filter(has_text="You're signed out").wait_for()
    expect(section(page, "Sessions").get_by_role("listitem")).to_have_count(1)


def test_an_authenticator_app_is_set_up_and_its_codes_are_kept(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    context = open_browser(kim, has_new_session=True, permissions=["clipboard-write"])
    page = context.new_page()
    page.goto(f"{server.url}/account/")
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.get_by_alt_text("QR code for your authenticator app")).to_be_visible()
    page.get_by_text("Enter it by hand instead").click()
    copy = page.get_by_role("button", name="Copy")
    secret = copy.get_attribute("data-copy") or ""
    copy.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    page.get_by_role("textbox", name="Code that the app shows").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#notice")).to_have_text("Authenticator app added.")
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(
        10
    )
    expect_readable(page, WIDE, NARROW)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    kept = Path(downloading.value.path()).read_text()
    assert len(re.findall(r"^\d{8}$", kept, re.MULTILINE)) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(section(page, "Two-step sign-in").get_by_text("On", exact=True)).to_be_visible()


def test_a_passkey_is_added_signs_in_alone_and_is_removed(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    page = open_browser(kim, host="localhost", has_new_session=True).new_page()
    tools, laptop = add_authenticator(page)
    site = server.url_of("localhost")
    page.goto(f"{site}/account/")
    add_passkey(page, "Work laptop")
    page.get_by_role("link", name="I have kept them").click()
    expect(section(page, "Passkeys").get_by_role("listitem")).to_contain_text("Work laptop")
    add_passkey(page, "Again")
    expect(page.get_by_role("alert")).to_have_text(
        "This device has a passkey for your account already."
    )
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": laptop, "isUserVerified": False})
    page.goto(f"{site}/account/")
    page.get_by_role("button", name="Sign out", exact=True).click()
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": laptop, "isUserVerified": True})
    [[password]] = server.query("SELECT password FROM inboxes_agent WHERE id = 90002")
    server.query("UPDATE inboxes_agent SET password = '!' WHERE id = 90002")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("link", name="Your account").click()
    expect(section(page, "Sessions").get_by_text("with a passkey")).to_be_visible()
    section(page, "Passkeys").get_by_role("link", name="Remove").click()
    expect(page.get_by_role("alert")).to_contain_text("the only way in which you can sign in")
    server.query("UPDATE inboxes_agent SET password = %s WHERE id = 90002", password)
    page.goto(f"{site}/sign-in/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()
    section(page, "Passkeys").get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(section(page, "Two-step sign-in").get_by_text("Off", exact=True)).to_be_visible()


def test_a_second_device_gets_a_passkey_and_a_cancelled_one_leaves_nothing(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    page = open_browser(kim, host="localhost", has_new_session=True).new_page()
    tools, laptop = add_authenticator(page)
    page.goto(f"{server.url_of('localhost')}/account/")
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": laptop, "isUserVerified": False})
    add_passkey(page, "Not now")
    expect(page.get_by_role("alert")).to_have_text(
        re.compile("No passkey was used. You can try again")
    )
    expect_readable(page, WIDE, NARROW)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": laptop, "isUserVerified": True})
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    tools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": laptop})
    add_authenticator(page)
    add_passkey(page, "Phone")
    expect(section(page, "Passkeys").get_by_role("listitem")).to_have_count(2)


def test_a_phone_is_signed_in_by_the_code_on_the_open_screen(
    open_browser: OpenBrowser, server: Server, kim: str
) -> None:
    desktop = open_browser(kim, has_new_session=True).new_page()
    phone = open_browser(viewport=NARROW).new_page()
    desktop.goto(f"{server.url}/account/")
    desktop.get_by_role("link", name="Sign in on a phone").click()
    desktop.get_by_role("button", name="Show the code").click()
    expect(desktop.get_by_alt_text("QR code with a link for your phone")).to_be_visible()
    expect_readable(desktop, WIDE, NARROW)
    phone.goto(server.url + link_of_the_code(server))
    expect(phone.get_by_text("Kim Berg (kim)")).to_be_visible()
    expect_readable(phone, NARROW)
    phone.get_by_role("button", name="Sign in as Kim Berg").click()
    words = phone.locator(".same-words").inner_text()
    expect(desktop.locator(".same-words")).to_have_text(words)
    expect_readable(desktop, WIDE, NARROW)
    desktop.get_by_role("button", name="Sign it in").click()
    phone.get_by_role("link", name="Your account").wait_for()
    expect(desktop.get_by_role("heading", name="Your phone is signed in")).to_be_visible()


def link_of_the_code(server: Server) -> str:
    """Return what the QR code leads to, as the server computes it."""
    [[key]] = server.query("SELECT id::text FROM inboxes_phonesignin WHERE agent_id = 90002")
    code = (
        "from inboxes.models import PhoneSignIn\n"
        "from inboxes.phone_sign_in.actions import token_of\n"
        f"print(token_of(PhoneSignIn(pk='{key}')))"
    )
    made_by_the_server = {"SECRET_KEY": "", "FIELD_KEYS": ""}  # unless its environment has them
    ran = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code],
        cwd=ROOT,
        env=os.environ | made_by_the_server | server.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return f"/account/new-phone/{ran.stdout.splitlines()[-1]}/"
