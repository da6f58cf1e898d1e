"""Scheduled texts: seen and changed by all members, sent when they are due."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.files import attach_files, attached_files, expect_shown, make_file
from tests.browser.pages import (
    TINY,
    WIDE,
    OpenBrowser,
    OpenPage,
    Team,
    ThreadPage,
    expect_readable,
    make_unique,
    open_handset,
    received_texts,
    wait_until_live,
)
from tests.browser.server import Server
from tests.messaging.attachments.picture_bytes import make_picture

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

    Open = Callable[..., BrowserContext]

NEW_YORK = "America/New_York"


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Team:
    return Team(open_page, server, "ana", "ben", timezone_id=NEW_YORK)


def scheduled_texts(at: ThreadPage) -> Locator:
    return at.page.get_by_role("region", name="Scheduled texts").get_by_role("listitem")


def schedule_text(at: ThreadPage, words: str, preset: str = "Tomorrow 9:00") -> None:
    at.box.fill(words)
    at.page.get_by_role("button", name="Send later").click()
    at.page.get_by_role("dialog", name="Send later").get_by_role("button", name=preset).click()


def make_due(server: Server, body: str) -> None:
    server.query("UPDATE messaging_scheduledtext SET send_at = now() WHERE body = %s", body)


def test_a_text_that_will_be_held_says_so_as_soon_as_the_customer_writes(team: Team) -> None:
    ana, ben = team["ana"], team["ben"]
    schedule_text(ana, "Your tires are in")
    expect(scheduled_texts(ben)).to_have_count(1)
    team.receive_text("Never mind, I am there already")
    for at in (ana, ben):
        expect(scheduled_texts(at)).to_contain_text(
            "Won't be sent at that time: The customer replied first."
        )
    expect_readable(ben.page, WIDE, TINY)
    ben.page.set_viewport_size(WIDE)
    scheduled_texts(ben).get_by_role("link", name=re.compile("^Edit")).click()
    ben.page.get_by_role("button", name="Save", exact=True).click()
    expect(scheduled_texts(ana)).not_to_contain_text("Won't be sent")
    scheduled_texts(ana).get_by_role("link", name=re.compile("^Edit")).wait_for()


def test_a_text_is_planned_seen_by_a_colleague_and_goes_at_its_hour(
    team: Team, open_browser: OpenBrowser
) -> None:
    ana, ben = team["ana"], team["ben"]
    handset = open_handset(open_browser(), team.server, team.number)
    schedule_text(ana, "Your car is ready")
    expect(ana.page.get_by_text("Scheduled for tomorrow, ")).to_be_visible()
    expect(ana.page.get_by_text("New York time").first).to_be_attached()
    expect(ana.box).to_have_value("")
    expect(ana.box).to_be_focused()
    for at in (ana, ben):
        expect(scheduled_texts(at)).to_contain_text("Tomorrow, 9:00 AM")
        expect(scheduled_texts(at)).to_contain_text("Ana")
        expect(scheduled_texts(at)).to_contain_text("Your car is ready")
    expect(ben.find_message("Your car is ready")).to_have_count(0)
    [[local]] = team.server.query(
        "SELECT to_char(send_at AT TIME ZONE %s, 'HH24:MI') FROM messaging_scheduledtext"
        " WHERE body = 'Your car is ready'",
        NEW_YORK,
    )
    assert local == "09:00"
    make_due(team.server, "Your car is ready")
    for at in (ana, ben):
        expect(at.find_message("Your car is ready")).to_contain_text("Delivered")
        expect(scheduled_texts(at)).to_have_count(0)
    expect(received_texts(handset)).to_contain_text("Your car is ready")


def test_the_hour_is_chosen_with_the_keyboard_and_enter_in_its_field_plans(team: Team) -> None:
    ana = team["ana"]
    ana.box.fill("Happy new year")
    ana.page.get_by_role("button", name="Send later").press("Enter")
    expect(ana.page.get_by_role("button", name="In 1 hour")).to_be_focused()
    hour = ana.page.get_by_label("Date and time")
    expect(hour).not_to_have_value("")
    hour.fill("2027-01-01T00:05")
    hour.press("Enter")
    expect(scheduled_texts(ana)).to_contain_text("Fri, Jan 1, 2027, 12:05 AM")
    ana.expect_internal(yes=False)
    ana.page.reload()
    expect(scheduled_texts(ana)).to_contain_text("Fri, Jan 1, 2027, 12:05 AM")
    # A time that has passed is refused beside the box, and nothing is sent in its place.
    ana.box.fill("Too late")
    ana.page.get_by_role("button", name="Send later").click()
    hour.fill("2020-01-01T10:00")
    ana.page.get_by_role("button", name="Schedule").click()
    expect(ana.page.get_by_role("alert")).to_contain_text("That time has passed")
    expect(ana.box).to_have_value("Too late")
    expect(ana.find_message("Too late")).to_have_count(0)


def test_a_colleague_changes_it_and_another_deletes_it(team: Team) -> None:
    ana, ben = team["ana"], team["ben"]
    schedule_text(ana, "See you at ten", "Monday 9:00 AM")
    scheduled_texts(ben).get_by_role("link", name="Edit").click()
    words = ben.page.get_by_role("textbox", name="Text", exact=True)
    expect(words).to_have_value("See you at ten")
    expect(ben.page.get_by_label("Date and time")).to_have_value(re.compile(r"T09:00$"))
    words.fill("See you at eleven")
    ben.page.get_by_role("button", name="Save", exact=True).click()
    for at in (ana, ben):
        expect(scheduled_texts(at)).to_contain_text("See you at eleven")
        expect(scheduled_texts(at)).to_contain_text("Ben")
    scheduled_texts(ana).get_by_role("link", name="Edit").click()
    ana.page.get_by_role("button", name="Delete", exact=True).click()
    expect(scheduled_texts(ben)).to_have_count(0)
    expect(scheduled_texts(ana)).to_have_count(0)


def test_what_came_meanwhile_holds_it_and_its_author_is_told_and_decides(team: Team) -> None:
    ana, ben = team["ana"], team["ben"]
    team.server.mark_all_read()  # its own stands on the first page then
    schedule_text(ana, "Shall we start?")
    expect(scheduled_texts(ben)).to_contain_text("Shall we start?")
    team.receive_text("Please do not start")
    expect(ana.find_message("Please do not start")).to_be_visible()
    make_due(team.server, "Shall we start?")
    for at in (ana, ben):
        expect(scheduled_texts(at)).to_contain_text("Not sent")
        expect(scheduled_texts(at)).to_contain_text("They replied first.")
        told = at.find_message("Your scheduled text wasn't sent because they replied first.")
        expect(told).to_contain_text("Review it above the message box.")
        expect(told).to_contain_text("Internal")
    expect(ana.find_message("Shall we start?")).to_have_count(0)
    ana.page.goto(f"{team.server.url}/notifications/")
    expect(ana.page.get_by_role("main")).to_contain_text("Text not sent")
    scheduled_texts(ben).get_by_role("button", name="Send now").click()
    expect(ben.find_message("Shall we start?")).to_contain_text("Ben")
    expect(scheduled_texts(ben)).to_have_count(0)


def test_an_internal_message_offers_no_later_hour(team: Team) -> None:
    ana = team["ana"]
    expect(ana.page.get_by_role("button", name="Send later")).to_be_visible()
    ana.eye.click()
    expect(ana.page.get_by_role("button", name="Send later")).to_be_hidden()


def test_without_scripts_a_text_is_planned_changed_and_deleted(
    team: Team, open_page: OpenPage
) -> None:
    page = open_page("ana", team.path, java_script_enabled=False)
    page.get_by_role("textbox", name="Message", exact=True).fill("Without a script")
    page.get_by_role("button", name="Send later").click()
    page.get_by_role("button", name="In 1 hour").click()
    planned = page.get_by_role("region", name="Scheduled texts").get_by_role("listitem")
    expect(planned).to_contain_text("Without a script")
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value("")
    planned.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Text", exact=True).fill("Changed without a script")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(planned).to_contain_text("Changed without a script")
    planned.get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(planned).to_have_count(0)


def test_menu_strip_and_page_are_readable_by_everyone(team: Team) -> None:
    schedule_text(team["ana"], "Readable")
    ben = team["ben"]
    expect(scheduled_texts(ben)).to_have_count(1)
    for size in (WIDE, TINY):
        ben.page.set_viewport_size(size)
        ben.page.goto(team.server.url + team.path)
        wait_until_live(ben.page)
        ben.box.fill("Something")
        if size is TINY:
            ben.page.get_by_role("button", name="Attach or send later").click()
            expect_readable(ben.page)
            ben.page.get_by_role("menuitem", name="Send later").click()
        else:
            ben.page.get_by_role("button", name="Send later").click()
        expect(ben.page.get_by_role("dialog", name="Send later")).to_be_visible()
        expect_readable(ben.page)
        ben.page.keyboard.press("Escape")
        scheduled_texts(ben).get_by_role("link", name="Edit").click()
        expect(ben.page.get_by_role("button", name="Save", exact=True)).to_be_visible()
        expect_readable(ben.page)


def test_a_picture_is_scheduled_seen_and_sent_from_the_page_of_all(team: Team) -> None:
    ana, ben, words = team["ana"], team["ben"], make_unique("The new roof")
    attach_files(ana.page, make_file("roof.jpg", make_picture()))
    expect(attached_files(ana.page)).to_have_count(1)
    schedule_text(ana, words)
    expect(attached_files(ana.page)).to_have_count(0)
    planned = scheduled_texts(ben).filter(has_text=words)
    expect(planned.get_by_role("link", name="roof.jpg")).to_be_visible()
    ben.page.goto(f"{team.server.url}/later/")
    row = ben.page.get_by_role("list", name="Scheduled texts").get_by_role("listitem")
    row = row.filter(has_text=words)
    row.get_by_role("button", name="Send now").click()
    expect(row).to_contain_text("Sent")
    expect(row.get_by_role("button")).to_have_count(0)
    expect(ana.find_message(words)).to_contain_text("Ben")
    expect_shown(ana.find_message(words).locator(".picture-link img"), 1)
    expect(scheduled_texts(ana).filter(has_text=words)).to_have_count(0)
    expect_readable(ben.page, WIDE, TINY)
