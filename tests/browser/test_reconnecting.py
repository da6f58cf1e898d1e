"""Break the connection: the page says so, loses nothing, and comes back."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    find_message,
    find_row,
    format_number,
    history,
    make_unique,
    message_box,
    new_number,
    read_texts,
    record_sockets,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


CUTS = 30
SEED = 20261122
OFFLINE = "Offline, reconnecting…"


def read_everything(page: Page) -> tuple[list[str], list[str]]:
    return read_texts(page, ".rows > .row"), read_texts(page, ".log > .message, .log > .day")


def reload_page(page: Page) -> Page:
    page.reload()
    return page


def test_a_dead_line_is_named_within_ten_seconds_and_what_came_meanwhile_arrives_with_it(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Before the line died", sender=number)
    ana = open_page("ana", server.thread_path(number))
    wait_until_live(ana)
    ana.evaluate("window.isSameLoad = true")
    message_box(ana).fill("Half a thought")
    server.cable.hush()
    begun = time.monotonic()
    ana.get_by_role("status").filter(has_text=OFFLINE).wait_for()
    assert time.monotonic() - begun < 10.5, "ten seconds, and a little for a busy machine"
    bodies = [make_unique("Meanwhile") for _ in range(3)]
    for body in bodies:
        server.receive_text(body, sender=number)
    server.cable.restore()
    find_message(ana, bodies[-1]).wait_for(timeout=2_000)
    ana.get_by_text(OFFLINE).wait_for(state="hidden")
    # The last one may come live, before what was missed.
    wait_until(lambda: read_texts(ana, ".log .text") == ["Before the line died", *bodies])
    find_row(ana, format_number(number)).get_by_text(bodies[-1]).wait_for()
    expect(message_box(ana)).to_have_value("Half a thought")
    expect(message_box(ana)).to_be_focused()
    assert ana.evaluate("window.isSameLoad")


def test_a_page_equals_a_fresh_one_after_dozens_of_cuts(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    chance = random.Random(SEED)
    numbers = [new_number() for _ in range(3)]
    for number in numbers:
        server.receive_text("The first one", sender=number)
    ana = open_browser("ana").new_page()
    sockets = record_sockets(ana)
    ana.goto(server.url + server.thread_path(numbers[0]))
    wait_until_live(ana)
    ana.evaluate("window.isSameLoad = true")
    bodies = []
    for _ in range(CUTS):
        server.cable.cut()
        for _ in range(chance.randrange(1, 3)):
            number = chance.choice(numbers)
            bodies.append((number, make_unique("Through the cuts")))
            server.receive_text(bodies[-1][1], sender=number)
        ana.wait_for_timeout(chance.randrange(5, 60))
        server.cable.restore()
        if chance.random() < 0.75:
            find_row(ana, bodies[-1][1]).wait_for()
    last = make_unique("The last one")
    server.receive_text(last, sender=numbers[0])
    find_message(ana, last).wait_for()
    reload = open_page("ana", server.thread_path(numbers[0]))
    find_message(reload, last).wait_for()
    wait_until(lambda: read_everything(ana) == read_everything(reload_page(reload)))
    mine = ["The first one", *[body for number, body in bodies if number == numbers[0]], last]
    assert read_texts(ana, ".log .text") == mine
    assert ana.evaluate("window.isSameLoad")
    assert len(sockets) > CUTS / 2, "the cuts were felt"


def test_a_server_that_went_and_came_back_finds_its_pages_again(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Before the restart", sender=number)
    ana, ben = (
        open_page("ana", server.thread_path(number)),
        open_page("ben", server.thread_path(number)),
    )
    for page in (ana, ben):
        wait_until_live(page)
        page.evaluate("window.isSameLoad = true")
    body = make_unique("Written while nobody was there")
    server.stop()
    message_box(ana).fill(body)
    ana.get_by_role("button", name="Send", exact=True).click()
    ana.get_by_role("alert").filter(has_text="Not sent").wait_for()
    expect(message_box(ana)).to_have_value(body)
    server.start()
    ana.get_by_role("button", name="Send", exact=True).click()
    find_message(ben, body).wait_for()
    find_message(ana, body).get_by_text("Delivered").wait_for()
    ana.get_by_text(OFFLINE).wait_for(state="hidden")
    expect(message_box(ana)).to_have_value("")
    assert server.count_messages(body) == 1
    expect(history(ana).get_by_text(body)).to_have_count(1)
    assert ana.evaluate("window.isSameLoad")
    assert ben.evaluate("window.isSameLoad")


def test_a_restored_line_is_one_socket_and_no_more(
    open_browser: OpenBrowser, server: Server
) -> None:
    number = new_number()
    server.receive_text("One socket", sender=number)
    ana = open_browser("ana").new_page()
    sockets = record_sockets(ana)
    ana.goto(server.url + server.thread_path(number))
    wait_until_live(ana)
    server.cable.cut()
    wait_until(lambda: ana.title() and len(sockets) > 1)
    server.cable.restore()
    body = make_unique("Through")
    server.receive_text(body, sender=number)
    find_message(ana, body).wait_for()
    assert [socket.is_closed() for socket in sockets[-2:]] == [True, False]
    assert all(socket.is_closed() for socket in sockets[:-1])
