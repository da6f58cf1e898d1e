"""The box: one message for one wish, and no word lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.house import House, answer, box, bubble, eventually, fresh, history, stranger

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    Sit = Callable[..., Page]


CLICK_AS_SOON_AS_SENT = """() => new Promise(done => {
  const send = document.querySelector(".send");
  const timer = setInterval(() => {
    if (document.querySelector("#message-box").value || send.disabled) return;
    clearInterval(timer); send.click(); done();
  }, 2);
})"""


@pytest.fixture
def ana(sit: Sit, house: House) -> Page:
    number = stranger()
    house.text_in("Somebody there?", sender=number)
    return sit("ana", house.thread(number))


def test_a_double_click_on_send_makes_one_message(ana: Page, house: House) -> None:
    body = fresh("Twice clicked")
    box(ana).fill(body)
    ana.get_by_role("button", name="Send", exact=True).dblclick()
    bubble(ana, body).get_by_text("Delivered").wait_for()
    expect(history(ana).get_by_text(body)).to_have_count(1)
    assert house.count(body) == 1
    expect(ana.get_by_role("alert").filter(has_text="Write")).to_have_count(0)


def test_a_slow_double_click_is_not_taken_for_an_empty_text(ana: Page, house: House) -> None:
    body = fresh("Clicked, and clicked again once it was sent")
    answer(ana, body)
    ana.evaluate(CLICK_AS_SOON_AS_SENT)
    bubble(ana, body).get_by_text("Delivered").wait_for()
    expect(ana.get_by_role("alert")).to_have_count(0)
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(ana.get_by_role("alert")).to_have_text("Write something first.")


def test_enter_twice_makes_one_message_and_shift_enter_a_new_line(ana: Page, house: House) -> None:
    body = fresh("Twice entered")
    box(ana).fill(body)
    box(ana).press("Shift+Enter")
    ana.keyboard.type("second line")
    ana.evaluate(
        """() => { for (let i = 0; i < 2; i += 1) document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) }"""
    )
    bubble(ana, body).get_by_text("Delivered").wait_for()
    assert house.count(f"{body}\nsecond line") == 1
    expect(box(ana)).to_have_value("")


def test_an_answer_that_was_lost_on_its_way_back_makes_no_second_message(
    ana: Page, house: House
) -> None:
    body = fresh("Taken, but nobody heard")
    path = "**/messages/"

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    ana.route(path, lose)
    answer(ana, body)
    alert = ana.get_by_role("alert").filter(has_text="Not sent.")
    # The draft may have been told in the meantime that it has gone, and then the box is empty.
    eventually(lambda: alert.is_visible() or not box(ana).input_value())
    assert house.count(body) == 1, "the server took it"
    ana.unroute(path)
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(box(ana)).to_have_value("")
    assert house.count(body) == 1
    expect(history(ana).get_by_text(body)).to_have_count(1)


@pytest.mark.parametrize("body", ["", " \n "])
def test_nothing_is_refused_beside_the_field(ana: Page, body: str) -> None:
    answer(ana, body)
    expect(box(ana)).to_have_attribute("aria-invalid", "true")
    expect(box(ana)).to_have_accessible_description("Write something first. To the customer")
    expect(box(ana)).to_have_value(body)
    box(ana).fill("Something")
    expect(box(ana)).not_to_have_attribute("aria-invalid", "true")


def test_a_complaint_stays_while_other_things_change_in_the_thread(
    ana: Page, sit: Sit, house: House
) -> None:
    answer(ana, "")
    expect(box(ana)).to_have_attribute("aria-invalid", "true")
    other = sit("ana", ana.url.removeprefix(house.url))
    other.get_by_role("button", name="Thread options").click()
    other.get_by_role("menuitem", name="Mute", exact=True).click()
    expect(ana.locator("[data-mute] [data-word]")).to_have_text("Unmute")
    ana.wait_for_timeout(1_500)  # longer than a page takes to say what it showed
    expect(box(ana)).to_have_attribute("aria-invalid", "true")


def test_too_much_is_refused_and_kept(ana: Page, house: House) -> None:
    body = fresh("Much") + "x" * 1600
    answer(ana, body)
    ana.get_by_role("alert").filter(has_text="This is too long").wait_for()
    expect(box(ana)).to_have_attribute("aria-invalid", "true")
    expect(box(ana)).to_have_value(body)
    assert house.count(body) == 0


def test_half_a_thought_outlives_a_step_to_another_thread_and_a_reload(
    ana: Page, house: House
) -> None:
    here = ana.url
    house.lift("+12025550142")
    box(ana).fill("Half a thought")
    ana.get_by_role("list", name="Threads").get_by_role("link", name="555-0142").click()
    expect(box(ana)).to_have_value("")
    ana.go_back()
    ana.wait_for_url(here)
    expect(box(ana)).to_have_value("Half a thought")
    ana.reload()
    expect(box(ana)).to_have_value("Half a thought")


def test_the_count_is_of_what_the_carrier_takes_and_for_the_team_of_what_we_take(
    ana: Page,
) -> None:
    ana.locator("#composer").evaluate("form => { form.dataset.limit = 20; }")
    left = ana.locator("[data-left]")
    box(ana).fill("x" * 25)
    expect(left).to_have_text("5 too many")
    box(ana).press("Control+i")
    expect(left).to_be_hidden()
    box(ana).press("Control+i")
    expect(left).to_have_text("5 too many")
