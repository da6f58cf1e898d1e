"""Losing a membership and signing out take effect at once, on pages already open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.files import PDF, attach_files, attached_files, make_file
from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenBrowser,
    OpenPage,
    choose_thread_option,
    expect_readable,
    find_message,
    find_row,
    format_number,
    make_unique,
    message_box,
    new_number,
    record_sockets,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


# What is in view until the next page comes.
_COUNT_WHAT_STAYS = """() => addEventListener("pagehide", () => {
  const left = document.querySelectorAll(".thread, .pane, .row-thread, .row-hit");
  sessionStorage.setItem("stays", left.length);
})"""


def open_dispatch_in_admin(admin: Page, server: Server) -> None:
    pk = server.inbox_path(DISPATCH).strip("/").split("/")[1]
    admin.goto(f"{server.url}/admin/inboxes/inbox/{pk}/change/")


def remove_ben(admin: Page, server: Server) -> None:
    open_dispatch_in_admin(admin, server)
    membership = admin.get_by_role("row").filter(has_text="Ben Okafor")
    membership.get_by_role("checkbox").check()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_text("Saved: Dispatch").wait_for()


def add_ben(admin: Page, server: Server) -> None:
    open_dispatch_in_admin(admin, server)
    admin.locator("tr.form-row:not(.has_original):not(.empty-form) .select2-selection").click()
    admin.locator(".select2-search__field").fill("ben")
    admin.get_by_role("option", name="Ben Okafor").click()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_text("Saved: Dispatch").wait_for()


def test_a_removed_member_is_told_why_and_keeps_what_they_had_typed(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Secret of Dispatch", sender=number, to=DISPATCH)
    inside = open_page("ben", server.thread_path(number, DISPATCH))
    wait_until_live(inside)
    message_box(inside).fill("Half a thought\nand its second line")
    attach_files(inside, make_file("floor-plan.pdf", PDF, "application/pdf"))
    expect(attached_files(inside)).to_have_count(1)
    admin = open_browser("admin").new_page()
    remove_ben(admin, server)
    try:
        title = "You were removed from this inbox"
        expect(inside.get_by_role("heading", name=title)).to_be_visible()
        kept = inside.get_by_role("textbox", name="Your unsent text")
        expect(kept).to_have_value("Half a thought\nand its second line")
        expect(inside.get_by_text("Dispatch", exact=True)).to_be_visible()
        expect(inside.get_by_text("floor-plan.pdf")).to_be_visible()
        assert "Secret of Dispatch" not in inside.content()
        expect(find_row(inside, "Front Desk")).to_have_count(1)
        expect_readable(inside, WIDE, NARROW)
        inside.reload()
        expect(kept).to_have_value("Half a thought\nand its second line")
        inside.context.grant_permissions(["clipboard-read", "clipboard-write"])
        inside.get_by_role("button", name="Copy text").click()
        inside.get_by_role("button", name="Copied").wait_for()
        copied = inside.evaluate("navigator.clipboard.readText()")
        assert copied == "Half a thought\nand its second line"
        inside.get_by_role("button", name="Close").click()
        expect(inside.get_by_role("heading", name=title)).to_have_count(0)
        inside.reload()
        expect(find_row(inside, "Front Desk")).to_have_count(1)
        expect(inside.get_by_role("heading", name=title)).to_have_count(0)
    finally:
        add_ben(admin, server)


def test_a_removed_member_keeps_their_words_over_a_slow_line(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Secret of Dispatch", sender=number, to=DISPATCH)
    inside = open_page("ben", server.thread_path(number, DISPATCH))
    wait_until_live(inside)
    message_box(inside).fill("Half a thought")
    held: list[Route] = []
    inside.route(f"{server.url}/", lambda route: held.append(route))
    sockets = record_sockets(inside)
    admin = open_browser("admin").new_page()
    remove_ben(admin, server)
    try:
        wait_until(lambda: held)
        # As long as a page takes to connect again, and to be told once more that it has to leave.
        admin.wait_for_timeout(2_000)
        assert sockets == []
        held[-1].continue_()
        kept = inside.get_by_role("textbox", name="Your unsent text")
        expect(kept).to_have_value("Half a thought")
    finally:
        add_ben(admin, server)


def test_a_removed_member_keeps_what_they_had_changed_in_a_form(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number, secret = new_number(), make_unique("Secret")
    server.receive_text(secret, sender=number, to=DISPATCH)
    inside = open_page("ben", server.inbox_path(DISPATCH))
    wait_until_live(inside)
    inside.get_by_role("searchbox").fill(secret)
    inside.get_by_role("switch", name="All messages").click()
    expect(inside.locator(".row-hit")).to_have_count(1)
    find_row(inside, format_number(number)).get_by_role("link").click()
    choose_thread_option(inside, "Edit contact")
    inside.get_by_label("Note", exact=True).fill("Rings twice")
    inside.evaluate(_COUNT_WHAT_STAYS)
    admin = open_browser("admin").new_page()
    remove_ben(admin, server)
    try:
        kept = inside.get_by_role("textbox", name="Your unsent text")
        expect(kept).to_have_value("Rings twice")
        assert inside.evaluate("sessionStorage.getItem('stays')") == "0"
    finally:
        add_ben(admin, server)


def test_a_removed_member_is_out_on_open_pages_and_back_in_without_a_reload(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("To Dispatch", sender=number, to=DISPATCH)
    path = server.thread_path(number, DISPATCH)
    inside, top = open_page("ben", path), open_page("ben")
    for page in (inside, top):
        wait_until_live(page)
    find_row(top, "Dispatch").wait_for()
    admin = open_browser("admin").new_page()
    remove_ben(admin, server)
    try:
        inside.wait_for_url(f"{server.url}/")
        for page in (inside, top):
            expect(find_row(page, "Front Desk")).to_have_count(1)
            expect(find_row(page, "Dispatch")).to_have_count(0)
        again = inside.goto(server.url + path)
        assert again is not None
        assert again.status == 404
        secret = make_unique("Not for ben")
        server.receive_text(secret, sender=number, to=DISPATCH)
        later = make_unique("After the secret")
        server.receive_text(later, sender=new_number())
        expect(find_row(top, "Front Desk")).to_contain_text(later)
        assert secret not in top.content()
    finally:
        add_ben(admin, server)
    expect(find_row(top, "Dispatch")).to_contain_text(secret)
    body = make_unique("For ben again")
    server.receive_text(body, sender=number, to=DISPATCH)
    expect(find_row(top, "Dispatch")).to_contain_text(body)


def test_signing_out_ends_the_other_pages_of_that_session_and_of_no_other(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Who is there?", sender=number)
    browser = open_browser("ana", has_new_session=True)
    staying, leaving = browser.new_page(), browser.new_page()
    staying.goto(server.url + server.thread_path(number))
    leaving.goto(server.url)
    elsewhere = open_page("ana", server.thread_path(number))
    for page in (staying, elsewhere):
        wait_until_live(page)
    message_box(staying).fill("Half a thought")
    leaving.get_by_role("button", name="Sign out").click()
    leaving.get_by_role("button", name="Sign in").wait_for()
    staying.get_by_role("status").filter(has_text="You're signed out").wait_for()
    body = make_unique("Only for those who stay")
    server.receive_text(body, sender=number)
    find_message(elsewhere, body).wait_for()
    assert body not in staying.content()
    expect(message_box(staying)).to_have_value("Half a thought")
    staying.get_by_role("link", name="Sign in again").click()
    staying.get_by_role("textbox", name="Username").wait_for()
