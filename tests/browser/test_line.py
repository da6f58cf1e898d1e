"""The line breaks: the page says so, loses nothing, and comes back by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    House,
    box,
    bubble,
    eventually,
    fresh,
    history,
    row,
    shown,
    sockets_of,
    stranger,
    texts,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]

CUTS = 30
SEED = 20261122
OFFLINE = "Offline, reconnecting…"


def everything(page: Page) -> tuple[list[str], list[str]]:
    return texts(page, ".rows > .row"), texts(page, ".log > .message, .log > .day")


def loaded_anew(page: Page) -> Page:
    page.reload()
    return page


def test_a_dead_line_is_named_within_ten_seconds_and_what_came_meanwhile_arrives_with_it(
    sit: Sit, house: House
) -> None:
    number = stranger()
    house.text_in("Before the line died", sender=number)
    ana = sit("ana", house.thread(number))
    wait_until_live(ana)
    ana.evaluate("window.isSameLoad = true")
    box(ana).fill("Half a thought")
    house.line.hush()
    begun = time.monotonic()
    ana.get_by_role("status").filter(has_text=OFFLINE).wait_for()
    assert time.monotonic() - begun < 10.5, "ten seconds, and a little for a busy machine"
    bodies = [fresh("Meanwhile") for _ in range(3)]
    for body in bodies:
        house.text_in(body, sender=number)
    house.line.restore()
    bubble(ana, bodies[-1]).wait_for(timeout=2_000)
    ana.get_by_text(OFFLINE).wait_for(state="hidden")
    assert texts(ana, ".log .text") == ["Before the line died", *bodies]
    row(ana, shown(number)).get_by_text(bodies[-1]).wait_for()
    expect(box(ana)).to_have_value("Half a thought")
    expect(box(ana)).to_be_focused()
    assert ana.evaluate("window.isSameLoad")


def test_a_page_equals_a_fresh_one_after_dozens_of_cuts(
    enter: Enter, sit: Sit, house: House
) -> None:
    chance = random.Random(SEED)
    numbers = [stranger() for _ in range(3)]
    for number in numbers:
        house.text_in("The first one", sender=number)
    ana = enter("ana").new_page()
    sockets = sockets_of(ana)
    ana.goto(house.url + house.thread(numbers[0]))
    wait_until_live(ana)
    ana.evaluate("window.isSameLoad = true")
    bodies = []
    for _ in range(CUTS):
        house.line.cut()
        for _ in range(chance.randrange(1, 3)):
            number = chance.choice(numbers)
            bodies.append((number, fresh("Through the cuts")))
            house.text_in(bodies[-1][1], sender=number)
        ana.wait_for_timeout(chance.randrange(5, 60))
        house.line.restore()
        if chance.random() < 0.75:
            row(ana, bodies[-1][1]).wait_for()
    last = fresh("The last one")
    house.text_in(last, sender=numbers[0])
    bubble(ana, last).wait_for()
    reload = sit("ana", house.thread(numbers[0]))
    bubble(reload, last).wait_for()
    eventually(lambda: everything(ana) == everything(loaded_anew(reload)))
    mine = ["The first one", *[body for number, body in bodies if number == numbers[0]], last]
    assert texts(ana, ".log .text") == mine
    assert ana.evaluate("window.isSameLoad")
    assert len(sockets) > CUTS / 2, "the cuts were felt"


def test_a_server_that_went_and_came_back_finds_its_pages_again(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Before the restart", sender=number)
    ana, ben = sit("ana", house.thread(number)), sit("ben", house.thread(number))
    for page in (ana, ben):
        wait_until_live(page)
        page.evaluate("window.isSameLoad = true")
    body = fresh("Written while nobody was there")
    house.stop()
    box(ana).fill(body)
    ana.get_by_role("button", name="Send", exact=True).click()
    ana.get_by_role("alert").filter(has_text="Not sent.").wait_for()
    expect(box(ana)).to_have_value(body)
    house.start()
    ana.get_by_role("button", name="Send", exact=True).click()
    bubble(ben, body).wait_for()
    bubble(ana, body).get_by_text("Delivered").wait_for()
    ana.get_by_text(OFFLINE).wait_for(state="hidden")
    expect(box(ana)).to_have_value("")
    assert house.count(body) == 1
    expect(history(ana).get_by_text(body)).to_have_count(1)
    assert ana.evaluate("window.isSameLoad")
    assert ben.evaluate("window.isSameLoad")


def test_a_restored_line_is_one_socket_and_no_more(enter: Enter, house: House) -> None:
    number = stranger()
    house.text_in("One socket", sender=number)
    ana = enter("ana").new_page()
    sockets = sockets_of(ana)
    ana.goto(house.url + house.thread(number))
    wait_until_live(ana)
    house.line.cut()
    ana.wait_for_timeout(700)
    house.line.restore()
    body = fresh("Through")
    house.text_in(body, sender=number)
    bubble(ana, body).wait_for()
    assert [socket.is_closed() for socket in sockets[-2:]] == [True, False]
    assert all(socket.is_closed() for socket in sockets[:-1])
