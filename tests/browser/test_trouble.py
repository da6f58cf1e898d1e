"""Texts that fail, and texts of which nobody knows: what the page says and what Retry does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.house import House, answer, bubble, fresh, handset, stranger

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]


def tell_far_end(phone: Page, behaviour: str) -> None:
    phone.get_by_role("combobox", name="The carrier").select_option(behaviour)
    with phone.expect_response("**/far-end/"):
        phone.get_by_role("button", name="Save").click()


@pytest.mark.parametrize(
    ("behaviour", "state", "reason"),
    [
        ("reject", "Failed", "number"),
        ("reset", "Unknown", "We cannot tell whether the carrier took this text"),
        ("timeout", "Unknown", "We cannot tell whether the carrier took this text"),
    ],
)
def test_trouble_has_a_word_a_reason_and_a_retry_that_delivers(
    enter: Enter, sit: Sit, house: House, behaviour: str, state: str, reason: str
) -> None:
    number, body = stranger(), fresh(f"Goes wrong: {behaviour}")
    house.text_in("Answer me", sender=number)
    ana, ben = sit("ana", house.thread(number)), sit("ben", house.thread(number))
    phone = handset(enter(), house, number)
    with house.far_end("accept"):
        tell_far_end(phone, behaviour)
        answer(ana, body)
        for page in (ana, ben):
            expect(bubble(page, body).locator(".state")).to_have_text(state)
            expect(bubble(page, body)).to_contain_text(reason)
        tell_far_end(phone, "accept")
    retry = bubble(ben, body).get_by_role("button", name="Retry")
    retry.click()
    for page in (ana, ben):
        expect(bubble(page, body).locator(".state")).to_have_text("Delivered")
        expect(bubble(page, body).get_by_role("button", name="Retry")).to_have_count(0)
        expect(bubble(page, body)).not_to_contain_text(reason)
    assert house.count(body) == 1
    attempts = house.sql(
        "SELECT count(*) FROM messaging_attempt a JOIN messaging_message m"
        " ON m.id = a.message_id WHERE m.body = %s",
        body,
    )
    assert attempts[0][0] == 2, "each try is counted"
