"""Many conversations are selected in the list, and one deed is done with them and undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    OpenPage,
    find_row,
    find_violations,
    format_number,
    history,
    new_number,
    thread_list,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def receive_texts(server: Server, count: int, *, to: str | None = None) -> list[str]:
    """Receive a text from each of so many new numbers; return them as pages show them."""
    numbers = [new_number() for _ in range(count)]
    for number in numbers:
        server.receive_text("One of many", sender=number, **({"to": to} if to else {}))
    return [format_number(number) for number in reversed(numbers)]


def box_of(page: Page, number: str) -> Locator:
    return find_row(page, number).get_by_role("checkbox", name="Select", exact=True)


def toolbar(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="Selected conversations")


def expect_count(page: Page, words: str) -> None:
    expect(toolbar(page).get_by_role("status")).to_have_text(words)


def toast(page: Page) -> Locator:
    return page.locator("#notice")


def test_a_range_is_marked_done_and_undone_while_rows_keep_their_place(
    open_page: OpenPage, server: Server
) -> None:
    first, second, third, fourth = receive_texts(server, 4)
    page = open_page("ana", server.inbox_path())
    wait_until_live(page)
    find_row(page, first).get_by_role("link").click()
    expect(history(page)).to_be_visible()
    expect(toolbar(page)).to_be_hidden()
    before = find_row(page, first).bounding_box()
    find_row(page, second).hover()
    box_of(page, second).click()
    expect_count(page, "1 selected")
    find_row(page, fourth).get_by_role("link").click(modifiers=["Shift"])
    expect_count(page, "3 selected")
    assert find_row(page, first).bounding_box() == before
    assert not find_violations(page)
    toolbar(page).get_by_role("button", name="Done").click()
    expect(toast(page)).to_contain_text("3 conversations marked done")
    for number in (second, third, fourth):
        expect(find_row(page, number)).to_contain_text("Done")
    expect(toolbar(page).get_by_role("button", name="Reopen")).to_be_visible()
    toast(page).get_by_role("button", name="Undo").click()
    expect(toast(page)).to_have_text("Undone")
    for number in (second, third, fourth):
        expect(find_row(page, number).get_by_text("Done")).to_have_count(0)
    expect(page.get_by_role("heading", level=1, name=first)).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(toolbar(page)).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_by_keys_alone(open_page: OpenPage, server: Server) -> None:
    first, second, third = receive_texts(server, 3)
    page = open_page("ana", server.inbox_path())
    wait_until_live(page)
    find_row(page, first).get_by_role("link").focus()
    page.keyboard.press("x")
    expect(box_of(page, first)).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect_count(page, "3 selected")
    expect(box_of(page, second)).to_be_checked()
    page.keyboard.press("a")
    menu = page.get_by_role("menu", name="Assign to")
    expect(menu.get_by_role("menuitem", name="Me")).to_be_focused()
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("3 conversations assigned to you")
    expect(find_row(page, third)).to_contain_text("AR")
    page.reload()
    toast(page).get_by_role("button", name="Undo").click()
    expect(find_row(page, third)).not_to_contain_text("AR")
    find_row(page, first).get_by_role("link").focus()
    page.keyboard.press("x")
    expect_count(page, "1 selected")
    page.keyboard.press("Escape")
    expect(toolbar(page)).to_be_hidden()
    expect(thread_list(page)).to_be_visible()


def test_a_row_that_a_colleague_takes_away_is_not_selected_any_more(
    open_page: OpenPage, server: Server
) -> None:
    first, second = receive_texts(server, 2)
    path = f"{server.inbox_path()}?only=open"
    ana, ben = open_page("ana", path), open_page("ben", path)
    for page in (ana, ben):
        wait_until_live(page)
        box_of(page, first).check()
    box_of(ana, second).check()
    expect_count(ana, "2 selected")
    toolbar(ben).get_by_role("button", name="Done").click()
    expect(find_row(ana, first)).to_have_count(0)
    expect_count(ana, "1 selected")
    newest = new_number()
    server.receive_text("A newer one", sender=newest)
    expect(find_row(ana, format_number(newest))).to_be_visible()
    expect(box_of(ana, second)).to_be_checked()
    expect(box_of(ana, format_number(newest))).not_to_be_checked()
    toolbar(ana).get_by_role("button", name="Delete").click()
    expect(toolbar(ana)).to_be_hidden()
    expect(find_row(ana, second)).to_have_count(0)
    expect(find_row(ben, second)).to_be_visible()


def test_the_focus_stays_in_the_list_when_the_toolbar_goes(
    open_page: OpenPage, server: Server
) -> None:
    first, second, third = receive_texts(server, 3)
    path = f"{server.inbox_path()}?only=open"
    page, ben = open_page("ana", path), open_page("ben", path)
    for one in (page, ben):
        wait_until_live(one)
    link = find_row(page, first).get_by_role("link")
    link.focus()
    page.keyboard.down("x")
    page.keyboard.down("x")
    page.keyboard.up("x")
    expect_count(page, "1 selected")
    toolbar(page).get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    expect(toolbar(page)).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("x")
    every = toolbar(page).get_by_role("checkbox", name="Select all")
    every.focus()
    page.keyboard.press("Space")
    expect(box_of(page, third)).to_be_checked()
    page.keyboard.press("Space")
    expect(toolbar(page)).to_be_hidden()
    expect(thread_list(page).get_by_role("link").first).to_be_focused()
    link.focus()
    page.keyboard.press("x")
    toolbar(page).get_by_role("button", name="Done").focus()
    page.keyboard.press("Enter")
    expect(find_row(page, first)).to_have_count(0)
    expect(find_row(page, second).get_by_role("link")).to_be_focused()
    page.keyboard.press("x")
    toolbar(page).get_by_role("button", name="Done").focus()
    box_of(ben, second).check()
    toolbar(ben).get_by_role("button", name="Done").click()
    expect(find_row(page, second)).to_have_count(0)
    expect(find_row(page, third).get_by_role("link")).to_be_focused()


def test_all_of_a_view_are_done_by_a_job(open_page: OpenPage, server: Server) -> None:
    receive_texts(server, 105, to=DISPATCH)
    page = open_page("ben", f"{server.inbox_path(DISPATCH)}?only=open")
    wait_until_live(page)
    ana = open_page("ana", f"{server.inbox_path(DISPATCH)}?only=all")
    rows = thread_list(ana).locator(".row")
    rows.last.scroll_into_view_if_needed()
    expect(rows.nth(45)).to_be_attached()
    thread_list(page).get_by_role("checkbox", name="Select").first.check()
    whole = toolbar(page).get_by_role("button", name=re.compile(r"^Select all \d+$"))
    count = int((whole.text_content() or "").split()[-1])
    assert count >= 105
    whole.click()
    expect_count(page, f"All {count} in this view")
    expect(toolbar(page).get_by_role("button", name="Clear")).to_be_focused()
    toolbar(page).get_by_role("button", name="Done").click()
    expect(toast(page)).to_contain_text(f"{count} conversations marked done")
    expect(page.get_by_text("Nothing is open")).to_be_visible()
    expect(rows.nth(45), "a row of a further page").to_contain_text("Done")
    toast(page).get_by_role("button", name="Undo").click()
    expect(toast(page)).to_have_text("Undone")
    expect(thread_list(page).get_by_role("listitem").first).to_be_visible()


def test_a_long_press_selects_on_a_phone_and_a_tap_selects_further_rows(
    open_page: OpenPage, server: Server
) -> None:
    first, second = receive_texts(server, 2)
    page = open_page("cho", server.inbox_path(), viewport=NARROW, has_touch=True, is_mobile=True)
    wait_until_live(page)
    place = find_row(page, first).bounding_box()
    assert place is not None
    point = {"x": place["x"] + 120, "y": place["y"] + 20}
    tools = page.context.new_cdp_session(page)
    tools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect_count(page, "1 selected")
    tools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    find_row(page, second).get_by_role("link").tap()
    expect_count(page, "2 selected")
    expect(history(page)).to_have_count(0)
    for button in toolbar(page).get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or min(box["width"], box["height"]) >= 44
    toolbar(page).get_by_role("button", name="Snooze").tap()
    page.get_by_role("menuitem", name="Tomorrow").tap()
    expect(toast(page)).to_contain_text("2 conversations snoozed")
    toast(page).get_by_role("button", name="Undo").tap()
    expect(toast(page)).to_have_text("Undone")


def test_without_scripts(open_page: OpenPage, server: Server) -> None:
    first, second = receive_texts(server, 2)
    page = open_page("ana", server.inbox_path(), java_script_enabled=False)
    expect(toolbar(page)).to_be_hidden()
    box_of(page, first).check()
    box_of(page, second).check()
    toolbar(page).get_by_role("button", name="Assign").click()
    page.get_by_label("Assign to").select_option("Cho Park")
    page.get_by_role("button", name="Assign").click()
    expect(toast(page)).to_contain_text("2 conversations assigned to Cho")
    toast(page).get_by_role("button", name="Undo").click()
    expect(toast(page)).to_have_text("Undone")
