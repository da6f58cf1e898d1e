"""The handset in a real browser, with the whole program behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Open = Callable[..., BrowserContext]

pytestmark = pytest.mark.browser


@pytest.fixture
def handset(open_browser: Open, live_stack: Stack) -> Page:
    page = open_browser(viewport={"width": 1200, "height": 800}).new_page()
    page.goto(f"{live_stack.url}/simulator/?from=%2B12025550177")
    return page


def sign_in(open_browser: Open, live_stack: Stack, username: str) -> Page:
    page = open_browser(viewport={"width": 1200, "height": 800}).new_page()
    page.goto(f"{live_stack.url}/sign-in/")
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill("partyline")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Messages").wait_for()
    return page


def open_thread(page: Page, number: str) -> None:
    page.get_by_role("link", name="Front Desk").first.click()
    page.get_by_role("list", name="Threads").get_by_role("link", name=number).click()
    page.get_by_role("log", name="History").wait_for()


def answer(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def tell_far_end(handset: Page, behaviour: str) -> None:
    handset.get_by_role("combobox", name="The carrier").select_option(behaviour)
    handset.get_by_role("button", name="Save").click()
    handset.get_by_text("Saved", exact=True).wait_for()


def test_text_in_and_answer_out(handset: Page, open_browser: Open, live_stack: Stack) -> None:
    text = handset.get_by_role("textbox", name="Text")
    to = handset.get_by_role("combobox", name="To")
    to.select_option(label="Front Desk, (202) 555-0110")
    text.fill("A question from the handset")
    handset.get_by_role("button", name="Send text").click()
    handset.get_by_text("Sent at").wait_for()
    assert text.input_value() == ""
    ana = sign_in(open_browser, live_stack, "ana")
    open_thread(ana, "555-0177")
    ana.get_by_role("log").get_by_text("A question from the handset").wait_for()
    answer(ana, "An answer from ana")
    handset.get_by_role("log", name="Received").get_by_text("An answer from ana").wait_for()
    handset.get_by_role("textbox", name="From").fill("+12025550199")
    handset.get_by_text("Nothing here yet").wait_for()


def test_a_reset_line_leaves_the_text_unknown_long_before_a_timeout(
    handset: Page, open_browser: Open, live_stack: Stack
) -> None:
    tell_far_end(handset, "reset")
    ana = sign_in(open_browser, live_stack, "ana")
    open_thread(ana, "555-0142")
    begun = time.monotonic()
    answer(ana, "This breaks on its way")
    broken = ana.get_by_role("article").filter(has_text="This breaks on its way")
    broken.get_by_text("Unknown").wait_for()
    assert time.monotonic() - begun < 5, "that was the timeout, not the reset"
    tell_far_end(handset, "accept")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_stands_in_anybodys_way(
    open_browser: Open, live_stack: Stack, width: int, scheme: str
) -> None:
    options = {"viewport": {"width": width, "height": 780}, "color_scheme": scheme}
    page = open_browser(**options).new_page()
    page.goto(f"{live_stack.url}/simulator/?from=%2B12025550126")
    page.get_by_role("log", name="Received").get_by_role("article").first.wait_for()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_it_works_all_the_same(open_browser: Open, live_stack: Stack) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    page.goto(f"{live_stack.url}/simulator/?from=72645")
    page.get_by_role("textbox", name="Text").fill("Typed by hand")
    page.get_by_role("button", name="Send text").click()
    page.get_by_text("Sent at").wait_for()
    assert page.get_by_role("textbox", name="From").input_value() == "72645"
