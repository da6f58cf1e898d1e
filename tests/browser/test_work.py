"""A team's work on a conversation, seen by two agents side by side: assign, done, snooze, labels,
send and mark done, and the region Details."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    Team,
    expect_readable,
    find_message,
    message_box,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

WITH_DETAILS: ViewportSize = {"width": 1440, "height": 900}


def button(page: Page, name: str) -> Locator:
    return page.locator(".thread").get_by_role("button", name=name, exact=True)


def title(page: Page) -> Locator:
    return page.locator(".thread .bar-title")


def press(page: Page, key: str) -> None:
    """Press a key while no field has the focus."""
    page.get_by_role("log", name="History").focus()
    page.keyboard.press(key)


def test_a_conversation_is_assigned_by_a_key_and_everybody_sees_whose_it_is(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    ana, ben = team["ana"].page, team["ben"].page
    button(ben, "Snooze").click()
    ben.get_by_role("menuitem", name="Choose a date…").click()
    chosen = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    ben.get_by_label("Date", exact=True).fill(chosen)
    press(ana, "a")
    menu = ana.get_by_role("menu", name="Assign to")
    members = menu.get_by_role("menuitemradio")
    expect(members).to_have_text(
        [re.compile(n) for n in ("Me", "Ben Okafor", "Cho Park", "Nobody")]
    )
    expect(members.first).to_be_focused()
    ana.keyboard.press("b")
    expect(members.nth(1)).to_be_focused()
    ana.keyboard.press("Enter")
    for page in (ana, ben):
        expect(button(page, "Assign")).to_have_text(re.compile("BO Ben|BO\\s*Ben"))
    expect(button(ana, "Assign")).to_be_focused()
    expect(button(ben, "Assign").locator(".is-mine")).to_be_visible()
    # What Ben was about to choose is still there.
    expect(ben.get_by_label("Date", exact=True)).to_be_focused()
    expect(ben.get_by_label("Date", exact=True)).to_have_value(chosen)
    ben.get_by_role("dialog", name="Snooze until").get_by_role("button", name="Snooze").click()
    for page in (ana, ben):
        expect(title(page)).to_contain_text("Snoozed until")
    press(ana, "a")
    expect(members.nth(1)).to_have_attribute("aria-checked", "true")
    ana.keyboard.press("Escape")
    title(ana).get_by_role("button", name="End snooze").click()
    for page in (ana, ben):
        expect(title(page)).not_to_contain_text("Snoozed until")


def test_done_is_seen_by_everybody_until_a_text_reopens_it(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    ana, ben = team["ana"].page, team["ben"].page
    press(ana, "e")
    for page in (ana, ben):
        expect(button(page, "Reopen")).to_be_visible()
        expect(title(page)).to_contain_text("Done")
    team.receive_text("One more thing")
    for page in (ana, ben):
        expect(button(page, "Done")).to_be_visible()
    button(ben, "Done").click()
    expect(button(ben, "Reopen")).to_be_focused()
    expect(button(ana, "Reopen")).to_be_visible()
    press(ana, "e")
    expect(button(ben, "Done")).to_be_visible()


def test_a_text_and_done_go_together_by_keys_and_by_the_button(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    ana, ben = team["ana"].page, team["ben"].page
    send = button(ana, "Send").bounding_box()
    message_box(ana).fill("It is ready")
    message_box(ana).press("Control+Shift+Enter")
    expect(find_message(ben, "It is ready")).to_be_visible()
    for page in (ana, ben):
        expect(button(page, "Reopen")).to_be_visible()
    expect(message_box(ana)).to_have_value("")
    expect(message_box(ana)).to_be_focused()
    expect(ana.get_by_role("status").filter(has_text="Sent and marked as done.")).to_be_visible()
    assert button(ana, "Send").bounding_box() == send
    # What others wrote meanwhile is asked about, and the wish is kept.
    button(ana, "Reopen").click()
    message_box(ben).fill("See you then")
    team.receive_text("At what time?")
    expect(find_message(ben, "At what time?")).to_be_visible()
    button(ben, "Send and mark done").click()
    ben.get_by_role("button", name="Send anyway").click()
    for page in (ana, ben):
        expect(find_message(page, "See you then")).to_be_visible()
        expect(button(page, "Reopen")).to_be_visible()
    message_box(ben).press("Control+i")
    expect(button(ben, "Send and mark done")).to_be_hidden()


def test_labels_are_ticked_one_after_the_other_by_keys(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Two labels, please", sender=number, to=DISPATCH)
    inbox = server.query("SELECT inbox_id FROM messaging_number WHERE address = %s", DISPATCH)
    for name in ("Aerial", "Basement"):
        server.query(
            "INSERT INTO threads_label (inbox_id, name, colour, seq) VALUES (%s, %s, 'blue', 0)",
            inbox[0][0],
            name,
        )
    path = server.thread_path(number, to=DISPATCH)
    ana, ben = (open_page(name, path, viewport=WITH_DETAILS) for name in ("ana", "ben"))
    for page in (ana, ben):
        wait_until_live(page)
    press(ana, "l")
    menu = ana.get_by_role("menu", name="Labels")
    for name in ("Aerial", "Basement"):
        item = menu.get_by_role("menuitemcheckbox", name=name)
        item.focus()
        ana.keyboard.press("Enter")
        expect(item).to_have_attribute("aria-checked", "true")
    details = ben.get_by_role("complementary", name="Details")
    expect(details).to_contain_text(re.compile("Labels\\s+Aerial\\s+Basement"))
    menu.get_by_role("menuitemcheckbox", name="Aerial").click()
    expect(details).not_to_contain_text("Aerial")
    expect_readable(ana)
    server.query("DELETE FROM threads_threadlabel")
    server.query("UPDATE threads_thread SET label_ids = '{}'")
    server.query("DELETE FROM threads_label WHERE inbox_id = %s", inbox[0][0])


def test_details_stand_beside_a_conversation_and_remember_being_closed(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    for to in (None, DISPATCH):
        server.receive_text("In two inboxes", sender=number, **({"to": to} if to else {}))
    path = server.thread_path(number)
    page = open_page("ana", path, viewport=WITH_DETAILS)
    wait_until_live(page)
    details = page.get_by_role("complementary", name="Details")
    expect(details).to_contain_text("Status Open")
    expect(details.get_by_role("link", name="Dispatch")).to_be_visible()
    button(page, "Done").click()
    expect(details).to_contain_text("Status Done")
    expect_readable(page)
    page.get_by_role("button", name="Close details").click()
    expect(details).to_be_hidden()
    expect(button(page, "Details")).to_be_focused()
    page.reload()
    expect(details).to_be_hidden()
    button(page, "Details").click()
    details.get_by_role("link", name="Dispatch").click()
    expect(page).to_have_url(server.url + server.thread_path(number, to=DISPATCH))
    expect(details.get_by_role("link", name="Front Desk")).to_be_visible()
    cho = open_page("cho", path, viewport=WITH_DETAILS)
    expect(cho.get_by_role("complementary", name="Details")).not_to_contain_text("Dispatch")


def test_on_a_phone_tools_are_for_fingers_and_details_behind_the_title(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("From a phone", sender=number)
    page = open_page("ana", server.thread_path(number), viewport=NARROW, has_touch=True)
    wait_until_live(page)
    for name in ("Assign", "Done", "Thread options"):
        box = button(page, name).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, name
    button(page, "Thread options").click()
    page.get_by_role("menuitem", name="Snooze").click()
    page.get_by_role("menu", name="Snooze").get_by_role("menuitem", name="Tomorrow").click()
    expect(title(page)).to_contain_text("Snoozed until tomorrow")
    # The line of the history fades in behind the sheet.
    expect(page.get_by_role("log").locator(".activity")).to_contain_text("snoozed this")
    button(page, "Details").click()
    details = page.get_by_role("complementary", name="Details")
    expect(details).to_contain_text("Snoozed until tomorrow")
    expect_readable(page)
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(page.get_by_role("log", name="History")).to_be_visible()
    message_box(page).fill("On my way")
    page.get_by_role("button", name="Attach or send later").click()
    page.get_by_role("menuitem", name="Send and mark done").click()
    expect(button(page, "Reopen")).to_be_visible()


def test_without_scripts_each_tool_is_a_form(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("By hand", sender=number)
    page = open_page("ben", server.thread_path(number), java_script_enabled=False)
    button(page, "Assign").click()
    page.get_by_role("menuitemradio", name="Me").click()
    expect(button(page, "Assign")).to_contain_text("Ben")
    button(page, "Snooze").click()
    page.get_by_role("menuitem", name="Choose a date…").click()
    day = datetime.now(UTC).date() + timedelta(days=3)
    page.get_by_label("Date", exact=True).fill(day.isoformat())
    page.get_by_role("dialog", name="Snooze until").get_by_role("button", name="Snooze").click()
    expect(title(page)).to_contain_text("Snoozed until")
    button(page, "Done").click()
    expect(title(page)).to_contain_text("Done")
    button(page, "Reopen").click()
    message_box(page).fill("The last word")
    button(page, "Send and mark done").click()
    expect(find_message(page, "The last word")).to_be_visible()
    expect(button(page, "Reopen")).to_be_visible()
    expect(page).to_have_url(server.url + server.thread_path(number))
