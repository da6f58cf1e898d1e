"""The message box sends each text once and loses no word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    InputMethod,
    OpenPage,
    find_message,
    history,
    make_unique,
    message_box,
    new_number,
    send_text,
    wait_until,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


CLICK_AS_SOON_AS_SENT = """() => new Promise(done => {
  const send = document.querySelector(".send");
  const timer = setInterval(() => {
    if (document.querySelector("#message-box").value || send.disabled) return;
    clearInterval(timer); send.click(); done();
  }, 2);
})"""


@pytest.fixture
def number(server: Server) -> str:
    """Return the number of a contact who wrote once."""
    number = new_number()
    server.receive_text("Somebody there?", sender=number)
    return number


@pytest.fixture
def ana(open_page: OpenPage, server: Server, number: str) -> Page:
    return open_page("ana", server.thread_path(number))


def test_a_double_click_on_send_makes_one_message(ana: Page, server: Server) -> None:
    body = make_unique("Twice clicked")
    message_box(ana).fill(body)
    ana.get_by_role("button", name="Send", exact=True).dblclick()
    find_message(ana, body).get_by_text("Delivered").wait_for()
    expect(history(ana).get_by_text(body)).to_have_count(1)
    assert server.count_messages(body) == 1
    expect(ana.get_by_role("alert").filter(has_text="Write")).to_have_count(0)


def test_a_slow_double_click_is_not_taken_for_an_empty_text(ana: Page, server: Server) -> None:
    body = make_unique("Clicked, and clicked again once it was sent")
    send_text(ana, body)
    ana.evaluate(CLICK_AS_SOON_AS_SENT)
    find_message(ana, body).get_by_text("Delivered").wait_for()
    expect(ana.get_by_role("alert")).to_have_count(0)
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(ana.get_by_role("alert")).to_have_text("Write something first.")


def test_enter_twice_makes_one_message_and_shift_enter_a_new_line(
    ana: Page, server: Server
) -> None:
    body = make_unique("Twice entered")
    message_box(ana).fill(body)
    message_box(ana).press("Shift+Enter")
    ana.keyboard.type("second line")
    ana.evaluate(
        """() => { for (let i = 0; i < 2; i += 1) document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) }"""
    )
    find_message(ana, body).get_by_text("Delivered").wait_for()
    assert server.count_messages(f"{body}\nsecond line") == 1
    expect(message_box(ana)).to_have_value("")


def test_enter_in_an_input_method_sends_nothing(ana: Page, server: Server) -> None:
    message_box(ana).focus()
    method = InputMethod(ana)
    method.compose("にほん")
    method.press("Enter")
    method.commit("日本")
    expect(message_box(ana)).to_have_value("日本")
    unique = make_unique("")
    ana.keyboard.type(unique)
    ana.keyboard.press("Enter")
    find_message(ana, f"日本{unique}").get_by_text("Delivered").wait_for()
    expect(history(ana).get_by_role("article")).to_have_count(2)


def test_an_answer_that_was_lost_on_its_way_back_makes_no_second_message(
    ana: Page, server: Server
) -> None:
    body = make_unique("Taken, but nobody heard")
    path = "**/messages/"

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    ana.route(path, lose)
    send_text(ana, body)
    alert = ana.get_by_role("alert").filter(has_text="Not sent.")
    # The draft may have been told in the meantime that it has gone, and then the box is empty.
    wait_until(lambda: alert.is_visible() or not message_box(ana).input_value())
    assert server.count_messages(body) == 1, "the server took it"
    ana.unroute(path)
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(message_box(ana)).to_have_value("")
    assert server.count_messages(body) == 1
    expect(history(ana).get_by_text(body)).to_have_count(1)


@pytest.mark.parametrize("body", ["", " \n "])
def test_nothing_is_refused_beside_the_field(ana: Page, body: str) -> None:
    send_text(ana, body)
    expect(message_box(ana)).to_have_attribute("aria-invalid", "true")
    expect(message_box(ana)).to_have_accessible_description(
        "Write something first. To the customer"
    )
    expect(message_box(ana)).to_have_value(body)
    message_box(ana).fill("Something")
    expect(message_box(ana)).not_to_have_attribute("aria-invalid", "true")


def test_a_complaint_stays_while_other_things_change_in_the_thread(
    ana: Page, open_page: OpenPage, server: Server, number: str
) -> None:
    send_text(ana, "")
    expect(message_box(ana)).to_have_attribute("aria-invalid", "true")
    other = open_page("ana", ana.url.removeprefix(server.url))
    other.get_by_role("button", name="Thread options").click()
    other.get_by_role("menuitem", name="Mute", exact=True).click()
    expect(ana.locator("[data-mute] [data-word]")).to_have_text("Unmute")
    with ana.expect_response("**/read/"):
        server.receive_text("Still there?", sender=number)
    expect(message_box(ana)).to_have_attribute("aria-invalid", "true")


def test_too_much_is_refused_and_kept(ana: Page, server: Server) -> None:
    body = make_unique("Much") + "x" * 1600
    send_text(ana, body)
    ana.get_by_role("alert").filter(has_text="This is too long").wait_for()
    expect(message_box(ana)).to_have_attribute("aria-invalid", "true")
    expect(message_box(ana)).to_have_value(body)
    assert server.count_messages(body) == 0


def test_half_a_thought_outlives_a_step_to_another_thread_and_a_reload(
    ana: Page, server: Server
) -> None:
    here = ana.url
    server.raise_thread("+12025550142")
    message_box(ana).fill("Half a thought")
    ana.get_by_role("list", name="Threads").get_by_role("link", name="555-0142").click()
    expect(message_box(ana)).to_have_value("")
    ana.go_back()
    ana.wait_for_url(here)
    expect(message_box(ana)).to_have_value("Half a thought")
    ana.reload()
    expect(message_box(ana)).to_have_value("Half a thought")


def test_the_count_is_of_what_the_carrier_takes_and_for_the_team_of_what_we_take(
    ana: Page,
) -> None:
    ana.locator("#composer").evaluate("form => { form.dataset.limit = 20; }")
    left = ana.locator("[data-left]")
    message_box(ana).fill("x" * 25)
    expect(left).to_have_text("5 too many")
    message_box(ana).press("Control+i")
    expect(left).to_be_hidden()
    message_box(ana).press("Control+i")
    expect(left).to_have_text("5 too many")
