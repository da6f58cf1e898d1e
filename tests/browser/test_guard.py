"""A text that was overtaken is held up once, and the agent decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.people import Office

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.stack import Stack


@pytest.fixture
def office(open_browser: Callable[..., BrowserContext], live_stack: Stack) -> Office:
    return Office(open_browser, live_stack, "ana", "ben")


def test_an_agent_who_was_overtaken_looks_first_and_then_sends(office: Office) -> None:
    ana, ben = office["ana"], office["ben"]
    ana.box.fill("We have it here")
    ben.box.fill("It is on the shelf")
    ben.box.press("Enter")
    expect(ana.article("It is on the shelf")).to_be_visible()
    ana.box.press("Enter")
    question = ana.page.get_by_role("alertdialog")
    expect(question).to_contain_text("It is on the shelf")
    expect(question).to_contain_text("Ben")
    expect(ana.box).to_have_value("We have it here")
    # Whoever presses Enter twice has read nothing yet.
    ana.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    expect(ana.box).to_be_focused()
    expect(ana.box).to_have_value("We have it here")
    expect(ben.article("We have it here")).to_have_count(0)
    ana.box.press("Enter")
    expect(ben.article("We have it here")).to_be_visible()
    expect(ana.box).to_have_value("")


def test_an_agent_who_was_overtaken_sends_anyway(office: Office) -> None:
    ana = office["ana"]
    ana.box.fill("Just a moment")
    office.customer.text("Hello?")
    expect(ana.article("Hello?")).to_be_visible()
    ana.send()
    ana.page.get_by_role("button", name="Send anyway").click()
    expect(ana.article("Just a moment")).to_be_visible()
    expect(ana.page.get_by_role("alertdialog")).to_have_count(0)
    # The next one is asked about again.
    ana.box.fill("Here I am")
    office.customer.text("Still there?")
    expect(ana.article("Still there?")).to_be_visible()
    ana.send()
    expect(ana.page.get_by_role("alertdialog")).to_contain_text("Still there?")
    ana.page.keyboard.press("Escape")
    expect(ana.box).to_be_focused()
    ana.eye.click()
    ana.add()
    expect(ana.article("Here I am")).to_contain_text("Internal")


def test_what_came_while_the_box_was_empty_holds_nothing_up(office: Office) -> None:
    ana = office["ana"]
    office.customer.text("Are you open?")
    expect(ana.article("Are you open?")).to_be_visible()
    ana.box.fill("We are")
    ana.box.press("Enter")
    expect(office["ben"].article("We are")).to_be_visible()
