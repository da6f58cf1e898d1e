"""Creating a conversation from a shared inbox, in real browsers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.files import (
    attach_files,
    attached_files,
    expect_shown,
    find_pictures,
    make_file,
    paste_or_drop,
)
from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    expect_readable,
    find_message,
    find_row,
    format_number,
    make_unique,
    new_number,
    sign_in,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import DISPATCH, FRONT_DESK
from tests.messaging.attachments.picture_bytes import make_picture

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def start_conversation(page: Page) -> None:
    page.get_by_role("link", name="Start a conversation", exact=True).click()
    page.get_by_role("heading", name="Start a conversation").wait_for()


def sender_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="From", exact=True)


def number_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="To", exact=True)


def body_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def send_first_text(page: Page, number: str, body: str, place: str = "") -> None:
    if place:
        sender_field(page).select_option(label=place)
    number_field(page).fill(number)
    body_field(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).click()


def read_sender(page: Page) -> str:
    return str(sender_field(page).evaluate("select => select.selectedOptions[0].textContent"))


def test_one_creates_a_conversation_from_a_shared_inbox(
    open_page: OpenPage, server: Server
) -> None:
    """Messages view; Start a conversation; the dropdown next to my name; the inbox's name; a
    number and the body. The new thread is in that inbox's list, on every member's page."""
    number, body = new_number(), make_unique("Your parts are here")
    cho = open_page("cho", server.inbox_path())
    wait_until_live(cho)
    ana = open_page("ana")
    start_conversation(ana)
    expect(number_field(ana)).to_be_focused()
    assert read_sender(ana) == "Ana Ruiz"
    assert sender_field(ana).locator("option").all_inner_texts() == [
        "Ana Ruiz",
        "Dispatch",
        "Front Desk",
    ]
    send_first_text(ana, number, body, "Front Desk")
    expect(ana.get_by_role("heading", name=format_number(number))).to_be_visible()
    expect(find_message(ana, body)).to_contain_text("Ana")
    first = ana.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(first).to_contain_text(f"{format_number(number)}")
    theirs = cho.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(theirs).to_contain_text(format_number(number))
    expect(theirs).to_contain_text(f"Ana: {body}")
    expect(find_message(ana, body).get_by_text("Delivered")).to_be_visible()


def test_from_ones_own_line_the_conversation_is_a_row_of_its_own(
    open_page: OpenPage, server: Server
) -> None:
    number, body = new_number(), make_unique("From my own line")
    ana = open_page("ana")
    start_conversation(ana)
    send_first_text(ana, number, body)
    expect(find_message(ana, body)).to_be_visible()
    conversations = ana.get_by_role("list", name="Conversations")
    expect(conversations.get_by_role("listitem").first).to_contain_text(format_number(number))


def test_who_has_one_shared_inbox_and_no_line_finds_it_preset(
    open_page: OpenPage, server: Server
) -> None:
    cho = open_page("cho")
    start_conversation(cho)
    assert read_sender(cho) == "Front Desk"
    ben = open_page("ben")
    start_conversation(ben)
    assert read_sender(ben) == "Choose an inbox"
    expect(sender_field(ben)).to_be_focused()
    send_first_text(ben, new_number(), "To whom?")
    expect(ben.get_by_text("Choose who it's from.")).to_be_visible()
    expect(sender_field(ben)).to_be_focused()
    expect(body_field(ben)).to_have_value("To whom?")


def test_what_is_wrong_stands_beside_the_field_and_is_forgiven_by_typing(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana")
    start_conversation(page)
    send_first_text(page, "12", make_unique("Kept"), "Dispatch")
    error = page.get_by_text("That isn't a valid number.")
    expect(error).to_be_visible()
    expect(number_field(page)).to_be_focused()
    expect(number_field(page)).to_have_attribute("aria-invalid", "true")
    expect(body_field(page)).to_have_value(re.compile("^Kept"))
    assert read_sender(page) == "Dispatch"
    number_field(page).press_sequentially("3")
    expect(error).to_be_hidden()
    expect(number_field(page)).not_to_have_attribute("aria-invalid", "true")


def test_a_landline_and_another_inbox_are_told_of_while_one_types(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana")
    start_conversation(page)
    number_field(page).press_sequentially("+44 20 7946 0958")
    expect(page.get_by_text("This looks like a landline")).to_be_visible()
    number = new_number()
    server.receive_text("I write to the other one", sender=number, to=DISPATCH)
    sender_field(page).select_option(label="Front Desk")
    number_field(page).fill(number)
    expect(page.get_by_text("Dispatch also texts with this number")).to_be_visible()
    page.get_by_role("link", name="open that conversation").click()
    expect(find_message(page, "I write to the other one")).to_be_visible()


def test_known_contacts_are_chosen_by_keys(open_page: OpenPage, server: Server) -> None:
    page = open_page("cho")
    start_conversation(page)
    number_field(page).press_sequentially("lindq")
    known = page.get_by_role("list", name="Known contacts").get_by_role("button")
    expect(known).to_contain_text("Marta Lindqvist")
    number_field(page).press("ArrowDown")
    expect(known).to_be_focused()
    page.keyboard.press("Enter")
    expect(number_field(page)).to_have_value("(202) 555-0126")
    expect(body_field(page)).to_be_focused()
    expect(page.get_by_text("Your text joins that conversation")).to_be_visible()
    body = make_unique("Joined by keys")
    page.keyboard.type(body)
    page.keyboard.press("Control+Enter")
    expect(find_message(page, body)).to_be_visible()
    assert page.url.endswith(server.thread_path("+12025550126"))


def test_back_leads_to_the_list_and_forward_to_the_form(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.inbox_path())
    start_conversation(page)
    assert read_sender(page) == "Front Desk"
    page.go_back()
    expect(page.get_by_role("heading", name="Start a conversation")).to_be_hidden()
    page.go_forward()
    expect(sender_field(page)).to_be_visible()
    assert read_sender(page) == "Front Desk"


def test_a_double_click_sends_once(open_page: OpenPage, server: Server) -> None:
    page, body = open_page("ana"), make_unique("Clicked twice")
    start_conversation(page)
    number_field(page).fill(new_number())
    body_field(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(find_message(page, body)).to_be_visible()
    assert server.count_messages(body) == 1


def test_a_half_typed_number_survives_a_text_that_comes_in(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.inbox_path())
    start_conversation(page)
    number_field(page).press_sequentially("202 55")
    body = make_unique("Meanwhile")
    server.receive_text(body, sender=new_number(), to=FRONT_DESK)
    expect(find_row(page, body)).to_be_visible()
    expect(number_field(page)).to_be_focused()
    expect(number_field(page)).to_have_value("202 55")


def test_it_works_without_scripts(open_page: OpenPage, server: Server) -> None:
    number, body = new_number(), make_unique("By hand")
    page = open_page(None, java_script_enabled=False)
    sign_in(page, "ben")
    start_conversation(page)
    send_first_text(page, "12", body, "Front Desk")
    expect(page.get_by_text("That isn't a valid number.")).to_be_visible()
    send_first_text(page, "+44 20 7946 0958", make_unique("To a landline"))
    expect(page.get_by_text("This looks like a landline")).to_be_visible()
    page.goto(f"{server.url}/start/")
    send_first_text(page, number, body, "Front Desk")
    expect(page.get_by_role("heading", name=format_number(number))).to_be_visible()
    wait_until(lambda: server.count_messages(body) == 1)


@pytest.mark.parametrize("path", ["/start/", "contact"])
def test_the_forms_stand_in_nobodys_way(open_page: OpenPage, server: Server, path: str) -> None:
    thread = server.thread_path("+12025550126")
    page = open_page("ana", path if path == "/start/" else f"{thread}contact/")
    if path == "/start/":
        send_first_text(page, "12", "")
        number_field(page).fill("")
        number_field(page).press_sequentially("lindq")
        page.get_by_role("list", name="Known contacts").wait_for()
    for size in (WIDE, NARROW):
        expect_readable(page, size)
        expect(page.locator(".pane form")).to_be_visible()


def test_pictures_go_with_a_first_text_and_outlive_a_refusal(
    open_page: OpenPage, server: Server
) -> None:
    ana = open_page("ana", "/start/")
    body = make_unique("How the roof looks")
    expect(ana.get_by_text("Up to 10 pictures or files")).to_be_visible()
    attach_files(ana, make_file("roof.jpg", make_picture()))
    expect(attached_files(ana)).to_have_count(1)
    expect(ana.get_by_role("button", name="Attach files")).to_be_visible()
    paste_or_drop(ana, "drop", ".pane.start", make_file("wall.jpg", make_picture()))
    expect(attached_files(ana)).to_have_count(2)
    send_first_text(ana, "12", body, "Front Desk")
    expect(ana.locator("#start-to-error")).not_to_be_empty()
    expect(attached_files(ana)).to_have_count(2)
    ana.get_by_role("button", name="Remove wall.jpg").click()
    expect(attached_files(ana)).to_have_count(1)
    held: list[Any] = []
    ana.route("**/start/files/", lambda route: held.append(route))
    attach_files(ana, make_file("door.jpg", make_picture()))
    send_first_text(ana, new_number(), body, "Front Desk")
    expect(ana.get_by_text("Sends as soon as its files are uploaded.")).to_be_visible()
    held[0].continue_()
    expect(find_message(ana, body)).to_have_count(1)
    expect_shown(find_pictures(ana), 2)
    assert server.count_messages(body) == 1
