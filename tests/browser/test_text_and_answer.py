"""A text comes in, the team sees it, one agent answers, and everybody sees the receipts."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    find_message,
    find_row,
    finish_animations,
    format_number,
    history,
    make_unique,
    message_box,
    new_number,
    open_handset,
    send_from_handset,
    send_text,
    wait_until_idle,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH

RECORD_STATES = """() => {
  window.states = [];
  new MutationObserver(() => {
    const state = [...document.querySelectorAll(".message .state")].at(-1)?.textContent.trim();
    if (state && state !== window.states.at(-1)) window.states.push(state);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
ORDER = ["Queued", "Sending", "Sent", "Delivered"]


def test_a_text_reaches_two_people_and_the_answer_of_one_is_delivered_before_both(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number, question, reply = (
        new_number(),
        make_unique("Is my pump there?"),
        make_unique("It is, come by."),
    )
    server.receive_text("First words", sender=number)
    ana = open_page("ana", server.inbox_path())
    ben = open_page("ben", server.thread_path(number))
    bens_top = ben.context.new_page()
    bens_top.goto(server.url)
    for page in (ana, ben, bens_top):
        wait_until_live(page)
        page.evaluate("window.isSameLoad = true")
    phone = open_handset(open_browser(), server, number)
    send_from_handset(phone, question)
    find_row(ana, format_number(number)).get_by_text(question).wait_for()
    find_message(ben, question).wait_for()
    find_row(bens_top, "Front Desk").get_by_text(question).wait_for()
    find_row(ana, format_number(number)).get_by_role("link").click()
    find_message(ana, question).wait_for()
    for page in (ana, ben):
        page.evaluate(RECORD_STATES)
    send_text(ana, reply)
    for page in (ana, ben):
        find_message(page, reply).get_by_text("Delivered").wait_for()
        states = page.evaluate("window.states")
        assert states == [state for state in ORDER if state in states]
        assert "Sent" in states
    find_message(ben, reply).get_by_text("Ana", exact=True).wait_for()
    find_row(ana, format_number(number)).get_by_text(f"You: {reply}").wait_for()
    find_row(ben, format_number(number)).get_by_text(f"Ana: {reply}").wait_for()
    find_row(bens_top, "Front Desk").get_by_text(f"Ana: {reply}").wait_for()
    phone.get_by_role("log", name="Received").get_by_text(reply).wait_for()
    assert all(page.evaluate("window.isSameLoad") for page in (ana, ben, bens_top))


def test_a_new_message_lifts_its_rows_and_takes_neither_focus_nor_scroll_nor_words(
    open_page: OpenPage, server: Server
) -> None:
    low, open_now, *others = [new_number() for _ in range(8)]
    for number in (low, open_now, *others):
        server.receive_text("In a row of its own", sender=number)
    ana = open_page("ana", server.thread_path(open_now), viewport={"width": 1200, "height": 480})
    wait_until_live(ana)
    message_box(ana).fill("Half a thought")
    ana.keyboard.press("ArrowLeft")
    ana.keyboard.press("ArrowLeft")
    rows = ana.get_by_role("list", name="Threads")
    rows.evaluate("list => { list.scrollTop = 130 }")
    anchor = rows.get_by_role("listitem").nth(4)
    number = (anchor.locator(".row-name").inner_text()).strip()
    before = anchor.bounding_box()
    body = make_unique("Up with me")
    server.receive_text(body, sender=low)
    rows.get_by_role("listitem").first.get_by_text(body).wait_for(state="attached")
    finish_animations(ana)
    wait_until_idle(ana)
    after = find_row(ana, number).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2, "what one reads stays where it is"
    expect(message_box(ana)).to_have_value("Half a thought")
    assert message_box(ana).evaluate(
        "box => [document.activeElement === box, box.selectionStart]"
    ) == [
        True,
        len("Half a thought") - 2,
    ]


def test_a_row_that_is_lifted_keeps_the_focus_that_it_has(
    open_page: OpenPage, server: Server
) -> None:
    server.receive_text(make_unique("Dispatch is on top"), sender=new_number(), to=DISPATCH)
    ben = open_page("ben")
    wait_until_live(ben)
    expect(ben.locator(".row").first).to_contain_text("Dispatch is on top")
    link = find_row(ben, "Front Desk").get_by_role("link")
    link.focus()
    body = make_unique("Front Desk comes up")
    server.receive_text(body, sender=new_number())
    ben.locator(".row").first.get_by_text(body).wait_for()
    expect(link).to_be_focused()


def test_one_who_reads_older_messages_is_left_there_and_told_of_the_new_one(
    open_page: OpenPage, server: Server
) -> None:
    number = "+12025550126"
    ana = open_page("ana", server.thread_path(number))
    wait_until_live(ana)
    log = history(ana)
    log.evaluate("log => { log.scrollTop = log.scrollHeight - log.clientHeight - 900 }")
    wait_until_idle(ana)
    top = log.evaluate("log => log.scrollTop")
    server.receive_text(make_unique("Down here"), sender=number)
    ana.get_by_role("button", name="Jump to newest").click()
    assert log.evaluate("log => log.scrollTop") > top
    ana.get_by_role("button", name="Jump to newest").wait_for(state="hidden")
