"""Whoever texts somebody at night is asked once; what Details tell of a contact is live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.pages import OpenPage, Team, make_unique, new_number
from tests.browser.server import Server
from tests.cast import FRONT_DESK

ROOMY: ViewportSize = {"width": 1360, "height": 800}
ZONES = ["America/Denver", "Europe/Paris", "Asia/Tokyo", "Pacific/Auckland", "Asia/Dubai"]


def zone_at_night() -> str:
    """Return a time zone in which it is night now and for some hours."""
    now = datetime.now(UTC)
    hours = {name: now.astimezone(ZoneInfo(name)).hour for name in ZONES}
    return next(name for name, hour in hours.items() if hour >= 22 or hour < 6)


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Iterator[Team]:
    """Return two members with the thread of somebody who wrote two hours ago, and sleeps now."""
    team = Team(open_page, server, "ana", "ben", viewport=ROOMY, locale="en-US")
    of_contact = "(SELECT id FROM threads_contact WHERE address = %s)"
    server.query(
        "UPDATE threads_contact SET time_zone = %s, name = 'Rosa' WHERE address = %s",
        zone_at_night(),
        team.number,
    )
    server.query(
        "UPDATE messaging_message SET created_at = created_at - interval '2 hours' WHERE"
        f" thread_id = (SELECT id FROM threads_thread WHERE contact_id = {of_contact})",
        team.number,
    )
    server.query("UPDATE inboxes_inbox SET has_quiet_hours = true WHERE name = 'Front Desk'")
    yield team
    server.query("UPDATE inboxes_inbox SET has_quiet_hours = false WHERE name = 'Front Desk'")


def question_on(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="for Rosa")


def test_a_text_at_night_waits_for_the_customers_morning(team: Team) -> None:
    ana, ben, words = team["ana"], team["ben"], make_unique("We can come")
    ana.box.fill(words)
    ana.box.press("Enter")
    question = question_on(ana.page)
    expect(question.get_by_role("button", name="Keep editing")).to_be_focused()
    # Whoever presses Enter twice has read nothing yet.
    ana.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    expect(ana.box).to_be_focused()
    expect(ana.box).to_have_value(words)
    ana.box.press("Enter")
    question.get_by_role("button", name="Schedule for 8:00 AM their time").click()
    expect(question).to_have_count(0)
    expect(ana.box).to_have_value("")
    for at in (ana, ben):
        scheduled = at.page.get_by_role("region", name="Scheduled texts")
        expect(scheduled.get_by_role("listitem")).to_contain_text(words)
    expect(ana.page.get_by_role("status").filter(has_text="Scheduled for")).to_be_visible()
    morning = team.server.query(
        "SELECT send_at FROM messaging_scheduledtext WHERE body = %s", words
    )[0][0]
    assert f"{morning.astimezone(ZoneInfo(zone_at_night())):%H:%M}" == "08:00"


def test_a_text_at_night_is_sent_anyway_and_the_next_one_is_asked_about(team: Team) -> None:
    ana, words = team["ana"], make_unique("It cannot wait")
    ana.box.fill(words)
    ana.page.keyboard.press("Control+Shift+Enter")
    question_on(ana.page).get_by_role("button", name="Send anyway").click()
    expect(ana.find_message(words)).to_be_visible()
    expect(ana.page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(ana.box).to_have_value("")
    ana.box.fill("And this")
    ana.send()
    expect(question_on(ana.page)).to_be_visible()


def test_a_text_that_failed_at_night_waits_for_the_morning_too(team: Team) -> None:
    ana, words = team["ana"], make_unique("We can come")
    ana.box.fill(words)
    ana.box.press("Enter")
    with team.server.set_carrier("reject"):
        question_on(ana.page).get_by_role("button", name="Send anyway").click()
        retry = ana.find_message(words).get_by_role("button", name="Retry", exact=True)
        expect(retry).to_be_visible()
    retry.press("Enter")
    schedule = ana.find_message(words).get_by_role("button", name="Schedule for 8:00 AM their")
    expect(schedule).to_be_focused()
    ana.page.set_viewport_size({"width": 390, "height": 844})
    place = schedule.bounding_box()
    assert place is not None
    assert place["x"] >= 0, "a narrow page cuts it off"
    ana.page.keyboard.press("Enter")
    scheduled = ana.page.get_by_role("region", name="Scheduled texts")
    expect(scheduled.get_by_role("listitem")).to_contain_text(words)
    expect(ana.find_message(words)).to_contain_text("Seen by Ana")
    expect(retry).to_be_focused()


def test_a_text_for_the_night_is_scheduled_anyway(team: Team) -> None:
    ana, words = team["ana"], make_unique("See you soon")
    ana.box.fill(words)
    ana.page.get_by_role("button", name="Send later").click()
    menu = ana.page.get_by_role("dialog", name="Send later")
    menu.get_by_role("button", name="In 1 hour").click()
    question_on(ana.page).get_by_role("button", name="Schedule anyway").click()
    scheduled = ana.page.get_by_role("region", name="Scheduled texts").get_by_role("listitem")
    expect(scheduled).to_contain_text(words)
    send_at = team.server.query(
        "SELECT send_at FROM messaging_scheduledtext WHERE body = %s", words
    )[0][0]
    assert timedelta(minutes=50) < send_at - datetime.now(UTC) < timedelta(minutes=61)


def test_details_follow_what_colleagues_record(team: Team, open_page: OpenPage) -> None:
    ana, ben = team["ana"].page, team["ben"].page
    details = ben.get_by_role("complementary", name="Details")
    details.get_by_role("link", name="Record consent…").click()
    ben.get_by_role("textbox", name="Where, or in what words").fill("Checkout page")
    ben.get_by_role("button", name="Record consent").click()
    for page in (ana, ben):
        shown = page.get_by_role("complementary", name="Details")
        expect(shown).to_contain_text("On a web form")
        expect(shown).to_contain_text("Checkout page")
    team.receive_text("please stop")
    opt_out = ana.get_by_role("complementary", name="Details").get_by_role(
        "region", name="Opt-out"
    )
    expect(opt_out).to_contain_text("They texted “please stop”, today at")
    opt_out.get_by_role("link", name="End opt-out…").click()
    ana.get_by_role("textbox", name="Why can you text them again?").fill("They called")
    ana.get_by_role("button", name="End opt-out").click()
    for page in (ana, ben):
        expect(page.get_by_role("region", name="Opt-out")).to_have_count(0)
    german = open_page("cho", team.path, viewport=ROOMY, locale="de-DE")
    now = datetime.now(ZoneInfo(zone_at_night()))
    clocks = [f"{now + timedelta(minutes=step):%H:%M}" for step in (-1, 0, 1)]
    local_time = german.locator("[data-zones]")
    expect(local_time).to_have_text(re.compile("|".join(clocks)))


def test_enter_in_a_field_does_not_say_yes_to_a_question(team: Team, open_page: OpenPage) -> None:
    words = make_unique("Hello there")
    page = open_page("ana", "/start/", viewport=ROOMY)
    page.get_by_role("combobox", name="From").select_option("Front Desk")
    page.get_by_role("textbox", name="To").fill(team.number)
    page.get_by_role("textbox", name="Message").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("link", name="Keep editing")).to_be_focused()
    # Whoever presses Enter twice has read nothing yet.
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send anyway")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("button", name="Send anyway")).to_be_visible()
    page.get_by_role("textbox", name="To").press("Enter")
    page.wait_for_load_state()
    expect(page.get_by_role("button", name="Send anyway")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_have_value(words)
    page.get_by_role("button", name="Schedule for 8:00 AM their time").click()
    scheduled = page.get_by_role("region", name="Scheduled texts").get_by_role("listitem")
    expect(scheduled).to_contain_text(words)
    assert team.server.count_messages(words) == 0


def test_a_first_text_that_waits_says_for_when_and_its_conversation_that_it_does(
    team: Team, server: Server
) -> None:
    page, number = team["ana"].page, new_number()
    server.query(
        "INSERT INTO threads_contact (inbox_id, address, raw_address, kind, name, time_zone,"
        " is_unused, created_at) SELECT inbox_id, %s, %s, 'phone', 'Rosa', %s, true, now()"
        " FROM messaging_number WHERE address = %s",
        number,
        number,
        zone_at_night(),
        FRONT_DESK,
    )
    page.goto(f"{server.url}/start/?to={number.replace('+', '%2B')}")
    page.get_by_role("combobox", name="From").select_option(label="Front Desk")
    page.get_by_role("textbox", name="Message").fill(make_unique("We can come"))
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Schedule for 8:00 AM their time").click()
    toast = page.get_by_role("status").filter(has_text="Scheduled for")
    expect(toast.get_by_role("time")).to_be_visible()
    log = page.get_by_role("log", name="History")
    expect(log).to_contain_text("No messages yet")
    expect(log.get_by_text("The first one is scheduled.")).to_be_visible()
    expect(log.get_by_text("Send the first one below.")).to_be_hidden()
    page.get_by_role("link", name="Edit the text").click()
    page.get_by_role("button", name="Delete").click()
    expect(log.get_by_text("Send the first one below.")).to_be_visible()
    expect(log.get_by_text("The first one is scheduled.")).to_be_hidden()
