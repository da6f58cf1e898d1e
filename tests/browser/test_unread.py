"""Unread marks and counts, the line "New", and threads that need a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    find_message,
    find_row,
    format_number,
    history,
    make_unique,
    new_number,
    send_text,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request


def row_marks(page: Page, words: str) -> Locator:
    return find_row(page, words).locator(".row-unread")


def record_read_marks(page: Page) -> list[str | None]:
    """Return a list that fills with what the page tells the server that it showed."""
    told: list[str | None] = []

    def note(request: Request) -> None:
        if request.url.endswith("/read/"):
            told.append(request.post_data)

    page.on("requestfinished", note)
    return told


def mark_unread(page: Page) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Mark unread").click()


def test_a_thread_counts_live_and_opening_reads_it_on_all_my_pages(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    page, tab = open_page("ana", server.inbox_path()), open_page("ana", server.inbox_path())
    for one in (page, tab):
        wait_until_live(one)
    for words in ("One", "Two"):
        server.receive_text(words, sender=number)
    for one in (page, tab):
        expect(row_marks(one, format_number(number))).to_have_text("2 unread")
    find_row(page, format_number(number)).get_by_role("link").click()
    expect(find_message(page, "Two")).to_be_visible()
    for one in (page, tab):
        expect(row_marks(one, format_number(number))).to_have_text("")


def test_an_inbox_counts_its_unread_threads_live(open_page: OpenPage, server: Server) -> None:
    # Above 99 the count stands still, and other tests write there.
    server.query(
        "INSERT INTO threads_threadstate (agent_id, thread_id, last_read_id, read_count,"
        " is_marked_unread, hidden_id, is_muted, draft_body, draft_is_internal, seq)"
        " SELECT a.id, t.id, coalesce(t.last_message_id, 0), t.message_count, false, 0, false, '',"
        " false, a.seq FROM threads_thread t, inboxes_agent a WHERE a.username = 'ben'"
        " ON CONFLICT (agent_id, thread_id) DO UPDATE SET last_read_id = excluded.last_read_id,"
        " read_count = excluded.read_count, is_marked_unread = false"
    )
    page, tab = open_page("ben", "/"), open_page("ben", server.inbox_path(DISPATCH))
    for one in (page, tab):
        wait_until_live(one)
    server.receive_text("One", sender=new_number(), to=DISPATCH)
    expect(row_marks(page, "Dispatch")).to_contain_text("unread")
    page.reload()
    before = int(row_marks(page, "Dispatch").inner_text().split()[0])
    number = new_number()
    server.receive_text("One more", sender=number, to=DISPATCH)
    expect(row_marks(page, "Dispatch")).to_have_text(f"{before + 1} unread")
    find_row(tab, format_number(number)).get_by_role("link").click()
    expect(row_marks(page, "Dispatch")).to_have_text(f"{before} unread")


def test_who_missed_more_than_fits_begins_with_the_first_of_it(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text(make_unique("Read"), sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    page.get_by_role("link", name="Back to messages").click()
    missed = [make_unique("Missed " * 60) for _ in range(12)]
    for body in missed:
        server.receive_text(body, sender=number)
    page.goto(server.url + server.thread_path(number))
    expect(history(page).get_by_text("New", exact=True)).to_be_in_viewport()
    expect(find_message(page, missed[0])).to_be_in_viewport()
    expect(find_message(page, missed[-1])).not_to_be_in_viewport()
    page.get_by_role("button", name="Jump to newest").click()
    expect(find_message(page, missed[-1])).to_be_in_viewport()


def test_the_line_new_stands_before_what_i_had_not_read(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    old, new, live = make_unique("Read"), make_unique("Not read"), make_unique("While I look")
    server.receive_text(old, sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    expect(find_message(page, old)).to_be_visible()
    page.get_by_role("link", name="Back to messages").click()
    server.receive_text(new, sender=number)
    page.goto(server.url + server.thread_path(number))
    line = history(page).get_by_text("New", exact=True)
    expect(line).to_be_visible()
    wait_until_live(page)
    marks = record_read_marks(page)
    server.receive_text(live, sender=number)
    expect(find_message(page, live)).to_be_visible()
    parts = (find_message(page, old), line, find_message(page, new))
    tops = [one.evaluate("one => one.getBoundingClientRect().top") for one in parts]
    assert tops == sorted(tops)
    expect(line).to_have_count(1)
    pk = (find_message(page, live).get_attribute("id") or "").removeprefix("message-")
    wait_until(lambda: page.title() and f"message={pk}" in marks)
    page.reload()
    expect(find_message(page, live)).to_be_visible()
    expect(line).to_have_count(0)


def test_mark_unread_on_a_phone_goes_back_to_the_list(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Later", sender=number)
    phone = open_page("ben", server.thread_path(number), viewport=NARROW, has_touch=True)
    wait_until_live(phone)
    mark_unread(phone)
    expect(phone.get_by_role("list", name="Threads")).to_be_visible()
    expect(row_marks(phone, format_number(number))).to_have_text("Unread")
    find_row(phone, format_number(number)).get_by_role("link").click()
    expect(find_message(phone, "Later")).to_be_visible()
    phone.get_by_role("link", name="Back to Front Desk").click()
    expect(row_marks(phone, format_number(number))).to_have_text("")


def test_mark_unread_on_a_desk_stays_until_the_thread_is_opened_again(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Later", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    mark_unread(page)
    expect(row_marks(page, format_number(number))).to_have_text("Unread")
    page.wait_for_timeout(1_100)  # once a second the page says what it shows
    expect(row_marks(page, format_number(number))).to_have_text("Unread")
    expect(find_message(page, "Later")).to_be_visible()
    find_row(page, format_number(number)).get_by_role("link").click()
    expect(row_marks(page, format_number(number))).to_have_text("")


def test_needs_reply_knows_of_answers_alone(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Who answers?", sender=number)
    page = open_page("ana", f"{server.inbox_path()}?only=reply")
    wait_until_live(page)
    find_row(page, format_number(number)).get_by_role("link").click()
    expect(find_message(page, "Who answers?")).to_be_visible()
    page.get_by_role("button", name="Internal message", exact=True).click()
    page.get_by_role("textbox", name="Message").fill("Not me")
    page.get_by_role("button", name="Add internal message").click()
    expect(find_row(page, format_number(number))).to_contain_text("You: Not me")
    page.get_by_role("button", name="Internal message", exact=True).click()
    send_text(page, "I do")
    expect(find_row(page, format_number(number))).to_have_count(0)
    server.receive_text("Thanks. And another thing", sender=number)
    expect(find_row(page, format_number(number))).to_be_visible()
