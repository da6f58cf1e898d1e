"""Texts that fail or stay unknown: the page says so, and Retry sends them again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    choose_carrier_behaviour,
    find_message,
    make_unique,
    new_number,
    open_handset,
    send_text,
)
from tests.browser.server import Server


@pytest.mark.parametrize(
    ("behaviour", "state", "reason"),
    [
        ("reject", "Failed", "number"),
        ("reset", "Unknown", "We can't tell whether this text was sent"),
        ("timeout", "Unknown", "We can't tell whether this text was sent"),
    ],
)
def test_trouble_has_a_word_a_reason_and_a_retry_that_delivers(
    open_browser: OpenBrowser,
    open_page: OpenPage,
    server: Server,
    behaviour: str,
    state: str,
    reason: str,
) -> None:
    number, body = new_number(), make_unique(f"Goes wrong: {behaviour}")
    server.receive_text("Answer me", sender=number)
    ana, ben = (
        open_page("ana", server.thread_path(number)),
        open_page("ben", server.thread_path(number)),
    )
    phone = open_handset(open_browser(), server, number)
    with server.set_carrier("accept"):
        choose_carrier_behaviour(phone, behaviour)
        send_text(ana, body)
        for page in (ana, ben):
            expect(find_message(page, body).locator(".state")).to_have_text(state)
            expect(find_message(page, body)).to_contain_text(reason)
        choose_carrier_behaviour(phone, "accept")
    retry = find_message(ben, body).get_by_role("button", name="Retry")
    retry.click()
    for page in (ana, ben):
        expect(find_message(page, body).locator(".state")).to_have_text("Delivered")
        expect(find_message(page, body).get_by_role("button", name="Retry")).to_have_count(0)
        expect(find_message(page, body)).not_to_contain_text(reason)
    assert server.count_messages(body) == 1
    attempts = server.query(
        "SELECT count(*) FROM messaging_attempt a JOIN messaging_message m"
        " ON m.id = a.message_id WHERE m.body = %s",
        body,
    )
    assert attempts[0][0] == 2, "each try is counted"
