"""The administration's pages can be read by everybody, and say what administrators need."""

from __future__ import annotations

import re
from typing import Any, Literal

from playwright.sync_api import Page, expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    ZOOMED,
    OpenBrowser,
    OpenPage,
    expect_readable,
    find_violations,
    measure_overflow,
)
from tests.browser.server import Server

MODELS = (
    ("inboxes", "agent"),
    ("inboxes", "inbox"),
    ("inboxes", "membershipchange"),
    ("inboxes", "onetimelink"),
    ("inboxes", "signinsettings"),
    ("messaging", "carrieraccount"),
    ("messaging", "attempt"),
    ("messaging", "number"),
    ("messaging", "optout"),
    ("messaging", "optoutsettings"),
    ("messaging", "webhook"),
)
FORCED: tuple[Literal["none", "active"], ...] = ("none", "active")
MORE = {
    "agent": ("deactivate/", "reset-link/"),
    "carrieraccount": ("numbers/", "self-test/"),
}


def fill_empty_lists(server: Server) -> None:
    """Write one webhook that was not understood, one opt-out, one invitation and the settings."""
    server.query(
        "INSERT INTO messaging_webhook"
        " (account_id, path, headers, body, digest, is_quarantined, reason, received_at)"
        " SELECT id, '/webhooks/x/', '{}', 'x', 'digest', true, 'text is missing', now()"
        " FROM messaging_carrieraccount LIMIT 1 ON CONFLICT DO NOTHING"
    )
    server.query(
        "INSERT INTO messaging_optout (our_address, address, source, since)"
        " SELECT '+12025550110', '+13035550999', 'administrator', now() ON CONFLICT DO NOTHING"
    )
    server.query(
        "INSERT INTO inboxes_onetimelink (kind, token_hash, name, email, is_administrator,"
        " password_mark, removes_second_factors, email_state, email_failures, email_error,"
        " created_at, expires_at) VALUES ('invitation', 'x', 'Gil', 'gil@example.com', false, '',"
        " false, 'failed', 1, 'The e-mail server refuses the address.', now(), now() + '1 day')"
        " ON CONFLICT DO NOTHING"
    )
    server.query("INSERT INTO messaging_optoutsettings (id) VALUES (1) ON CONFLICT DO NOTHING")
    server.query("INSERT INTO inboxes_signinsettings (id) VALUES (1) ON CONFLICT DO NOTHING")


def admin_paths(server: Server) -> list[str]:
    """Return every page of every model of ours: list, add, change, history, delete."""
    paths = ["/admin/"]
    for app, model in MODELS:
        [[row]] = server.query(f"SELECT id FROM {app}_{model} ORDER BY id LIMIT 1")
        base = f"/admin/{app}/{model}/"
        one = f"{base}{row}/"
        pages = ("change/", "history/", "delete/", *MORE.get(model, ()))
        paths += [base, f"{base}add/", *(one + page for page in pages)]
    return paths


def find_faults(page: Page) -> list[Any]:
    """Return what cannot be read, in a window, at a zoom of 400 % and in forced colours."""
    faults: list[Any] = []
    for name, size in {"wide": WIDE, "zoomed": ZOOMED}.items():
        page.set_viewport_size(size)
        for colors in FORCED:
            page.emulate_media(forced_colors=colors)
            faults += [(name, colors, fault) for fault in find_violations(page)]
        if overflow := measure_overflow(page):
            faults.append((name, "scrolls sideways", overflow))
    return faults


def test_every_page_of_the_administration_can_be_read_by_everybody(
    open_page: OpenPage, server: Server
) -> None:
    fill_empty_lists(server)
    # On pages with forms axe itself sets styles, which our policy reports.
    page = open_page("admin", "/admin/", bypass_csp=True)
    walked, broken = 0, {}
    for path in admin_paths(server):
        response = page.goto(server.url + path)
        assert response is not None
        if response.status == 403:
            continue  # what nobody may add, change or delete
        walked += 1
        if found := find_faults(page):
            broken[path] = found
    assert broken == {}
    assert walked > 25


def test_a_member_that_is_added_is_chosen_in_a_box_with_a_name(
    open_page: OpenPage, server: Server
) -> None:
    [[inbox]] = server.query("SELECT id FROM inboxes_inbox WHERE name = 'Dispatch'")
    page = open_page("admin", f"/admin/inboxes/inbox/{inbox}/change/", bypass_csp=True)
    members = page.get_by_role("group", name="Members")
    members.get_by_role("button", name="Add another").click()
    boxes = page.get_by_role("combobox", name="Agent", exact=True)
    expect(boxes).to_have_count(2)
    expect(page.get_by_role("checkbox", name="Remove Ben Okafor")).to_be_visible()
    assert find_violations(page) == []


def test_the_webhook_address_is_copied_by_a_button(
    open_browser: OpenBrowser, server: Server
) -> None:
    context = open_browser("admin")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    page = context.new_page()
    [[account, token]] = server.query("SELECT id, token FROM messaging_carrieraccount LIMIT 1")
    page.goto(f"{server.url}/admin/messaging/carrieraccount/{account}/change/")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
    assert token in page.evaluate("navigator.clipboard.readText()")
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_the_first_page_and_a_list_can_be_read_in_both_themes(
    open_page: OpenPage, server: Server
) -> None:
    fill_empty_lists(server)
    page = open_page("admin", "/admin/")
    wrong = page.get_by_role("region", name="What is wrong now")
    expect(wrong.get_by_role("heading", name="In quarantine")).to_be_visible()
    expect(wrong.get_by_text("No worker is running")).to_have_count(0)
    expect_readable(page, WIDE, NARROW)
    wrong.get_by_role("link", name="See the quarantine").click()
    expect(page.get_by_role("heading", name="Quarantine", level=1)).to_be_visible()
    expect_readable(page, WIDE, NARROW)


def test_on_a_phone_menu_and_account_open_from_buttons(open_page: OpenPage) -> None:
    page = open_page("admin", "/admin/", viewport=NARROW)
    menu = page.get_by_role("navigation", name="Administration")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    menu.get_by_role("link", name="Numbers").click()
    expect(page.get_by_role("heading", name="Numbers", level=1)).to_be_visible()
    # Each row is a card, whose lines say what they are.
    cell = page.locator("#result_list td.field-account").first
    expect(cell).to_have_attribute("data-label", "Account")
    page.get_by_role("button", name="Administrator").click()
    page.get_by_role("link", name="Your account").click()
    expect(page).to_have_url(re.compile("/account/$"))


def test_in_a_narrow_window_the_links_at_the_top_are_not_covered(open_page: OpenPage) -> None:
    page = open_page("admin", "/admin/inboxes/agent/", viewport=ZOOMED)
    tools = page.locator("#user-tools")
    trail = page.get_by_role("navigation", name="Where you are")
    expect(tools).to_be_visible()
    bottom = tools.evaluate("one => one.getBoundingClientRect().bottom")
    assert bottom <= trail.evaluate("one => one.getBoundingClientRect().top")
