"""A page has one socket for as long as it lives, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    find_message,
    find_row,
    format_number,
    make_unique,
    new_number,
    record_sockets,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


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


def measure_page(page: Page) -> dict[str, float]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return {metric["name"]: metric["value"] for metric in metrics}


def test_fifty_steps_between_threads_leave_one_socket_and_nothing_else(
    open_browser: OpenBrowser, server: Server
) -> None:
    numbers = ["+12025550142", "+12025550109", "+12025550155"]
    for number in numbers:
        server.raise_thread(number)
    ana = open_browser("ana").new_page()
    ana.add_init_script(f"({COUNT_INTERVALS})()")
    sockets = record_sockets(ana)
    ana.goto(server.url + server.inbox_path())
    wait_until_live(ana)
    links = [find_row(ana, format_number(number)).get_attribute("id") for number in numbers]

    def switch(times: int) -> None:
        for i in range(times):
            number = format_number(numbers[i % len(numbers)])
            ana.evaluate("id => document.querySelector(`#${id} a`).click()", links[i % len(links)])
            ana.wait_for_function(OPEN, arg=number)

    switch(6)
    before, intervals = measure_page(ana), ana.evaluate("window.intervals.size")
    switch(SWITCHES)
    after = measure_page(ana)
    assert len(sockets) == 1
    assert not sockets[0].is_closed()
    assert ana.evaluate("window.intervals.size") == intervals
    assert after["JSEventListeners"] < before["JSEventListeners"] * 1.5 + 50
    assert after["Nodes"] < before["Nodes"] * 1.5 + 500


def test_a_thread_opened_while_the_socket_is_still_on_its_way_is_live(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Opened at once", sender=number)
    server.cable.hold("/live/")
    ana = open_page("ana", server.inbox_path())
    find_row(ana, format_number(number)).get_by_role("link").click()
    find_message(ana, "Opened at once").wait_for()
    server.cable.restore()
    wait_until_live(ana)
    body = make_unique("Said after that")
    server.receive_text(body, sender=number)
    find_message(ana, body).wait_for()


def test_a_page_that_one_left_and_comes_back_to_is_live(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("I will be back", sender=number)
    ana = open_page("ana", server.thread_path(number))
    wait_until_live(ana)
    ana.goto(f"{server.url}/simulator/")
    missed, body = make_unique("Missed"), make_unique("Live again")
    server.receive_text(missed, sender=number)
    ana.go_back()
    find_message(ana, missed).wait_for()
    server.receive_text(body, sender=number)
    find_message(ana, body).wait_for()


def test_a_page_out_of_the_browsers_memory_gets_a_new_socket_for_its_dead_one(
    open_browser: OpenBrowser, server: Server
) -> None:
    """Chromium under test keeps no pages in memory, so the event of its return is made here."""
    number = new_number()
    server.receive_text("Frozen", sender=number)
    ana = open_browser("ana").new_page()
    sockets = record_sockets(ana)
    ana.goto(server.url + server.thread_path(number))
    wait_until_live(ana)
    ana.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    body = make_unique("Thawed")
    server.receive_text(body, sender=number)
    find_message(ana, body).wait_for()
    assert [socket.is_closed() for socket in sockets] == [True, False]
