"""The main job: a text comes in, the team sees it, one answers, everybody sees how that goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    DISPATCH,
    House,
    answer,
    box,
    bubble,
    fresh,
    handset,
    history,
    row,
    shown,
    stranger,
    text_from,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]

RECORD_STATES = """() => {
  window.states = [];
  new MutationObserver(() => {
    const state = [...document.querySelectorAll(".message .state")].at(-1)?.textContent.trim();
    if (state && state !== window.states.at(-1)) window.states.push(state);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
ORDER = ["Queued", "Sending", "Sent", "Delivered"]


def test_a_text_reaches_two_people_and_the_answer_of_one_is_delivered_before_both(
    enter: Enter, sit: Sit, house: House
) -> None:
    number, question, reply = stranger(), fresh("Is my pump there?"), fresh("It is, come by.")
    house.text_in("First words", sender=number)
    ana = sit("ana", house.inbox())
    ben = sit("ben", house.thread(number))
    bens_top = ben.context.new_page()
    bens_top.goto(house.url)
    for page in (ana, ben, bens_top):
        wait_until_live(page)
        page.evaluate("window.isSameLoad = true")
    phone = handset(enter(), house, number)
    text_from(phone, question)
    row(ana, shown(number)).get_by_text(question).wait_for()
    bubble(ben, question).wait_for()
    row(bens_top, "Front Desk").get_by_text(question).wait_for()
    row(ana, shown(number)).get_by_role("link").click()
    bubble(ana, question).wait_for()
    for page in (ana, ben):
        page.evaluate(RECORD_STATES)
    answer(ana, reply)
    for page in (ana, ben):
        bubble(page, reply).get_by_text("Delivered").wait_for()
        states = page.evaluate("window.states")
        assert states == [state for state in ORDER if state in states]
        assert "Sent" in states
    bubble(ben, reply).get_by_text("Ana", exact=True).wait_for()
    row(ana, shown(number)).get_by_text(f"You: {reply}").wait_for()
    row(ben, shown(number)).get_by_text(f"Ana: {reply}").wait_for()
    row(bens_top, "Front Desk").get_by_text(f"Ana: {reply}").wait_for()
    phone.get_by_role("log", name="Received").get_by_text(reply).wait_for()
    assert all(page.evaluate("window.isSameLoad") for page in (ana, ben, bens_top))


def test_a_new_message_lifts_its_rows_and_takes_neither_focus_nor_scroll_nor_words(
    sit: Sit, house: House
) -> None:
    low, open_now, *others = [stranger() for _ in range(8)]
    for number in (low, open_now, *others):
        house.text_in("In a row of its own", sender=number)
    ana = sit("ana", house.thread(open_now), viewport={"width": 1200, "height": 480})
    wait_until_live(ana)
    box(ana).fill("Half a thought")
    ana.keyboard.press("ArrowLeft")
    ana.keyboard.press("ArrowLeft")
    rows = ana.get_by_role("list", name="Threads")
    rows.evaluate("list => { list.scrollTop = 130 }")
    anchor = rows.get_by_role("listitem").nth(4)
    number = (anchor.locator(".row-name").inner_text()).strip()
    before = anchor.bounding_box()
    body = fresh("Up with me")
    house.text_in(body, sender=low)
    rows.get_by_role("listitem").first.get_by_text(body).wait_for(state="attached")
    ana.wait_for_timeout(250)
    after = row(ana, number).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2, "what one reads stays where it is"
    expect(box(ana)).to_have_value("Half a thought")
    assert box(ana).evaluate("box => [document.activeElement === box, box.selectionStart]") == [
        True,
        len("Half a thought") - 2,
    ]


def test_a_row_that_is_lifted_keeps_the_focus_that_it_has(sit: Sit, house: House) -> None:
    house.text_in(fresh("Dispatch is on top"), sender=stranger(), to=DISPATCH)
    ben = sit("ben")
    wait_until_live(ben)
    expect(ben.locator(".row").first).to_contain_text("Dispatch is on top")
    link = row(ben, "Front Desk").get_by_role("link")
    link.focus()
    body = fresh("Front Desk comes up")
    house.text_in(body, sender=stranger())
    ben.get_by_role("listitem").first.get_by_text(body).wait_for()
    expect(link).to_be_focused()


def test_one_who_reads_older_messages_is_left_there_and_told_of_the_new_one(
    sit: Sit, house: House
) -> None:
    number = "+12025550126"
    ana = sit("ana", house.thread(number))
    wait_until_live(ana)
    log = history(ana)
    log.evaluate("log => { log.scrollTop = log.scrollHeight - log.clientHeight - 900 }")
    ana.wait_for_timeout(150)
    top = log.evaluate("log => log.scrollTop")
    house.text_in(fresh("Down here"), sender=number)
    ana.get_by_role("button", name="New messages").click()
    assert log.evaluate("log => log.scrollTop") > top
    ana.get_by_role("button", name="New messages").wait_for(state="hidden")
