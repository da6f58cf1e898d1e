"""Times follow the browser's language and time zone, and the server words them alike."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from inboxes import times
from tests.browser.pages import (
    OpenPage,
    find_message,
    find_row,
    format_number,
    message_box,
    new_number,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
STEPS = [
    timedelta(0),
    *(sign * timedelta(minutes=minutes) for minutes in (1, 89, 200, 700) for sign in (1, -1)),
    *(sign * timedelta(days=days) for days in (1, 2, 6, 7, 30, 60, 400) for sign in (1, -1)),
]
READERS = [
    ("en-US", "America/New_York"),
    ("en-GB", "Europe/London"),
    ("de-DE", "Europe/Berlin"),
    ("ar-EG", "Africa/Cairo"),
    ("ja-JP", "Asia/Tokyo"),
    ("en-CA", "America/St_Johns"),
    ("fr-FR", "Europe/Paris"),
    ("es-MX", "Etc/GMT+6"),
]
WORD_TIMES = """([moments, styles, now]) => {
  const { name } = performance.getEntriesByType("resource")
    .find(entry => /\\/shared\\/times\\b[^/]*\\.js$/.test(entry.name));
  return import(name).then(({ formatTime, formatFull }) => moments.map(moment => {
    const at = new Date(moment);
    return [...styles.map(style => formatTime(at, style, new Date(now))), formatFull(at)];
  }));
}"""


@pytest.mark.parametrize(("language", "zone"), READERS)
def test_server_and_page_word_every_time_alike(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, language: str, zone: str
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    page = open_page("ana", locale=language, timezone_id=zone)
    moments = [NOW + step for step in STEPS]
    styles: list[times.Style] = list(get_args(times.Style))
    given: list[Any] = [[at.isoformat() for at in moments], styles, NOW.isoformat()]
    on_page = page.evaluate(WORD_TIMES, given)
    with times.reading(language, zone):
        on_server = [
            [*(times.format_time(at, style) for style in styles), times.format_full(at)]
            for at in moments
        ]
    assert on_page == on_server


def sent_at(server: Server, body: str, zone: str, pattern: str) -> str:
    [[words]] = server.query(
        "SELECT to_char(created_at AT TIME ZONE %s, %s) FROM messaging_message WHERE body = %s",
        zone,
        pattern,
        body,
    )
    return str(words)


@pytest.mark.parametrize(
    ("language", "zone", "pattern"),
    [
        ("en-US", "America/New_York", "FMHH12:MI AM"),
        ("en-GB", "Europe/London", "HH24:MI"),
        ("de-DE", "Asia/Kolkata", "HH24:MI"),
        ("ar-EG", "Africa/Cairo", "FMHH12:MI AM"),
    ],
)
def test_rows_and_messages_show_the_readers_own_clock_and_the_full_date_on_hover(
    open_page: OpenPage, server: Server, language: str, zone: str, pattern: str
) -> None:
    number = new_number()
    server.receive_text("When was that?", sender=number)
    page = open_page("ana", server.thread_path(number), locale=language, timezone_id=zone)
    wait_until_live(page)
    live = f"And that, in {language}?"
    server.receive_text(live, sender=number)
    clock = sent_at(server, live, zone, pattern)
    message = find_message(page, live)
    expect(message.locator(".meta time")).to_have_text(clock)
    expect(find_row(page, format_number(number)).locator("time")).to_have_text(clock)
    full = message.locator(".meta time").get_attribute("title") or ""
    assert full.endswith(f" at {clock}, {zone.rpartition('/')[2].replace('_', ' ')} time")
    assert re.match(r"\w+day, (\w+ \d+,|\d+ \w+) \d{4} at ", full)


def open_reader(open_page: OpenPage, server: Server, number: str, **options: Any) -> Page:
    page = open_page("cho", server.thread_path(number), **options)
    wait_until_live(page)
    return page


def test_opting_out_and_scheduling_are_said_in_the_readers_own_time(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello", sender=number)
    page = open_reader(
        open_page, server, number, locale="en-US", timezone_id="America/Los_Angeles"
    )
    message_box(page).fill("Good morning")
    page.get_by_role("button", name="Send later").click()
    dialog = page.get_by_role("dialog", name="Send later")
    expect(dialog).to_contain_text("Los Angeles time")
    dialog.get_by_role("button", name="Tomorrow 9:00 AM").click()
    expect(page.get_by_role("status").filter(has_text="Scheduled for")).to_have_text(
        "Scheduled for tomorrow, 9:00 AM."
    )
    server.receive_text("stop", sender=number)
    refusal = page.locator(".refusal")
    clock = sent_at(server, "stop", "America/Los_Angeles", "FMHH12:MI AM")
    expect(refusal).to_contain_text(f"opted out of texts from (202) 555-0110 today at {clock}.")
    expect(refusal.locator("time")).to_have_attribute("title", re.compile(r"Los Angeles time$"))


def test_the_server_learns_the_zone_and_words_a_page_without_scripts_in_it(
    open_page: OpenPage, server: Server
) -> None:
    number, body = new_number(), "Without scripts, what time is it?"
    server.receive_text(body, sender=number)
    path = server.thread_path(number)
    open_reader(open_page, server, number, locale="en-GB", timezone_id="Asia/Kathmandu")
    asked = "SELECT language, time_zone FROM inboxes_agent WHERE username = 'cho'"
    wait_until(lambda: server.query(asked) == [("en-GB", "Asia/Kathmandu")])
    plain = open_page("cho", path, java_script_enabled=False)
    clock = sent_at(server, body, "Asia/Kathmandu", "HH24:MI")
    expect(find_message(plain, body).locator(".meta time")).to_have_text(clock)
    expect(plain.get_by_text("Times are in Kathmandu time")).to_be_visible()


def test_the_administration_says_its_time_zone_and_follows_it(
    open_page: OpenPage, server: Server
) -> None:
    options: dict[str, Any] = {"locale": "de-DE", "timezone_id": "Europe/Berlin"}
    admin = open_page("admin", "/admin/", **options)
    asked = "SELECT time_zone FROM inboxes_agent WHERE username = 'admin'"
    wait_until(lambda: server.query(asked) == [("Europe/Berlin",)])
    admin.reload()
    expect(admin.get_by_text("Times are in Berlin time.")).to_be_visible()
    server.query("UPDATE inboxes_membershipchange SET changed_at = '2025-03-01 22:05+00'")
    admin.goto(f"{server.url}/admin/inboxes/membershipchange/")
    expect(admin.locator("#result_list")).to_contain_text("Sat, 1 Mar 2025, 23:05")
    time = admin.locator("#result_list time").first
    expect(time).to_have_attribute("title", re.compile("Berlin time"))
