"""An opt-out shows at once in every open composer, and nothing that was typed is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenBrowser,
    OpenPage,
    choose_thread_option,
    expect_readable,
    find_message,
    format_number,
    make_unique,
    message_box,
    new_number,
    open_handset,
    send_from_handset,
    send_text,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route


def find_refusal(page: Page) -> Locator:
    return page.locator(".refusal")


def read_draft(server: Server, number: str, who: str) -> list[tuple[object, ...]]:
    return server.query(
        "SELECT s.draft_body, s.draft_is_internal FROM threads_threadstate s"
        " JOIN inboxes_agent a ON a.id = s.agent_id WHERE a.username = %s AND s.thread_id = %s",
        who,
        int(server.thread_path(number).split("/")[2]),
    )


def test_an_open_composer_changes_and_keeps_what_was_typed(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    phone = open_handset(open_browser(), server, number)
    send_from_handset(phone, "Hello?")
    ana, ben = (open_page(name, server.thread_path(number)) for name in ("ana", "ben"))
    for page in (ana, ben):
        wait_until_live(page)
        expect(find_refusal(page)).to_be_hidden()
    message_box(ana).press_sequentially("Half an answer")
    wait_until(lambda: read_draft(server, number, "ana") == [("Half an answer", False)])
    send_from_handset(phone, " stop ")
    for page in (ana, ben):
        expect(find_refusal(page)).to_contain_text(
            f"{format_number(number)} opted out of texts from"
        )
        expect(find_refusal(page)).to_contain_text("You can still write to your team.")
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    expect(message_box(ana)).to_have_value("Half an answer")
    expect(message_box(ana)).to_be_focused()
    note = make_unique("They want no more texts")
    message_box(ben).fill(note)
    ben.get_by_role("button", name="Add internal message").click()
    expect(find_message(ana, note)).to_contain_text("Internal")
    send_from_handset(phone, "Start")
    for page in (ana, ben):
        expect(find_refusal(page)).to_be_hidden()
    expect(message_box(ana)).to_have_value("Half an answer")
    # What Ben wrote last was for the team, and his mode stays until he switches it.
    expect(ben.get_by_role("button", name="Add internal message")).to_be_visible()
    expect(ana.get_by_role("button", name="Send", exact=True)).to_be_visible()
    ana.get_by_role("button", name="Send", exact=True).click()
    hold = ana.get_by_role("button", name="Send anyway")
    expect(hold.or_(find_message(ana, "Half an answer"))).to_be_visible()
    if hold.is_visible():
        hold.click()
    expect(phone.get_by_role("log", name="Received")).to_contain_text("Half an answer")


def test_it_stands_there_before_anyone_types_and_survives_a_reload(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("UNSUBSCRIBE", sender=number)
    page = open_page("cho", server.thread_path(number))
    for _ in range(2):
        expect(find_refusal(page)).to_contain_text(
            "You can write to them again once they text START."
        )
        page.reload()


def test_on_ones_own_line_the_box_goes_and_returns_with_its_text(
    open_page: OpenPage, server: Server
) -> None:
    number, mine = new_number(), "+12025550112"
    server.receive_text("Hello?", sender=number, to=mine)
    page = open_page("ana", server.thread_path(number, mine))
    wait_until_live(page)
    message_box(page).press_sequentially("Not yet sent")
    server.receive_text("QUIT", sender=number, to=mine)
    expect(find_refusal(page)).to_contain_text("opted out of texts from (202) 555-0112")
    expect(message_box(page)).to_be_hidden()
    server.receive_text("UNSTOP", sender=number, to=mine)
    expect(find_refusal(page)).to_be_hidden()
    expect(message_box(page)).to_have_value("Not yet sent")
    send_text(page, make_unique("Welcome back"))


def test_help_is_answered_by_the_program(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    phone = open_handset(open_browser(), server, number)
    send_from_handset(phone, "HELP")
    expect(phone.get_by_role("log", name="Received")).to_contain_text("Brandt Appliance Repair")
    page = open_page("cho", server.thread_path(number))
    expect(find_message(page, "Brandt Appliance Repair")).to_contain_text("Automatic")


def test_what_is_typed_while_the_composer_changes_stays(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    asked: list[Route] = []
    page.route("**/composer/", lambda route: asked.append(route))
    message_box(page).press_sequentially("One ")
    with page.expect_request("**/composer/"):
        server.receive_text("STOP", sender=number)
    message_box(page).press_sequentially("two")
    message_box(page).press("Home")
    asked[0].continue_()
    expect(find_refusal(page)).to_be_visible()
    expect(message_box(page)).to_have_value("One two")
    page.keyboard.type("Zero, ")
    expect(message_box(page)).to_have_value("Zero, One two")


def test_an_agent_who_is_asked_by_phone_records_it_and_every_open_page_follows(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Is it ready?", sender=number)
    ana, ben = (open_page(name, server.thread_path(number)) for name in ("ana", "ben"))
    for page in (ana, ben):
        wait_until_live(page)
    choose_thread_option(ana, "Record opt-out")
    ana.get_by_label("How did they ask?").select_option("Another way")
    ana.get_by_role("button", name="Record opt-out").click()
    expect(ana.get_by_text("Say how they asked.")).to_be_visible()
    expect(ana.get_by_label("Details")).to_be_focused()
    expect_readable(ana, WIDE, NARROW)
    ana.get_by_label("How did they ask?").select_option("By phone")
    ana.get_by_label("Details").fill("No more reminders")
    ana.get_by_role("button", name="Record opt-out").click()
    for page in (ana, ben):
        expect(find_refusal(page)).to_contain_text("as Ana Ruiz recorded")
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    ben.get_by_role("button", name="Thread options").click()
    expect(ben.get_by_role("menuitem", name="Record opt-out")).to_be_hidden()
    ben.get_by_role("menuitem", name="End opt-out…").click()
    expect(
        ben.get_by_text("Recorded by Ana Ruiz: Asked by phone: No more reminders")
    ).to_be_visible()
    ben.get_by_role("button", name="End opt-out", exact=True).click()
    expect(ben.get_by_text("Say why you can text them again.")).to_be_visible()
    expect_readable(ben, WIDE, NARROW)
    ben.get_by_label("Why can you text them again?").fill("They called back")
    ben.get_by_role("button", name="End opt-out").click()
    wait_until_live(ana)
    for page in (ana, ben):
        expect(find_refusal(page)).to_be_hidden()
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_long_text_that_may_ask_for_it_is_pointed_out_on_an_open_page(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    page = open_page("cho", server.thread_path(number))
    wait_until_live(page)
    message_box(page).press_sequentially("Half an answer")
    offer = page.get_by_role("link", name="Record opt-out")
    server.receive_text("please don't text me any more", sender=number)
    expect(offer).to_be_visible()
    expect(message_box(page)).to_have_value("Half an answer")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    server.receive_text("Sorry, wrong number", sender=number)
    expect(offer).to_be_hidden()
    server.receive_text("stop by at 5", sender=number)
    offer.click()
    expect(page.get_by_label("How did they ask?")).to_have_value("text")
    page.get_by_role("button", name="Record opt-out").click()
    expect(find_refusal(page)).to_contain_text("as Cho Park recorded")


def test_a_stop_is_confirmed_once_and_nothing_follows_it(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    phone = open_handset(open_browser(), server, number)
    send_from_handset(phone, "Please stop texting me!")
    received = phone.get_by_role("log", name="Received")
    expect(received).to_contain_text("unsubscribed and will get no more texts")
    send_from_handset(phone, "STOP")
    page = open_page("ben", server.thread_path(number))
    expect(find_message(page, "unsubscribed and will get")).to_contain_text("Automatic")
    expect(find_message(page, "unsubscribed and will get")).to_have_count(1)
    expect(find_refusal(page)).to_contain_text("opted out of texts")


def test_an_opt_out_is_recorded_and_ended_without_scripts(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    path = f"{server.thread_path(number)}opt-out/"
    page = open_page("ben", path, java_script_enabled=False)
    page.get_by_label("How did they ask?").select_option("In person")
    page.get_by_role("button", name="Record opt-out").click()
    expect(find_refusal(page)).to_contain_text("as Ben Okafor recorded")
    page.get_by_role("link", name="End opt-out…").click()
    page.get_by_label("Why can you text them again?").fill("They came back")
    page.get_by_role("button", name="End opt-out").click()
    expect(find_refusal(page)).to_be_hidden()
