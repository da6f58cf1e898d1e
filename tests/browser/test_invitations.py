"""A colleague gets in by a link: from the administrator's page to the inbox in another browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.pages import NARROW, WIDE, OpenBrowser, expect_readable
from tests.browser.server import Server


@pytest.fixture(autouse=True)
def _forget_eva(server: Server) -> Iterator[None]:
    """Leave no new member behind, so that no other test meets them."""
    yield
    server.query(
        "DELETE FROM inboxes_membership WHERE agent_id IN"
        " (SELECT id FROM inboxes_agent WHERE username = 'eva')"
    )


def test_a_colleague_is_invited_and_sees_the_inbox(
    open_browser: OpenBrowser, server: Server
) -> None:
    context = open_browser("admin", bypass_csp=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    admin = context.new_page()
    admin.goto(f"{server.url}/admin/inboxes/agent/")
    admin.get_by_role("link", name="Invite colleagues").click()
    admin.get_by_label("Whom to invite").fill("not@an@address")
    admin.get_by_role("button", name="Invite").click()
    expect(admin.get_by_text("Line 1: not@an@address isn't an e-mail address.")).to_be_visible()
    expect_readable(admin, WIDE, NARROW)
    admin.get_by_label("Whom to invite").fill("Eva Stone")
    admin.get_by_label("Front Desk").check()
    admin.get_by_role("button", name="Invite").click()
    link = admin.get_by_label("Eva Stone")
    address = link.input_value()
    admin.get_by_role("button", name="Copy link").click()
    expect(admin.get_by_role("button", name="Copied")).to_be_visible()
    assert admin.evaluate("navigator.clipboard.readText()") == address
    expect_readable(admin, WIDE, NARROW)
    admin.get_by_role("link", name="Done").click()
    expect(admin.get_by_role("row").filter(has_text="Eva Stone")).to_contain_text("Waiting until")
    expect_readable(admin, WIDE, NARROW)

    page = open_browser(None, bypass_csp=True).new_page()
    page.goto(server.url + urlsplit(address).path)
    expect(page.get_by_label("Your name")).to_have_value("Eva Stone")
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Somebody here has that username already.")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    page.get_by_label("Username").fill("eva")
    page.get_by_label("Password", exact=True).fill("a garden of stones")
    page.get_by_role("button", name="Show password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("link").filter(has_text="Front Desk").first).to_be_visible()

    admin.reload()
    row = admin.get_by_role("row").filter(has_text="Used by Eva Stone")
    expect(row).to_be_visible()
    page.goto(server.url + urlsplit(address).path)
    expect(page.get_by_role("heading", name="This link doesn't work")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
