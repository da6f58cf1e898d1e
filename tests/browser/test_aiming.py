"""Rows stay where they are while somebody is about to choose one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    find_row,
    format_number,
    make_unique,
    new_number,
    send_text,
    thread_list,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# A finger that rests on the list, as its browser would tell it again and again.
RESTING_FINGER = """list => setInterval(() => list.dispatchEvent(new PointerEvent("pointermove",
  { bubbles: true, pointerType: "touch", clientX: Math.random(), clientY: 9 })), 100)"""


class TwoThreads:
    """Hold ana's list with two new threads at its top, the second above the first."""

    def __init__(self, open_page: OpenPage, server: Server, **options: object) -> None:
        self.first, self.second = new_number(), new_number()
        for number in (self.first, self.second):
            server.receive_text("Is anybody there?", sender=number)
        self.page = open_page("ana", server.inbox_path(), **options)
        wait_until_live(self.page)

    @property
    def rows(self) -> Locator:
        return thread_list(self.page).locator(".row")

    def row_of(self, number: str) -> Locator:
        return find_row(self.page, format_number(number))

    def expect_order(self, *numbers: str) -> None:
        for place, number in enumerate(numbers):
            expect(self.rows.nth(place)).to_contain_text(format_number(number))

    def read_order(self) -> list[str]:
        names = self.page.locator(".row-thread .row-name").all_inner_texts()
        known = {format_number(number): number for number in (self.first, self.second)}
        return [known[name] for name in names if name in known]


def aim(page: Page, at: Locator, is_done: Callable[[], bool]) -> None:
    """Move the pointer over a row until something is so."""
    box = at.bounding_box()
    assert box is not None
    steps = iter(range(10_000))

    def move_and_look() -> bool:
        page.mouse.move(box["x"] + 60 + next(steps) % 7, box["y"] + 20)
        return is_done()

    wait_until(move_and_look)


def test_rows_change_but_stay_while_one_aims_and_move_when_the_pointer_rests(
    open_page: OpenPage, server: Server
) -> None:
    mine = TwoThreads(open_page, server)
    ben = open_page("ben", server.thread_path(mine.first))
    wait_until_live(ben)
    words = make_unique("From ben")
    aim(mine.page, mine.rows.first, lambda: True)
    send_text(ben, words)
    aim(mine.page, mine.rows.first, lambda: words in mine.row_of(mine.first).inner_text())
    assert mine.read_order() == [mine.second, mine.first], "its words are new, its place is not"
    third = new_number()
    server.receive_text("Somebody new", sender=third)
    again = make_unique("Once more")
    send_text(ben, again)
    aim(mine.page, mine.rows.first, lambda: again in mine.row_of(mine.first).inner_text())
    assert mine.read_order() == [mine.second, mine.first]
    assert mine.row_of(third).count() == 0, "a new row would have moved the others"
    mine.expect_order(mine.first, third, mine.second)


def test_rows_move_as_soon_as_the_pointer_leaves_the_list(
    open_page: OpenPage, server: Server
) -> None:
    mine = TwoThreads(open_page, server)
    words = make_unique("Up it goes")
    aim(mine.page, mine.rows.first, lambda: True)
    server.receive_text(words, sender=mine.first)
    aim(mine.page, mine.rows.first, lambda: words in mine.row_of(mine.first).inner_text())
    mine.page.mouse.move(900, 400)
    assert mine.read_order() == [mine.first, mine.second]


def test_rows_stay_while_one_goes_through_the_list_by_keys(
    open_page: OpenPage, server: Server
) -> None:
    mine = TwoThreads(open_page, server)
    mine.rows.first.get_by_role("link").focus()
    words = make_unique("While going down")

    def press_and_look() -> bool:
        mine.page.keyboard.press("Shift")
        return words in mine.row_of(mine.first).inner_text()

    mine.page.keyboard.press("Shift")
    server.receive_text(words, sender=mine.first)
    wait_until(press_and_look)
    assert mine.read_order() == [mine.second, mine.first]
    mine.expect_order(mine.first, mine.second)


def test_a_finger_holds_nothing(open_page: OpenPage, server: Server) -> None:
    mine = TwoThreads(open_page, server, has_touch=True)
    resting = thread_list(mine.page).evaluate(RESTING_FINGER)
    server.receive_text("Straight up", sender=mine.first)
    mine.expect_order(mine.first, mine.second)
    mine.page.evaluate("clearInterval", resting)
