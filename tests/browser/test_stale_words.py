"""Words leave the page together with what they were about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

from tests.browser.files import attach_files, attached_files, make_file
from tests.browser.pages import (
    OpenPage,
    find_row,
    format_number,
    history,
    make_unique,
    message_box,
    new_number,
    thread_list,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import FRONT_DESK
from tests.messaging.attachments.picture_bytes import make_picture


def open_new_thread(open_page: OpenPage, server: Server) -> Page:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    return page


def test_a_picture_answers_the_demand_to_write_something(
    open_page: OpenPage, server: Server
) -> None:
    page = open_new_thread(open_page, server)
    page.get_by_role("button", name="Send", exact=True).click()
    complaint = page.get_by_role("alert").filter(has_text="Write something first.")
    complaint.wait_for()
    attach_files(page, make_file("one.jpg", make_picture()))
    expect(attached_files(page)).to_have_count(1)
    expect(complaint).to_have_count(0)
    expect(message_box(page)).not_to_have_attribute("aria-invalid", "true")


def test_a_complaint_about_a_text_ends_with_its_kind(open_page: OpenPage, server: Server) -> None:
    page = open_new_thread(open_page, server)
    page.get_by_role("button", name="Send", exact=True).click()
    complaint = page.get_by_role("alert").filter(has_text="Write something first.")
    complaint.wait_for()
    page.get_by_role("button", name="Internal message", exact=True).click()
    expect(complaint).to_have_count(0)


def test_not_sent_is_taken_back_when_the_line_works_again(
    open_page: OpenPage, server: Server
) -> None:
    page = open_new_thread(open_page, server)
    message_box(page).fill("Kept")
    server.cable.cut()
    page.get_by_role("button", name="Send", exact=True).click()
    complaint = page.get_by_role("alert").filter(has_text="Not sent: no connection.")
    complaint.wait_for()
    page.get_by_text("Offline, reconnecting…").wait_for()
    server.cable.restore()
    expect(complaint).to_have_count(0)
    expect(message_box(page)).to_have_value("Kept")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (503, "Not sent: something went wrong. Your text is kept. Try again."),
        (413, "Not sent: something went wrong. Your text is kept. Try again."),
        (404, "Not sent: you no longer have access to this conversation."),
    ],
)
def test_an_answer_that_takes_no_text_is_not_called_a_lost_connection(
    open_page: OpenPage, server: Server, status: int, sentence: str
) -> None:
    page = open_new_thread(open_page, server)
    page.route("**/messages/", lambda route: route.fulfill(status=status, body=""))
    message_box(page).fill("Kept")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Not sent")).to_have_text(sentence)
    expect(message_box(page)).to_have_value("Kept")


def test_a_list_that_could_not_be_opened_is_not_spoken_of_once_the_line_works(
    open_page: OpenPage, server: Server
) -> None:
    page = open_new_thread(open_page, server)
    server.cable.cut()
    page.get_by_role("link", name="Back to messages").click()
    toast = page.get_by_role("status").filter(has_text="Couldn't open it: no connection.")
    expect(toast).to_be_visible()
    server.cable.restore()
    expect(toast).to_be_hidden(timeout=6_000)  # by itself it would stay for eight seconds


def test_a_search_that_found_no_server_is_made_when_there_is_one(
    open_page: OpenPage, server: Server
) -> None:
    number, word = new_number(), make_unique("Periwinkle")
    server.receive_text(word, sender=number)
    other = new_number()
    server.receive_text("Something else", sender=other)
    page = open_page("ana", server.inbox_path())
    wait_until_live(page)
    server.cable.cut()
    page.get_by_role("searchbox").fill("periwinkle")
    page.get_by_text("Offline, reconnecting…").wait_for()
    expect(find_row(page, format_number(other))).to_be_visible()
    server.cable.restore()
    expect(find_row(page, format_number(other))).to_have_count(0)
    expect(find_row(page, format_number(number))).to_be_visible()


def test_an_empty_filter_does_not_say_that_there_are_no_messages(
    open_page: OpenPage, server: Server
) -> None:
    server.query("UPDATE threads_thread SET priority = '' WHERE priority = 'low'")
    page = open_page("cho", f"{server.inbox_path()}?only=low")
    expect(thread_list(page).locator(".row")).to_have_count(0)
    expect(page.get_by_text("Nothing selected")).to_be_visible()
    expect(page.get_by_text("No messages yet")).to_have_count(0)


def copy_row(server: Server, table: str, where: str, **changes: object) -> None:
    """Insert a copy of a row, with some values changed."""
    server.query(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"
        f" to_jsonb(one) || %s)).* FROM {table} one WHERE {where}",
        Jsonb(changes),
    )


@pytest.fixture
def empty_inbox(server: Server) -> Iterator[str]:
    """Return the number of an inbox of ben's without any message."""
    empty = {"last_kind": "", "last_author_id": None, "last_excerpt": "", "last_at": None}
    desk = int(server.inbox_path().split("/")[2])
    inbox, number = 900_001, "+12025550119"
    copy_row(
        server,
        "inboxes_inbox",
        f"id = {desk}",
        id=inbox,
        name="Empty",
        last_message_id=None,
        last_mentions=[],
        **empty,
    )
    at = f"address = '{FRONT_DESK}'"
    copy_row(server, "messaging_number", at, id=inbox, address=number, inbox_id=inbox)
    ben = "agent_id = (SELECT id FROM inboxes_agent WHERE username = 'ben')"
    member = f"inbox_id = {desk} AND {ben}"
    copy_row(server, "inboxes_membership", member, id=inbox, inbox_id=inbox)
    yield number
    server.query("DELETE FROM inboxes_membership WHERE id = %s", inbox)


def test_no_messages_yet_is_gone_with_the_first_message(
    open_page: OpenPage, server: Server, empty_inbox: str
) -> None:
    page = open_page("ben", server.inbox_path(empty_inbox))
    wait_until_live(page)
    pane = page.get_by_role("region", name="Conversation")
    expect(pane.get_by_text("No messages yet")).to_be_visible()
    server.receive_text("The first one", sender=new_number(), to=empty_inbox)
    expect(find_row(page, "The first one")).to_be_visible()
    expect(pane.get_by_text("No messages yet")).to_be_hidden()
    expect(pane.get_by_text("Nothing selected")).to_be_visible()


def test_a_signed_out_page_comes_back_when_one_signed_in_elsewhere(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Still there?", sender=number)
    page = open_page("ana", server.thread_path(number), has_new_session=True)
    wait_until_live(page)
    message_box(page).fill("Half a sentence")
    tab = page.context.new_page()
    tab.goto(server.url)
    tab.get_by_role("button", name="Sign out").click()
    page.get_by_text("You're signed out.").wait_for()
    page.context.add_cookies(server.cookies_of("ana", is_new=True))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("You're signed out.")).to_have_count(0)
    wait_until_live(page)
    expect(history(page).get_by_text("Still there?")).to_be_visible()
    expect(message_box(page)).to_have_value("Half a sentence")
