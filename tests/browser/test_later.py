"""Send later: planned beside Send, seen and changed by all members, sent at its hour."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest
from playwright.sync_api import expect

from tests.browser.people import At, Office, open_thread, sign_in
from tests.browser.test_look import overflow, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

    from tests.stack import Stack

    Open = Callable[..., BrowserContext]

NEW_YORK = "America/New_York"


@pytest.fixture
def office(open_browser: Open, live_stack: Stack) -> Office:
    return Office(open_browser, live_stack, "ana", "ben", timezone_id=NEW_YORK)


def sql(stack: Stack, statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def strip(at: At) -> Locator:
    return at.page.get_by_role("region", name="To be sent later").get_by_role("listitem")


def choose(at: At, words: str, preset: str = "Tomorrow 9:00") -> None:
    at.box.fill(words)
    at.page.get_by_role("button", name="Send later").click()
    at.page.get_by_role("dialog", name="Send later").get_by_role("button", name=preset).click()


def let_it_be_due(stack: Stack, words: str) -> None:
    sql(stack, "UPDATE messaging_scheduledtext SET send_at = now() WHERE body = %s", words)


def test_a_text_is_planned_seen_by_a_colleague_and_goes_at_its_hour(office: Office) -> None:
    ana, ben = office["ana"], office["ben"]
    choose(ana, "Your car is ready")
    expect(ana.box).to_have_value("")
    expect(ana.box).to_be_focused()
    for at in (ana, ben):
        expect(strip(at)).to_contain_text("Tomorrow, 09:00")
        expect(strip(at)).to_contain_text("Ana")
        expect(strip(at)).to_contain_text("Your car is ready")
    expect(ben.article("Your car is ready")).to_have_count(0)
    [[local]] = sql(
        office.stack,
        "SELECT to_char(send_at AT TIME ZONE %s, 'HH24:MI') FROM messaging_scheduledtext"
        " WHERE body = 'Your car is ready'",
        NEW_YORK,
    )
    assert local == "09:00"
    let_it_be_due(office.stack, "Your car is ready")
    for at in (ana, ben):
        expect(at.article("Your car is ready")).to_contain_text("Delivered")
        expect(strip(at)).to_have_count(0)
    expect(office.customer.received).to_contain_text("Your car is ready")


def test_the_hour_is_chosen_with_the_keyboard_and_enter_in_its_field_plans(office: Office) -> None:
    ana = office["ana"]
    ana.box.fill("Happy new year")
    ana.page.get_by_role("button", name="Send later").press("Enter")
    expect(ana.page.get_by_role("button", name="In 1 hour")).to_be_focused()
    hour = ana.page.get_by_label("Day and time")
    expect(hour).not_to_have_value("")
    hour.fill("2027-01-01T00:05")
    hour.press("Enter")
    expect(strip(ana)).to_contain_text("Fri 1 Jan 2027, 00:05")
    ana.is_internal(yes=False)
    ana.page.reload()
    expect(strip(ana)).to_contain_text("Fri 1 Jan 2027, 00:05")
    # A time that has passed is refused beside the box, and nothing is sent in its place.
    ana.box.fill("Too late")
    ana.page.get_by_role("button", name="Send later").click()
    hour.fill("2020-01-01T10:00")
    ana.page.get_by_role("button", name="Schedule").click()
    expect(ana.page.get_by_role("alert")).to_contain_text("That time has passed")
    expect(ana.box).to_have_value("Too late")
    expect(ana.article("Too late")).to_have_count(0)


def test_a_colleague_changes_it_and_another_deletes_it(office: Office) -> None:
    ana, ben = office["ana"], office["ben"]
    choose(ana, "See you at ten", "Next Monday 9:00")
    strip(ben).get_by_role("link", name="Change").click()
    words = ben.page.get_by_role("textbox", name="Text", exact=True)
    expect(words).to_have_value("See you at ten")
    expect(ben.page.get_by_label("Day and time")).to_have_value(re.compile(r"T09:00$"))
    words.fill("See you at eleven")
    ben.page.get_by_role("button", name="Save").click()
    for at in (ana, ben):
        expect(strip(at)).to_contain_text("See you at eleven")
        expect(strip(at)).to_contain_text("Ben")
    strip(ana).get_by_role("link", name="Change").click()
    ana.page.get_by_role("button", name="Delete", exact=True).click()
    expect(strip(ben)).to_have_count(0)
    expect(strip(ana)).to_have_count(0)


def test_what_came_meanwhile_holds_it_and_its_author_is_told_and_decides(office: Office) -> None:
    ana, ben = office["ana"], office["ben"]
    choose(ana, "Shall we start?")
    expect(strip(ben)).to_contain_text("Shall we start?")
    office.customer.text("Please do not start")
    expect(ana.article("Please do not start")).to_be_visible()
    let_it_be_due(office.stack, "Shall we start?")
    for at in (ana, ben):
        expect(strip(at)).to_contain_text("Not sent")
        expect(strip(at)).to_contain_text("wrote in this conversation after it was planned")
        expect(at.article("A text that was to go now was not sent")).to_contain_text("Internal")
    expect(ana.article("Shall we start?")).to_have_count(0)
    ana.page.goto(f"{office.stack.url}/notifications/")
    expect(ana.page.get_by_role("main")).to_contain_text("A text was not sent")
    strip(ben).get_by_role("button", name="Send now").click()
    expect(ben.article("Shall we start?")).to_contain_text("Ben")
    expect(strip(ben)).to_have_count(0)


def test_an_internal_message_offers_no_later_hour(office: Office) -> None:
    ana = office["ana"]
    expect(ana.page.get_by_role("button", name="Send later")).to_be_visible()
    ana.eye.click()
    expect(ana.page.get_by_role("button", name="Send later")).to_be_hidden()


def test_without_scripts_a_text_is_planned_changed_and_deleted(
    office: Office, open_browser: Open
) -> None:
    page = sign_in(open_browser(java_script_enabled=False), office.stack, "ana")
    page.goto(f"{office.stack.url}{office.path}")
    page.get_by_role("textbox", name="Message", exact=True).fill("Without a script")
    page.get_by_role("button", name="Send later").click()
    page.get_by_role("button", name="In 1 hour").click()
    planned = page.get_by_role("region", name="To be sent later").get_by_role("listitem")
    expect(planned).to_contain_text("Without a script")
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value("")
    planned.get_by_role("link", name="Change").click()
    page.get_by_role("textbox", name="Text", exact=True).fill("Changed without a script")
    page.get_by_role("button", name="Save").click()
    expect(planned).to_contain_text("Changed without a script")
    planned.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(planned).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menu_strip_and_page_are_readable_by_everyone(
    office: Office, open_browser: Open, theme: str
) -> None:
    choose(office["ana"], "Readable")
    expect(strip(office["ana"])).to_have_count(1)
    for width in (1200, 320):
        context = open_browser(viewport={"width": width, "height": 740}, color_scheme=theme)
        at = open_thread(sign_in(context, office.stack, "ben"), office.stack, office.path)
        at.box.fill("Something")
        at.page.get_by_role("button", name="Send later").click()
        expect(at.page.get_by_role("dialog", name="Send later")).to_be_visible()
        assert (violations(at.page), overflow(at.page)) == ([], 0)
        at.page.keyboard.press("Escape")
        strip(at).get_by_role("link", name="Change").click()
        expect(at.page.get_by_role("button", name="Save")).to_be_visible()
        assert (violations(at.page), overflow(at.page)) == ([], 0)
