"""What has bounds says so on the page: texts of any length, and one agent's many tabs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.house import House, bubble, fresh, history, stranger, wait_until_live

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Sit = Callable[..., Page]


def test_a_very_long_text_is_folded_and_shown_whole_in_its_place(sit: Sit, house: House) -> None:
    number, body = stranger(), fresh("Once upon a time")
    house.text_in(body, sender=number)
    # The simulator sends no more than a carrier; a webhook may hold any length.
    house.sql(
        "UPDATE messaging_message SET body = body || %s WHERE body = %s",
        " and so on" * 600 + " and they lived happily ever after",
        body,
    )
    page = sit("ana", house.thread(number))
    story = bubble(page, body)
    expect(story.get_by_text("happily ever after")).to_have_count(0)
    story.get_by_role("link", name="Show all").click()
    expect(story.get_by_text("happily ever after")).to_be_visible()
    expect(story.get_by_role("link", name="Show all")).to_be_hidden()
    assert page.url.endswith(house.thread(number))


def test_one_tab_too_many_says_so_and_connects_when_there_is_room(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Before the crowd", sender=number)
    page = sit("cho", house.thread(number))
    wait_until_live(page)
    with ExitStack() as crowd:
        cookies = "; ".join(
            f"{one['name']}={one['value']}" for one in page.context.cookies() if "name" in one
        )
        refused = 0
        while refused < 3:  # in several processes each has room of its own
            address = f"ws://127.0.0.1:{house.stack.port}/live/"
            headers = {"Cookie": cookies}
            origin = Origin(house.url)
            one = connect(address, origin=origin, additional_headers=headers, proxy=None)
            crowd.enter_context(one)
            try:
                one.recv(timeout=20)
            except ConnectionClosed:
                refused += 1
        late = page.context.new_page()
        late.goto(house.url + house.thread(number))
        late.get_by_role("status").filter(has_text="Too many tabs are open").wait_for()
    body = fresh("After the crowd")
    house.text_in(body, sender=number)
    expect(history(late).get_by_text(body)).to_be_visible()
    expect(late.get_by_text("Too many tabs are open")).to_be_hidden()
