"""A text longer than its number's carrier takes is said while one types, and refused on Send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import OpenPage, message_box, new_number
from tests.browser.server import Server
from tests.cast import FRONT_DESK

CARRIERS = pytest.mark.parametrize(("carrier", "limit"), [("vonage", 1000), ("telnyx", 1530)])


@contextmanager
def at_carrier(server: Server, carrier: str) -> Iterator[None]:
    """Move Front Desk's number to an account at the carrier for as long as needed."""
    [(home,)] = server.query(
        "SELECT account_id FROM messaging_number WHERE address = %s", FRONT_DESK
    )
    move = "UPDATE messaging_number SET account_id = %s WHERE address = %s RETURNING id"
    [(there,)] = server.query(
        "INSERT INTO messaging_carrieraccount"
        " SELECT (jsonb_populate_record(a, jsonb_build_object("
        "   'id', nextval(pg_get_serial_sequence('messaging_carrieraccount', 'id')),"
        "   'carrier', %s::text, 'token', gen_random_uuid()))).*"
        " FROM messaging_carrieraccount a WHERE id = %s RETURNING id",
        carrier,
        home,
    )
    server.query(move, there, FRONT_DESK)
    try:
        yield
    finally:
        server.query(move, home, FRONT_DESK)


def left(page: Page) -> Locator:
    return page.locator("[data-left]")


def sentence(limit: int) -> str:
    return f"carrier takes at most {limit} characters in a text, and this one has {limit + 1}."


def write_too_much(page: Page, box: Locator, limit: int) -> str:
    """Fill the box with what fits, and then with a character more."""
    box.fill("a" * limit)
    expect(left(page)).to_have_text("0 left")
    body = "a" * (limit + 1)
    box.fill(body)
    expect(left(page)).to_have_text("1 too many")
    return body


@CARRIERS
def test_in_the_composer_now_and_later(
    open_page: OpenPage, server: Server, carrier: str, limit: int
) -> None:
    number = new_number()
    server.receive_text("Tell me all", sender=number)
    with at_carrier(server, carrier):
        page = open_page("ana", server.thread_path(number))
        body = write_too_much(page, message_box(page), limit)
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text(sentence(limit))).to_be_visible()
        expect(message_box(page)).to_have_value(body)
        message_box(page).fill(body)
        page.get_by_role("button", name="Send later").click()
        menu = page.get_by_role("dialog", name="Send later")
        menu.get_by_role("button", name="In 1 hour").click()
        expect(page.get_by_text(sentence(limit))).to_be_visible()
        expect(message_box(page)).to_have_value(body)
    assert server.count_messages(body) == 0


@CARRIERS
def test_where_a_conversation_is_started(
    open_page: OpenPage, server: Server, carrier: str, limit: int
) -> None:
    with at_carrier(server, carrier):
        page = open_page("ana", "/start/")
        box = page.get_by_role("textbox", name="Message", exact=True)
        page.get_by_role("combobox", name="From", exact=True).select_option(label="Front Desk")
        page.get_by_role("textbox", name="To", exact=True).fill(new_number())
        body = write_too_much(page, box, limit)
        page.get_by_role("combobox", name="From", exact=True).select_option(label="Dispatch")
        expect(left(page)).not_to_have_text("1 too many")
        page.get_by_role("combobox", name="From", exact=True).select_option(label="Front Desk")
        expect(left(page)).to_have_text("1 too many")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text(sentence(limit))).to_be_visible()
        expect(box).to_have_value(body)
    assert server.count_messages(body) == 0


@CARRIERS
def test_where_a_scheduled_text_is_changed(
    open_page: OpenPage, server: Server, carrier: str, limit: int
) -> None:
    number = new_number()
    server.receive_text("And tomorrow?", sender=number)
    with at_carrier(server, carrier):
        page = open_page("ana", server.thread_path(number))
        message_box(page).fill("Yes, tomorrow")
        page.get_by_role("button", name="Send later").click()
        menu = page.get_by_role("dialog", name="Send later")
        menu.get_by_role("button", name="In 1 hour").click()
        page.locator(".later-change").click()
        box = page.get_by_role("textbox", name="Text", exact=True)
        body = write_too_much(page, box, limit)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text(sentence(limit))).to_be_visible()
        expect(box).to_have_value(body)
    kept = server.query("SELECT body FROM messaging_scheduledtext ORDER BY id DESC LIMIT 1")
    assert kept == [("Yes, tomorrow",)]
