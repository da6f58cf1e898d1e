"""Who opts out is told of in every open composer at once, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    House,
    answer,
    box,
    bubble,
    eventually,
    fresh,
    handset,
    shown,
    stranger,
    text_from,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page, Route

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]


def refused(page: Page) -> Locator:
    return page.locator(".refusal")


def draft(house: House, number: str, who: str) -> list[tuple[object, ...]]:
    return house.sql(
        "SELECT s.draft_body, s.draft_is_internal FROM threads_threadstate s"
        " JOIN inboxes_agent a ON a.id = s.agent_id WHERE a.username = %s AND s.thread_id = %s",
        who,
        int(house.thread(number).split("/")[2]),
    )


def test_an_open_composer_changes_and_keeps_what_was_typed(
    enter: Enter, sit: Sit, house: House
) -> None:
    number = stranger()
    phone = handset(enter(), house, number)
    text_from(phone, "Hello?")
    ana, ben = (sit(name, house.thread(number)) for name in ("ana", "ben"))
    for page in (ana, ben):
        wait_until_live(page)
        expect(refused(page)).to_be_hidden()
    box(ana).press_sequentially("Half an answer")
    eventually(lambda: draft(house, number, "ana") == [("Half an answer", False)])
    text_from(phone, " stop ")
    for page in (ana, ben):
        expect(refused(page)).to_contain_text(f"{shown(number)} opted out of texts from")
        expect(refused(page)).to_contain_text("You can still write to your team.")
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    expect(box(ana)).to_have_value("Half an answer")
    expect(box(ana)).to_be_focused()
    note = fresh("They want no more texts")
    box(ben).fill(note)
    ben.get_by_role("button", name="Add internal message").click()
    expect(bubble(ana, note)).to_contain_text("Internal")
    text_from(phone, "Start")
    for page in (ana, ben):
        expect(refused(page)).to_be_hidden()
    expect(box(ana)).to_have_value("Half an answer")
    # What Ben wrote last was for the team, and his mode stays until he switches it.
    expect(ben.get_by_role("button", name="Add internal message")).to_be_visible()
    expect(ana.get_by_role("button", name="Send", exact=True)).to_be_visible()
    ana.get_by_role("button", name="Send", exact=True).click()
    hold = ana.get_by_role("button", name="Send anyway")
    expect(hold.or_(bubble(ana, "Half an answer"))).to_be_visible()
    if hold.is_visible():
        hold.click()
    expect(phone.get_by_role("log", name="Received")).to_contain_text("Half an answer")


def test_it_stands_there_before_anyone_types_and_survives_a_reload(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("UNSUBSCRIBE", sender=number)
    page = sit("cho", house.thread(number))
    for _ in range(2):
        expect(refused(page)).to_contain_text("You can write to them again once they text START.")
        page.reload()


def test_on_ones_own_line_the_box_goes_and_returns_with_its_text(sit: Sit, house: House) -> None:
    number, mine = stranger(), "+12025550112"
    house.text_in("Hello?", sender=number, to=mine)
    page = sit("ana", house.thread(number, mine))
    wait_until_live(page)
    box(page).press_sequentially("Not yet sent")
    house.text_in("QUIT", sender=number, to=mine)
    expect(refused(page)).to_contain_text("opted out of texts from (202) 555-0112")
    expect(box(page)).to_be_hidden()
    house.text_in("UNSTOP", sender=number, to=mine)
    expect(refused(page)).to_be_hidden()
    expect(box(page)).to_have_value("Not yet sent")
    answer(page, fresh("Welcome back"))


def test_help_is_answered_by_the_house(enter: Enter, sit: Sit, house: House) -> None:
    number = stranger()
    phone = handset(enter(), house, number)
    text_from(phone, "HELP")
    expect(phone.get_by_role("log", name="Received")).to_contain_text("Brandt Appliance Repair")
    page = sit("cho", house.thread(number))
    expect(bubble(page, "Brandt Appliance Repair")).to_contain_text("Automatic")


def test_what_is_typed_while_the_composer_changes_stays(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Hello?", sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    asked: list[Route] = []
    page.route("**/composer/", lambda route: asked.append(route))
    box(page).press_sequentially("One ")
    with page.expect_request("**/composer/"):
        house.text_in("STOP", sender=number)
    box(page).press_sequentially("two")
    box(page).press("Home")
    asked[0].continue_()
    expect(refused(page)).to_be_visible()
    expect(box(page)).to_have_value("One two")
    page.keyboard.type("Zero, ")
    expect(box(page)).to_have_value("Zero, One two")
