"""The main journeys in Firefox and WebKit, as people take them: `make test-browsers`.

The name keeps pytest from collecting this module with the others, which need only Chromium.
"""

from __future__ import annotations

import base64
import random
import re
import time

import pytest

from config.demo import PASSWORD
from tests.browser.pages import format_number, make_unique, new_number, wait_until
from tests.messaging.attachments.picture_bytes import make_picture
from tests.other_browsers.pages import Pages
from tests.other_browsers.webdriver import Keys

CUTS = 30
SEED = 20261122
OFFLINE = "Offline, reconnecting"


def begin_thread(pages: Pages, body: str = "Is the part there yet?") -> tuple[str, str]:
    """Return the number of somebody who texted, and the path of the thread."""
    number = new_number()
    pages.server.receive_text(body, sender=number)
    return number, pages.server.thread_path(number)


def kinds_of(pages: Pages, part: str) -> list[str]:
    """Return the kinds of the messages whose bodies contain the words."""
    found = pages.server.query(
        "SELECT kind FROM messaging_message WHERE body LIKE %s ORDER BY id", f"%{part}%"
    )
    return [str(kind) for (kind,) in found]


def test_one_signs_in_and_reads(pages: Pages) -> None:
    number, _ = begin_thread(pages, body := make_unique("Good morning"))
    pages.open("/")
    pages.press("Username", "input")
    pages.type_text("ana" + Keys.TAB + PASSWORD + Keys.ENTER)
    pages.wait_until_live()
    pages.press("Front Desk")
    pages.press(format_number(number))
    pages.expect_message(body)
    assert pages.driver.call("GetTitle").endswith("Partyline")


def test_a_text_arrives_live_in_the_list_and_the_history(pages: Pages) -> None:
    number, path = begin_thread(pages)
    pages.open_as("ana", path)
    body = make_unique("While you look")
    pages.server.receive_text(body, sender=number)
    pages.expect_message(body)
    pages.expect_text(body, ".rows > .row:first-child")


