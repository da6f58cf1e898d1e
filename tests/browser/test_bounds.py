"""Long texts are folded, and one tab too many says so."""

from __future__ import annotations

from contextlib import ExitStack

from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.pages import (
    OpenPage,
    find_message,
    history,
    make_unique,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server


def test_a_very_long_text_is_folded_and_shown_whole_in_its_place(
    open_page: OpenPage, server: Server
) -> None:
    number, body = new_number(), make_unique("Once upon a time")
    server.receive_text(body, sender=number)
    # The simulator sends no more than a carrier; a webhook may hold any length.
    server.query(
        "UPDATE messaging_message SET body = body || %s WHERE body = %s",
        " and so on" * 600 + " and they lived happily ever after",
        body,
    )
    page = open_page("ana", server.thread_path(number))
    story = find_message(page, body)
    expect(story.get_by_text("happily ever after")).to_have_count(0)
    story.get_by_role("link", name="Show all").click()
    expect(story.get_by_text("happily ever after")).to_be_visible()
    expect(story.get_by_role("link", name="Show all")).to_be_hidden()
    assert page.url.endswith(server.thread_path(number))


def test_one_tab_too_many_says_so_and_connects_when_there_is_room(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Before the crowd", sender=number)
    page = open_page("cho", server.thread_path(number))
    wait_until_live(page)
    with ExitStack() as crowd:
        cookies = "; ".join(
            f"{one['name']}={one['value']}" for one in page.context.cookies() if "name" in one
        )
        refused = 0
        while refused < 3:  # in several processes each has room of its own
            address = f"ws://127.0.0.1:{server.stack.port}/live/"
            headers = {"Cookie": cookies}
            origin = Origin(server.url)
            one = connect(address, origin=origin, additional_headers=headers, proxy=None)
            crowd.enter_context(one)
            try:
                one.recv(timeout=20)
            except ConnectionClosed:
                refused += 1
        late = page.context.new_page()
        late.goto(server.url + server.thread_path(number))
        late.get_by_role("status").filter(has_text="Too many tabs are open").wait_for()
    body = make_unique("After the crowd")
    server.receive_text(body, sender=number)
    expect(history(late).get_by_text(body)).to_be_visible()
    expect(late.get_by_text("Too many tabs are open")).to_be_hidden()
