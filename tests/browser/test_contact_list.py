"""The page Contacts in a browser: search while one types, the panel, the keyboard, a phone."""

from __future__ import annotations

import re

from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.pages import (
    WIDE,
    OpenPage,
    find_violations,
    format_number,
    make_unique,
    new_number,
)
from tests.browser.server import Server


def details(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Details")


def test_a_contact_is_added_found_changed_and_blocked_without_leaving_the_list(
    open_page: OpenPage, server: Server
) -> None:
    number, name = new_number(), make_unique("Ines Vogt")
    page = open_page("ana", "/")
    page.get_by_role("link", name="Contacts").click()
    page.get_by_role("link", name="New contact").click()
    form = page.get_by_role("complementary", name="New contact")
    form.get_by_role("combobox", name="Inbox").select_option("Front Desk")
    form.get_by_role("textbox", name="Number").fill(format_number(number))
    form.get_by_role("textbox", name="Name").fill(name)
    form.get_by_role("textbox", name="Company").fill("Vogt Tiles")
    form.get_by_role("button", name="Save").click()
    expect(details(page).get_by_role("link", name="Start")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search contacts")
    search.fill(name)
    row = page.get_by_role("row", name=name)
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/contacts/\d+/\?q="))
    expect(row).to_contain_text("Vogt Tiles")
    # Leaving the field asks for nothing: the list would be drawn anew under the focus.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    search.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(details(page)).to_contain_text(name)
    expect(row.get_by_role("link")).to_have_attribute("aria-current", "true")
    assert not [url for url in asked if "/contacts/?" in url]
    blocked = int(page.locator("#contacts-blocked").inner_text())
    details(page).get_by_role("button", name="Block").click()
    expect(details(page).get_by_role("button", name="Unblock")).to_be_visible()
    expect(row).to_contain_text("Blocked")
    expect(page.locator("#contacts-blocked")).to_have_text(str(blocked + 1))
    details(page).get_by_role("link", name="Edit contact").click()
    page.get_by_role("textbox", name="Name").fill(f"{name} II")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=f"{name} II")).to_be_visible()
    expect(details(page)).to_contain_text(f"{name} II")
    page.keyboard.press("Escape")
    expect(details(page)).to_have_count(0)
    expect(page.get_by_role("table", name="Contacts")).to_be_visible()


def test_the_step_back_closes_the_panel_and_keeps_the_list(open_page: OpenPage) -> None:
    page = open_page("ana", "/contacts/?q=marta")
    link = page.locator(".contacts-link").first
    link.click()
    expect(details(page)).to_be_visible()
    expect(page.get_by_role("heading", name="Details")).to_be_focused()
    page.locator(".contacts-main").evaluate("main => main.dataset.same = 'yes'")
    page.go_back()
    expect(details(page)).to_have_count(0)
    expect(page.locator(".contacts-main")).to_have_attribute("data-same", "yes")
    expect(link).to_be_focused()
    expect(link).not_to_have_attribute("aria-current", "true")


def test_a_phone_shows_the_details_as_a_page_of_their_own(open_page: OpenPage) -> None:
    page = open_page("ana", "/contacts/", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("table", name="Contacts")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".contacts-link").first.click()
    expect(details(page)).to_be_visible()
    expect(page.get_by_role("table", name="Contacts")).to_be_hidden()
    details(page).get_by_role("link", name="Close details").click()
    expect(page.get_by_role("table", name="Contacts")).to_be_visible()


def test_a_phone_has_the_order_above_the_list(open_page: OpenPage) -> None:
    page = open_page("ana", "/contacts/?q=a", viewport={"width": 390, "height": 844})
    order = page.get_by_role("combobox", name="Order")
    expect(order).to_have_value("recent")
    order.focus()
    order.select_option("By name")
    expect(page).to_have_url(re.compile(r"\?q=a&order=name$"))
    expect(order).to_have_value("name")
    expect(order).to_be_focused()
    assert find_violations(page) == []
    order.select_option("Last message first")
    expect(page).to_have_url(re.compile(r"\?q=a$"))
    page.set_viewport_size(WIDE)
    expect(order).to_be_hidden()


def test_the_link_to_export_follows_what_the_list_shows(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", "/contacts/")
    export = page.get_by_role("link", name="Export")
    expect(export).to_have_count(0)
    server.query("UPDATE inboxes_inbox SET members_export_contacts = true")
    try:
        page.reload()
        expect(export).to_have_accessible_name("Export")
        page.get_by_role("searchbox").fill("lindqvist")
        expect(export).to_have_accessible_name("Export 1 contact")
        with page.expect_download() as download:
            export.click()
        lines = download.value.path().read_text("utf-8-sig").splitlines()
        assert lines[0].startswith("Name,Number")
        assert {line.split(",")[0] for line in lines[1:]} == {"Marta Lindqvist"}
    finally:
        server.query("UPDATE inboxes_inbox SET members_export_contacts = false")


def test_filters_and_the_order_work_at_once_and_the_page_is_accessible(
    open_page: OpenPage,
) -> None:
    page = open_page("ana", "/contacts/")
    opted_out = page.get_by_role("checkbox", name="Opted out")
    opted_out.check()
    expect(page).to_have_url(re.compile("opted_out=1"))
    opted_out.uncheck()
    expect(page).to_have_url(re.compile(r"/contacts/$"))
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.locator(".contacts-link").first.click()
    expect(details(page)).to_be_visible()
    assert find_violations(page) == []


def test_a_block_is_taken_back_and_the_row_follows_in_its_place(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Win a prize", sender=number)
    page = open_page("ana", "/contacts/")
    row = page.get_by_role("row", name=format_number(number))
    row.get_by_role("link").click()
    expect(page).to_have_title(re.compile(re.escape(f"{format_number(number)} · Contacts")))
    address = page.url
    details(page).get_by_role("button", name="Block").click()
    expect(row).to_contain_text("Blocked")
    expect(details(page).get_by_role("button", name="Unblock")).to_be_visible()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(row).not_to_contain_text("Blocked")
    expect(details(page).get_by_role("button", name="Block", exact=True)).to_be_visible()
    expect(row.get_by_role("link")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert page.url == address


def test_what_was_typed_about_a_contact_is_not_lost_unasked(
    open_page: OpenPage, server: Server
) -> None:
    numbers = [new_number() for _ in range(2)]
    for number in numbers:
        server.receive_text("Hello?", sender=number)
    page = open_page("ana", "/contacts/")
    first, second = (page.get_by_role("row", name=format_number(one)) for one in numbers)
    first.get_by_role("link").click()
    pencil = details(page).get_by_role("link", name="Edit contact")
    pencil.click()
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    asked: list[str] = []

    def say_no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", say_no)
    # Nothing was typed yet, and nobody is asked.
    second.get_by_role("link").click()
    expect(details(page)).to_contain_text(format_number(numbers[1]))
    pencil.click()
    expect(name).to_be_focused()
    name.fill("Lena")
    address = page.url
    assert not asked
    with page.expect_event("dialog"):
        first.get_by_role("link").click()
    with page.expect_event("dialog"):
        page.go_back()
    expect(page).to_have_url(address)
    expect(name).to_have_value("Lena")
    page.get_by_role("button", name="Save").click()
    expect(details(page)).to_contain_text("Lena")
    expect(pencil).to_be_focused()
    assert asked == ["Discard what you typed?"] * 2
