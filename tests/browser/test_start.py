"""The article's section "Creating a New Conversation from a Shared Inbox", in real browsers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.house import (
    DISPATCH,
    FRONT_DESK,
    NARROW,
    WIDE,
    House,
    bubble,
    eventually,
    fill_sign_in,
    fresh,
    row,
    shown,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    Sit = Callable[..., Page]


def start(page: Page) -> None:
    page.get_by_role("link", name="Start a conversation", exact=True).click()
    page.get_by_role("heading", name="Start a conversation").wait_for()


def sender(page: Page) -> Locator:
    return page.get_by_role("combobox", name="From", exact=True)


def to(page: Page) -> Locator:
    return page.get_by_role("textbox", name="To", exact=True)


def words(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def send(page: Page, number: str, body: str, place: str = "") -> None:
    if place:
        sender(page).select_option(label=place)
    to(page).fill(number)
    words(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).click()


def preset(page: Page) -> str:
    return str(sender(page).evaluate("select => select.selectedOptions[0].textContent"))


def test_one_creates_a_conversation_from_a_shared_inbox(sit: Sit, house: House) -> None:
    """Messages view; Start a conversation; the dropdown next to my name; the inbox's name; a
    number and the body. The new thread is in that inbox's list, on every member's page."""
    number, body = stranger(), fresh("Your parts are here")
    cho = sit("cho", house.inbox())
    wait_until_live(cho)
    ana = sit("ana")
    start(ana)
    expect(to(ana)).to_be_focused()
    assert preset(ana) == "Ana Ruiz"
    assert sender(ana).locator("option").all_inner_texts() == [
        "Ana Ruiz",
        "Dispatch",
        "Front Desk",
    ]
    send(ana, number, body, "Front Desk")
    expect(ana.get_by_role("heading", name=shown(number))).to_be_visible()
    expect(bubble(ana, body)).to_contain_text("Ana")
    first = ana.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(first).to_contain_text(f"{shown(number)}")
    theirs = cho.get_by_role("list", name="Threads").get_by_role("listitem").first
    expect(theirs).to_contain_text(shown(number))
    expect(theirs).to_contain_text(f"Ana: {body}")
    expect(bubble(ana, body).get_by_text("Delivered")).to_be_visible()


def test_from_ones_own_line_the_conversation_is_a_row_of_its_own(sit: Sit, house: House) -> None:
    number, body = stranger(), fresh("From my own line")
    ana = sit("ana")
    start(ana)
    send(ana, number, body)
    expect(bubble(ana, body)).to_be_visible()
    conversations = ana.get_by_role("list", name="Conversations")
    expect(conversations.get_by_role("listitem").first).to_contain_text(shown(number))


def test_who_has_one_shared_inbox_and_no_line_finds_it_preset(sit: Sit, house: House) -> None:
    cho = sit("cho")
    start(cho)
    assert preset(cho) == "Front Desk"
    ben = sit("ben")
    start(ben)
    assert preset(ben) == "Choose an inbox"
    expect(sender(ben)).to_be_focused()
    send(ben, stranger(), "To whom?")
    expect(ben.get_by_text("Choose whom it is from.")).to_be_visible()
    expect(sender(ben)).to_be_focused()
    expect(words(ben)).to_have_value("To whom?")


def test_what_is_wrong_stands_beside_the_field_and_is_forgiven_by_typing(
    sit: Sit, house: House
) -> None:
    page = sit("ana")
    start(page)
    send(page, "12", fresh("Kept"), "Dispatch")
    error = page.get_by_text("There is no such telephone number.")
    expect(error).to_be_visible()
    expect(to(page)).to_be_focused()
    expect(to(page)).to_have_attribute("aria-invalid", "true")
    expect(words(page)).to_have_value(re.compile("^Kept"))
    assert preset(page) == "Dispatch"
    to(page).press_sequentially("3")
    expect(error).to_be_hidden()
    expect(to(page)).not_to_have_attribute("aria-invalid", "true")


def test_a_landline_and_another_inbox_are_told_of_while_one_types(sit: Sit, house: House) -> None:
    page = sit("ana")
    start(page)
    to(page).press_sequentially("+44 20 7946 0958")
    expect(page.get_by_text("This looks like a landline")).to_be_visible()
    number = stranger()
    house.text_in("I write to the other one", sender=number, to=DISPATCH)
    sender(page).select_option(label="Front Desk")
    to(page).fill(number)
    expect(page.get_by_text("Dispatch talks to this number, too")).to_be_visible()
    page.get_by_role("link", name="open that conversation").click()
    expect(bubble(page, "I write to the other one")).to_be_visible()


def test_known_contacts_are_chosen_by_keys(sit: Sit, house: House) -> None:
    page = sit("cho")
    start(page)
    to(page).press_sequentially("lindq")
    known = page.get_by_role("list", name="Known contacts").get_by_role("button")
    expect(known).to_contain_text("Marta Lindqvist")
    to(page).press("ArrowDown")
    expect(known).to_be_focused()
    page.keyboard.press("Enter")
    expect(to(page)).to_have_value("(202) 555-0126")
    expect(words(page)).to_be_focused()
    expect(page.get_by_text("your text joins that conversation")).to_be_visible()
    body = fresh("Joined by keys")
    page.keyboard.type(body)
    page.keyboard.press("Control+Enter")
    expect(bubble(page, body)).to_be_visible()
    assert page.url.endswith(house.thread("+12025550126"))


def test_back_leads_to_the_list_and_forward_to_the_form(sit: Sit, house: House) -> None:
    page = sit("ana", house.inbox())
    start(page)
    assert preset(page) == "Front Desk"
    page.go_back()
    expect(page.get_by_role("heading", name="Start a conversation")).to_be_hidden()
    page.go_forward()
    expect(sender(page)).to_be_visible()
    assert preset(page) == "Front Desk"


def test_a_double_click_sends_once(sit: Sit, house: House) -> None:
    page, body = sit("ana"), fresh("Clicked twice")
    start(page)
    to(page).fill(stranger())
    words(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(bubble(page, body)).to_be_visible()
    assert house.count(body) == 1


def test_a_half_typed_number_survives_a_text_that_comes_in(sit: Sit, house: House) -> None:
    page = sit("ana", house.inbox())
    start(page)
    to(page).press_sequentially("202 55")
    body = fresh("Meanwhile")
    house.text_in(body, sender=stranger(), to=FRONT_DESK)
    expect(row(page, body)).to_be_visible()
    expect(to(page)).to_be_focused()
    expect(to(page)).to_have_value("202 55")


def test_it_works_without_scripts(sit: Sit, house: House) -> None:
    number, body = stranger(), fresh("By hand")
    page = sit(None, java_script_enabled=False)
    fill_sign_in(page, "ben")
    start(page)
    send(page, "12", body, "Front Desk")
    expect(page.get_by_text("There is no such telephone number.")).to_be_visible()
    send(page, "+44 20 7946 0958", fresh("To a landline"))
    expect(page.get_by_text("This looks like a landline")).to_be_visible()
    page.goto(f"{house.url}/start/")
    send(page, number, body, "Front Desk")
    expect(page.get_by_role("heading", name=shown(number))).to_be_visible()
    eventually(lambda: house.count(body) == 1)


@pytest.mark.parametrize("path", ["/start/", "contact"])
def test_the_forms_stand_in_nobodys_way(sit: Sit, house: House, path: str) -> None:
    thread = house.thread("+12025550126")
    page = sit("ana", path if path == "/start/" else f"{thread}contact/")
    page.emulate_media(reduced_motion="reduce")
    if path == "/start/":
        send(page, "12", "")
        to(page).fill("")
        to(page).press_sequentially("lindq")
        page.get_by_role("list", name="Known contacts").wait_for()
    for size in (WIDE, NARROW):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{size} {scheme}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".pane form")).to_be_visible()
