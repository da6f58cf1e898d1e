"""A text that failed or is unknown cannot be overlooked, until somebody has seen it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    Team,
    bell,
    count_unread,
    expect_readable,
    find_message,
    find_row,
    format_number,
    make_unique,
    send_text,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Team:
    return Team(open_page, server, "ana", "ben")


def failed_link(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Messages").get_by_role(
        "link", name=re.compile(r"^Failed")
    )


def mark_of(page: Page, words: str) -> Locator:
    """Find the red mark of a row."""
    return find_row(page, words).locator(".failure").first


def send_refused(server: Server, page: Page, body: str) -> None:
    """Send a text that the carrier refuses."""
    with server.set_carrier("reject"):
        send_text(page, body)
        expect(find_message(page, body)).to_contain_text("Failed")


def test_a_failed_text_is_marked_in_every_list_until_somebody_has_seen_it(
    team: Team, open_page: OpenPage, server: Server
) -> None:
    ana, ben = team["ana"], team["ben"]
    number = format_number(team.number)
    inbox, top = open_page("ben", server.inbox_path()), open_page("ben")
    for page in (inbox, top):
        wait_until_live(page)
    body = make_unique("Your part is in")
    send_refused(server, ana.page, body)
    expect(mark_of(inbox, number)).to_have_text(re.compile("Failed"))
    expect(mark_of(top, "Front Desk")).to_have_text(re.compile("Failed"))
    expect(failed_link(top)).to_be_visible()
    failed_link(inbox).click()
    expect(find_row(inbox, number)).to_have_count(1)
    failed_link(top).click()
    expect(find_row(top, number)).to_contain_text("Front Desk")
    message = ben.find_message(body)
    expect(message.get_by_role("button", name="Retry")).to_be_visible()
    message.get_by_role("button", name="Mark as seen").click()
    for at in (ana, ben):
        expect(at.find_message(body)).to_contain_text("Seen by Ben")
        expect(at.find_message(body).get_by_role("button", name="Mark as seen")).to_have_count(0)
    for page in (inbox, top):
        expect(find_row(page, number)).to_have_count(0)
    expect(mark_of(ana.page, number)).to_have_count(0)


def test_a_retry_that_arrives_takes_the_mark_away(team: Team, server: Server) -> None:
    ana, ben = team["ana"], team["ben"]
    number = format_number(team.number)
    body = make_unique("See you at two")
    send_refused(server, ana.page, body)
    expect(mark_of(ben.page, number)).to_be_visible()
    ben.find_message(body).get_by_role("button", name="Retry").click()
    expect(ana.find_message(body)).to_contain_text("Delivered")
    for at in (ana, ben):
        expect(mark_of(at.page, number)).to_have_count(0)


def test_its_author_is_told_elsewhere_and_nobody_else_is(
    team: Team, open_page: OpenPage, server: Server
) -> None:
    ana = team["ana"]
    body = make_unique("On our way")
    server.mark_all_read()
    with server.set_carrier("throttle"):
        send_text(ana.page, body)
        expect(ana.find_message(body)).to_contain_text("Waiting to be sent")
    with server.set_carrier("reject"):
        ana.page.goto(server.url + server.inbox_path(DISPATCH))
        wait_until_live(ana.page)
        away, ben = ana.page, team["ben"]
        before, others = count_unread(away), count_unread(ben.page)
        wait_until(lambda: count_unread(away) == before + 1)
    bell(away).click()
    told = away.get_by_role("list", name="Notifications").get_by_role("listitem").first
    expect(told).to_contain_text("Failed: your text")
    expect_readable(away, WIDE, NARROW)
    assert count_unread(ben.page) == others
    told.get_by_role("link").click()
    expect(find_message(away, body)).to_be_in_viewport()
    wait_until(lambda: count_unread(away) == before)


def test_everybody_can_read_the_marks(team: Team, open_page: OpenPage, server: Server) -> None:
    ana = team["ana"]
    send_refused(server, ana.page, make_unique("Nobody gets this"))
    expect_readable(ana.page, WIDE, NARROW)
    ana.page.set_viewport_size(WIDE)
    ana.box.fill("Half a thought")
    inbox = open_page("ana", server.inbox_path())
    row = find_row(inbox, format_number(team.number))
    expect(row).to_contain_text("Draft: Half a thought")
    expect_readable(inbox, WIDE, NARROW)
    top = open_page("ana", "/?only=failed")
    expect_readable(top, WIDE, NARROW)


def test_a_row_says_draft_to_its_author_alone_and_not_beside_the_box(
    team: Team, open_page: OpenPage, server: Server
) -> None:
    ana, ben = team["ana"], team["ben"]
    number = format_number(team.number)
    tab = open_page("ana", server.inbox_path())
    wait_until_live(tab)
    ana.box.press_sequentially("Half a thought")
    expect(find_row(tab, number).get_by_text("Draft:")).to_be_visible()
    expect(find_row(ana.page, number).get_by_text("Draft:")).to_be_hidden()
    expect(find_row(ben.page, number).get_by_text("Draft:")).to_have_count(0)
    ana.box.fill("")
    expect(find_row(tab, number).get_by_text("Draft:")).to_have_count(0)
