"""A page has one socket for as long as it lives, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.house import (
    House,
    bubble,
    fresh,
    row,
    shown,
    sockets_of,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]

SWITCHES = 50
COUNT_INTERVALS = """() => {
  window.intervals = new Set();
  const { setInterval: begin, clearInterval: end } = window;
  window.setInterval = (...given) => {
    const id = begin(...given); window.intervals.add(id); return id;
  };
  window.clearInterval = (id) => { window.intervals.delete(id); end(id); };
}"""
OPEN = "number => document.querySelector(`.thread[data-title='${number}']`) !== null"


def weigh(page: Page) -> dict[str, float]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return {metric["name"]: metric["value"] for metric in metrics}


def test_fifty_steps_between_threads_leave_one_socket_and_nothing_else(
    enter: Enter, house: House
) -> None:
    numbers = ["+12025550142", "+12025550109", "+12025550155"]
    for number in numbers:
        house.lift(number)
    ana = enter("ana").new_page()
    ana.add_init_script(f"({COUNT_INTERVALS})()")
    sockets = sockets_of(ana)
    ana.goto(house.url + house.inbox())
    wait_until_live(ana)
    links = [row(ana, shown(number)).get_attribute("id") for number in numbers]

    def switch(times: int) -> None:
        for i in range(times):
            number = shown(numbers[i % len(numbers)])
            ana.evaluate("id => document.querySelector(`#${id} a`).click()", links[i % len(links)])
            ana.wait_for_function(OPEN, arg=number)

    switch(6)
    before, intervals = weigh(ana), ana.evaluate("window.intervals.size")
    switch(SWITCHES)
    after = weigh(ana)
    assert len(sockets) == 1
    assert not sockets[0].is_closed()
    assert ana.evaluate("window.intervals.size") == intervals
    assert after["JSEventListeners"] < before["JSEventListeners"] * 1.5 + 50
    assert after["Nodes"] < before["Nodes"] * 1.5 + 500


def test_a_thread_opened_while_the_socket_is_still_on_its_way_is_live(
    sit: Sit, house: House
) -> None:
    number = stranger()
    house.text_in("Opened at once", sender=number)
    house.line.hold("/live/")
    ana = sit("ana", house.inbox())
    row(ana, shown(number)).get_by_role("link").click()
    bubble(ana, "Opened at once").wait_for()
    house.line.restore()
    wait_until_live(ana)
    body = fresh("Said after that")
    house.text_in(body, sender=number)
    bubble(ana, body).wait_for()


def test_a_page_that_one_left_and_comes_back_to_is_live(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("I will be back", sender=number)
    ana = sit("ana", house.thread(number))
    wait_until_live(ana)
    ana.goto(f"{house.url}/simulator/")
    missed, body = fresh("Missed"), fresh("Live again")
    house.text_in(missed, sender=number)
    ana.go_back()
    bubble(ana, missed).wait_for()
    house.text_in(body, sender=number)
    bubble(ana, body).wait_for()


def test_a_page_out_of_the_browsers_memory_gets_a_new_socket_for_its_dead_one(
    enter: Enter, house: House
) -> None:
    """Chromium under test keeps no pages in memory, so the event of its return is made here."""
    number = stranger()
    house.text_in("Frozen", sender=number)
    ana = enter("ana").new_page()
    sockets = sockets_of(ana)
    ana.goto(house.url + house.thread(number))
    wait_until_live(ana)
    ana.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    body = fresh("Thawed")
    house.text_in(body, sender=number)
    bubble(ana, body).wait_for()
    assert [socket.is_closed() for socket in sockets] == [True, False]
