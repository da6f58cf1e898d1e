"""The simulator's pages in a real browser, with the whole program behind them."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    choose_carrier_behaviour,
    find_message,
    format_number,
    history,
    new_number,
    open_first_inbox,
    open_handset,
    open_thread,
    received_texts,
    send_from_handset,
    send_text,
)
from tests.browser.server import Server


@pytest.fixture
def handset(open_browser: OpenBrowser, server: Server) -> Page:
    return open_handset(open_browser(), server, new_number())


def test_text_in_and_answer_out(handset: Page, open_page: OpenPage) -> None:
    number = handset.get_by_role("textbox", name="From").input_value()
    send_from_handset(handset, "A question from the handset", to="Front Desk, (202) 555-0110")
    expect(handset.get_by_role("textbox", name="Text")).to_have_value("")
    ana = open_page("ana")
    open_first_inbox(ana)
    open_thread(ana, format_number(number))
    history(ana).get_by_text("A question from the handset").wait_for()
    send_text(ana, "An answer from ana")
    received_texts(handset).get_by_text("An answer from ana").wait_for()
    handset.get_by_role("textbox", name="From").fill(new_number())
    handset.get_by_text("Nothing here yet").wait_for()


def test_a_handset_shows_both_sides_in_the_order_of_time(
    handset: Page, open_page: OpenPage, server: Server
) -> None:
    number = handset.get_by_role("textbox", name="From").input_value()
    send_from_handset(handset, "Is it open?")
    handset.locator("#sent").get_by_text("Is it open?").wait_for()
    ana = open_page("ana", server.thread_path(number))
    send_text(ana, "Until six")
    received_texts(handset).get_by_text("Until six").wait_for()
    send_from_handset(handset, "On my way")
    handset.locator("#sent").get_by_text("On my way").wait_for()
    tops = [
        handset.get_by_text(words, exact=True).evaluate("one => one.getBoundingClientRect().top")
        for words in ("Is it open?", "Until six", "On my way")
    ]
    assert tops == sorted(tops)
    expect(handset.get_by_text("On my way", exact=True)).to_be_in_viewport()
    expect(received_texts(handset).get_by_role("article")).to_have_count(1)
    mine, theirs = handset.get_by_text("On my way"), handset.get_by_text("Until six")
    left = "one => one.getBoundingClientRect().left"
    assert mine.evaluate(left) > theirs.evaluate(left)


def test_words_about_an_empty_text_are_gone_once_one_writes(handset: Page) -> None:
    handset.get_by_role("button", name="Send text").click()
    error = handset.get_by_text("Write something first.")
    error.wait_for()
    handset.get_by_role("textbox", name="Text").fill("Now")
    expect(error).to_have_count(0)
    handset.get_by_role("button", name="Save").click()
    handset.get_by_text("Saved", exact=True).wait_for()
    handset.get_by_role("combobox", name="Receipts").select_option("delivered")
    expect(handset.get_by_text("Saved", exact=True)).to_have_count(0)


def test_a_reset_connection_leaves_the_text_unknown_long_before_a_timeout(
    handset: Page, open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Answer me", sender=number)
    ana = open_page("ana", server.thread_path(number))
    with server.set_carrier("accept"):
        choose_carrier_behaviour(handset, "reset")
        handset.get_by_text("Saved", exact=True).wait_for()
        begun = time.monotonic()
        send_text(ana, "This breaks on its way")
        broken = find_message(ana, "This breaks on its way")
        broken.get_by_text("Unknown").wait_for()
        assert time.monotonic() - begun < 5, "that was the timeout, not the reset"


def test_without_scripts_it_works_all_the_same(open_page: OpenPage) -> None:
    page = open_page(None, "/simulator/?from=72645", java_script_enabled=False)
    page.get_by_role("textbox", name="Text").fill("Typed by hand")
    page.get_by_role("button", name="Send text").click()
    page.get_by_text("Sent at").wait_for()
    assert page.get_by_role("textbox", name="From").input_value() == "72645"
