"""Without JavaScript everything works but what is live by nature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    find_message,
    find_row,
    format_number,
    history,
    make_unique,
    message_box,
    new_number,
    send_text,
    sign_in,
    wait_until,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def reload_until(page: Page, body: str, state: str) -> None:
    def look() -> bool:
        page.reload()
        return find_message(page, body).get_by_text(state).is_visible()

    wait_until(look)


def test_one_signs_in_reads_answers_and_retries(open_page: OpenPage, server: Server) -> None:
    number, body = new_number(), make_unique("By hand")
    server.receive_text("No scripts here", sender=number)
    page = open_page(None, java_script_enabled=False)
    sign_in(page, "ben")
    find_row(page, "Front Desk").get_by_role("link").click()
    find_row(page, format_number(number)).get_by_role("link").click()
    send_text(page, " ")
    page.get_by_role("alert").filter(has_text="Write something first.").wait_for()
    with server.set_carrier("reject"):
        send_text(page, body)
        reload_until(page, body, "Failed")
    find_message(page, body).get_by_role("button", name="Retry").click()
    reload_until(page, body, "Delivered")
    expect(page).to_have_url(server.url + server.thread_path(number))
    assert server.count_messages(body) == 1
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


def test_too_much_is_kept_in_the_box(open_page: OpenPage, server: Server) -> None:
    page = open_page("ben", server.thread_path("+12025550142"), java_script_enabled=False)
    body = make_unique("Much") + "x" * 1600
    send_text(page, body)
    page.get_by_role("alert").filter(has_text="This is too long").wait_for()
    expect(message_box(page)).to_have_value(body)


def test_older_pages_are_links(open_page: OpenPage, server: Server) -> None:
    page = open_page("ben", server.thread_path("+12025550126"), java_script_enabled=False)
    newest = history(page).get_by_role("article").last.inner_text()
    page.get_by_role("link", name="Show earlier messages").click()
    expect(history(page).get_by_role("article").last).not_to_have_text(newest)
    page.get_by_role("link", name="Show the newest messages").click()
    assert history(page).get_by_role("article").last.inner_text() == newest
