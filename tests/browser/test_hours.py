"""An inbox's hours: the composer says when it is closed, and administrators set them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    expect_readable,
    find_message,
    history,
    message_box,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

INBOX = "Dispatch"
NUMBER = "+12025550111"
TOLD = "We're closed until tomorrow."


def set_hours(server: Server, *, is_closed: bool, answers: bool = False) -> None:
    """Let the inbox be closed from yesterday to tomorrow, or open as long."""
    today = datetime.now(UTC).weekday()
    near = {(today + days) % 7 for days in (-1, 0, 1)}
    week = [[["00:00", "24:00"]] if (day in near) != is_closed else [] for day in range(7)]
    server.query(
        "UPDATE inboxes_inbox SET weekly_hours = %s::jsonb, time_zone = 'UTC', closed_text = %s,"
        " answers_when_closed = %s WHERE name = %s",
        json.dumps(week),
        TOLD,
        answers,
        INBOX,
    )


@pytest.fixture(autouse=True)
def _hours_end_with_the_test(server: Server) -> Iterator[None]:
    yield
    server.query(
        "UPDATE inboxes_inbox SET weekly_hours = '[]', time_zone = '', closed_text = '',"
        " answers_when_closed = false, holiday_region = '' WHERE name = %s",
        INBOX,
    )


def test_what_the_contact_was_told_appears_beside_their_text(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Before", sender=number, to=NUMBER)
    page = open_page("ana", server.thread_path(number, NUMBER), bypass_csp=True)
    wait_until_live(page)
    message_box(page).press_sequentially("Half an answer")
    expect(page.locator(".closed-note")).to_be_hidden()
    set_hours(server, is_closed=True, answers=True)
    server.receive_text("Are you there?", sender=number, to=NUMBER)
    expect(find_message(page, TOLD)).to_contain_text("Automatic")
    note = page.locator(".closed-note")
    expect(note).to_contain_text("Dispatch is closed until ")
    expect(note).to_contain_text("This contact was told so today at ")
    expect(note.get_by_text(TOLD)).to_be_hidden()
    note.get_by_text("was told so").click()
    expect(note.get_by_text(TOLD)).to_be_visible()
    expect(message_box(page)).to_have_value("Half an answer")
    expect_readable(page, WIDE, NARROW)
    server.receive_text("Hello?", sender=number, to=NUMBER)
    find_message(page, "Hello?").wait_for()
    expect(history(page).get_by_text(TOLD)).to_have_count(1)


def test_a_page_that_stays_open_says_when_the_inbox_closes(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Before", sender=number, to=NUMBER)
    set_hours(server, is_closed=False)
    page = open_page("ana")
    page.clock.install()
    page.goto(server.url + server.thread_path(number, NUMBER))
    wait_until_live(page)
    message_box(page).fill("Half an answer")
    expect(page.locator(".closed-note")).to_be_hidden()
    # The night comes, without any news from the server.
    set_hours(server, is_closed=True)
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=3))
    page.clock.run_for(11_000)
    expect(page.locator(".closed-note")).to_contain_text("Dispatch is closed until ")
    expect(message_box(page)).to_have_value("Half an answer")


def test_an_administrator_sets_hours_copies_them_and_reads_them_out(
    open_page: OpenPage, server: Server
) -> None:
    [[inbox]] = server.query("SELECT id FROM inboxes_inbox WHERE name = %s", INBOX)
    page = open_page("admin", f"/admin/inboxes/inbox/{inbox}/change/", bypass_csp=True)
    monday, sunday = (
        page.get_by_role("group", name=day, exact=True) for day in ("Monday", "Sunday")
    )
    expect(monday).to_contain_text("Closed")
    for number, (opens, closes) in enumerate([("08:00", "12:00"), ("13:00", "18:00")]):
        monday.get_by_role("button", name="add hours").click()
        monday.get_by_label("Monday, opens").nth(number).fill(opens)
        monday.get_by_label("Monday, closes").nth(number).fill(closes)
    read_out = page.locator("[data-hours-read]")
    expect(read_out).to_contain_text("Open Monday 8:00 AM to 12:00 PM and 1:00 PM to 6:00 PM (")
    monday.get_by_role("button", name="copy to weekdays").click()
    friday = page.get_by_role("group", name="Friday", exact=True)
    friday.get_by_role("button", name="remove these hours").last.click()
    expect(read_out).to_contain_text("Monday to Thursday")
    expect(read_out).to_contain_text("Friday 8:00 AM to 12:00 PM")
    page.get_by_label("Closed on public holidays of").select_option(label="Germany")
    page.get_by_label("Region").select_option(label="Bayern")
    expect(read_out).to_contain_text("public holidays (Bayern, Germany)")
    expect(read_out).to_contain_text("Next holidays:")
    page.get_by_label("Answer while closed").fill("We open {opens}. " * 10)
    expect(page.get_by_text(re.compile(r"· 3 segments$"))).to_be_visible()
    expect(sunday).to_contain_text("Closed")
    for table in ("Closed days", "Members", "Labels"):
        expect(page.get_by_role("button", name=f"Add another: {table}")).to_be_visible()
    expect_readable(page, WIDE, NARROW)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/inboxes/inbox/")
    saved = server.query(
        "SELECT weekly_hours, holiday_region FROM inboxes_inbox WHERE name = %s", INBOX
    )
    both = [["08:00", "12:00"], ["13:00", "18:00"]]
    assert saved == [([both, both, both, both, both[:1], [], []], "DE-BY")]