def test_a_text_is_sent_and_delivered(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    body = make_unique("It is here")
    pages.send(body)
    pages.expect_message(body, "Delivered")
    assert pages.read_box() == ""
    pages.wait("return document.activeElement.id === 'message-box'")


def test_a_mention_is_internal_and_never_leaves(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.focus_box()
    pages.type_text("Please look, @be")
    pages.find("Ben Okafor", "[role=option]")
    pages.type_text(Keys.ENTER)
    pages.wait("return document.querySelector('#message-box').value.includes('@ben ')")
    pages.find("Add internal message", "button")
    word = make_unique("today")
    pages.type_text(word + Keys.ENTER)
    pages.expect_message(word, "Internal")
    assert kinds_of(pages, word) == ["internal"]


def test_an_internal_message_by_the_eye(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.press("Internal message", "button", is_whole=True)
    body = make_unique("Among us")
    pages.send(body)
    pages.expect_message(body, "Internal")
    assert kinds_of(pages, body) == ["internal"]


def test_search_finds_last_messages_and_clearing_restores_the_list(pages: Pages) -> None:
    number, path = begin_thread(pages, make_unique("Zeppelin engine"))
    other, _ = begin_thread(pages, make_unique("Something else"))
    pages.open_as("ana", path)
    pages.driver.click(pages.wait("return document.querySelector('input[type=search]')"))
    pages.type_text("zeppel")
    pages.expect_text(format_number(number), ".rows")
    pages.expect_no_text(format_number(other), ".rows")
    pages.type_text(Keys.BACKSPACE * 6)
    pages.expect_text(format_number(other), ".rows")


def test_a_thread_is_deleted_and_undone(pages: Pages) -> None:
    number, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.press("Thread options")
    pages.press("Delete", "[role=menuitem]")
    pages.expect_no_text(format_number(number), ".rows")
    pages.press("Undo", "button")
    pages.expect_text(format_number(number), ".rows")


def test_priority_and_mute_are_set_from_the_menu(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.press("Thread options")
    pages.press("Urgent", "[role=menuitem], [role=menuitemradio]")
    pages.expect_text("Urgent", ".bar-title")
    pages.expect_text("Urgent", ".rows > .row:first-child")
    pages.press("Thread options")
    pages.press("Mute", "[role=menuitem]", is_whole=True)
    pages.press("Thread options")
    pages.find("Unmute", "[role=menuitem]", is_whole=True)


def test_a_conversation_is_started(pages: Pages) -> None:
    number, body = new_number(), make_unique("Your order is ready")
    pages.open_as("ana")
    pages.press("Start a conversation")
    choice = pages.wait("return document.querySelector('#start-from')")
    assert pages.driver.run("return getComputedStyle(arguments[0]).appearance", choice) == "none"
    pages.press("To", "input", is_whole=True)
    pages.type_text(format_number(number))
    pages.press("Message", "textarea")
    pages.type_text(body)
    pages.press("Send", "button", is_whole=True)
    pages.expect_message(body, "Delivered")
    pages.expect_text(format_number(number), ".bar-title")


def test_a_picture_is_attached_and_sent(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    data = base64.b64encode(make_picture()).decode()
    pages.drop_file("part.jpg", "image/jpeg", data)
    pages.wait("return document.querySelector('.draft-files li[data-file]')")
    body = make_unique("Here is a picture")
    pages.send(body)
    pages.expect_message(body, "Delivered")
    pages.wait(
        "const one = document.querySelector('.log .picture-link img');"
        "return one && one.complete && one.naturalWidth > 0"
    )


def test_a_text_is_scheduled_in_the_readers_own_time(pages: Pages) -> None:
    _, path = begin_thread(pages)
    pages.open_as("ana", path)
    body = make_unique("Good morning")
    pages.focus_box()
    pages.type_text(body)
    pages.press("Send later")
    pages.expect_text("New York time", "#later-menu")
    pages.press("Tomorrow 9:00 AM")
    pages.expect_text("Scheduled for tomorrow, 9:00 AM.")
    pages.expect_text("Tomorrow, 9:00 AM", ".later")
    pages.expect_text(body, ".later")


def test_times_are_the_readers_and_the_day_stays_in_sight(pages: Pages) -> None:
    number, path = begin_thread(pages)
    for _ in range(12):
        pages.server.receive_text(make_unique("Much to read " * 12), sender=number)
    pages.open_as("ana", path)
    [clock] = pages.read_texts(".log > .message:last-of-type .meta time")
    assert re.fullmatch(r"\d{1,2}:\d\d [AP]M", clock)
    full = pages.wait("return document.querySelector('.log .message .meta time').title")
    assert full.endswith("New York time")
    pages.driver.run("document.querySelector('.log').scrollTop = 300")
    pages.wait(
        "const log = document.querySelector('.log'), day = log.querySelector('.day');"
        "const topOf = one => one.getBoundingClientRect().top;"
        "return Math.abs(topOf(day) - topOf(log) - 8) < 2"
    )
    pages.press("Jump to newest")
    pages.wait(
        "const log = document.querySelector('.log');"
        "return log.scrollHeight - log.scrollTop - log.clientHeight < 48"
    )


def test_a_lost_line_is_named_and_what_came_meanwhile_arrives_with_it(pages: Pages) -> None:
    number, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.focus_box()
    pages.type_text("Half a thought")
    pages.server.cable.cut()
    pages.expect_text(OFFLINE)
    body = make_unique("Meanwhile")
    pages.server.receive_text(body, sender=number)
    pages.server.cable.restore()
    pages.expect_message(body)
    pages.expect_no_text(OFFLINE)
    assert pages.read_box() == "Half a thought"


@pytest.mark.slow
def test_a_page_is_back_soon_after_a_long_outage(pages: Pages) -> None:
    """Firefox holds back a socket, up to a minute, after others of that address have failed."""
    number, path = begin_thread(pages)
    pages.open_as("ana", path)
    pages.server.cable.cut()
    pages.expect_text(OFFLINE)
    time.sleep(45)
    pages.server.cable.restore()
    begun = time.monotonic()
    pages.server.receive_text(body := make_unique("The line is back"), sender=number)
    pages.expect_message(body)
    assert time.monotonic() - begun < 10.5, "the longest delay of the page, and a little"


def test_narrow_pages_show_one_thing_at_a_time(pages: Pages) -> None:
    number, path = begin_thread(pages)
    pages.driver.resize(560, 900)
    pages.open_as("ana", path)
    pages.wait("return innerWidth <= 760")
    pages.expect_message("Is the part there yet?")
    is_hidden = "return !document.querySelector('#listing')?.getClientRects().length"
    assert pages.driver.run(is_hidden)
    assert pages.driver.run(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    pages.press("Back to Front Desk")
    pages.expect_text(format_number(number), ".rows")
    body = make_unique("From the list")
    pages.server.receive_text(body, sender=number)
    pages.expect_text(body, ".rows > .row:first-child")


def read_everything(pages: Pages) -> tuple[list[str], list[str]]:
    return pages.read_texts(".rows > .row"), pages.read_texts(".log > .message, .log > .day")


@pytest.mark.slow
def test_a_page_equals_a_fresh_one_after_dozens_of_cuts(pages: Pages) -> None:
    chance = random.Random(SEED)
    server, driver = pages.server, pages.driver
    numbers = [begin_thread(pages, "The first one")[0] for _ in range(3)]
    path = server.thread_path(numbers[0])
    pages.open_as("ana", path)
    driver.run("window.isSameLoad = true")
    bodies = []
    for _ in range(CUTS):
        server.cable.cut()
        for _ in range(chance.randrange(1, 3)):
            number = chance.choice(numbers)
            bodies.append((number, make_unique("Through the cuts")))
            server.receive_text(bodies[-1][1], sender=number)
        driver.pause(chance.randrange(5, 60))
        server.cable.restore()
        if chance.random() < 0.75:
            pages.expect_text(bodies[-1][1], ".rows > .row")
    last = make_unique("The last one")
    server.receive_text(last, sender=numbers[0])
    pages.expect_message(last)
    assert driver.run("return window.isSameLoad")
    first = driver.call("GetWindowHandle")
    second = driver.call("NewWindow", type="tab")["handle"]
    driver.call("SwitchToWindow", handle=second)

    def equals_a_fresh_one() -> bool:
        pages.open(path)
        pages.expect_message(last)
        fresh = read_everything(pages)
        driver.call("SwitchToWindow", handle=first)
        kept = read_everything(pages)
        driver.call("SwitchToWindow", handle=second)
        return kept == fresh

    try:
        wait_until(equals_a_fresh_one, seconds=40)
    finally:
        driver.call("CloseWindow")
        driver.call("SwitchToWindow", handle=first)
    mine = ["The first one", *[body for number, body in bodies if number == numbers[0]], last]
    assert pages.read_texts(".log .text") == mine
