"""A text that was overtaken is held up once, and the agent decides."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import OpenPage, Team
from tests.browser.server import Server


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Team:
    return Team(open_page, server, "ana", "ben")


def test_an_agent_who_was_overtaken_looks_first_and_then_sends(team: Team) -> None:
    ana, ben = team["ana"], team["ben"]
    ana.box.fill("We have it here")
    ben.box.fill("It is on the shelf")
    ben.box.press("Enter")
    expect(ana.find_message("It is on the shelf")).to_be_visible()
    ana.box.press("Enter")
    question = ana.page.get_by_role("alertdialog")
    expect(question).to_contain_text("It is on the shelf")
    expect(question).to_contain_text("Ben")
    expect(ana.box).to_have_value("We have it here")
    expect(question.get_by_role("button", name="Keep editing")).to_be_focused()
    # Whoever presses Enter twice has read nothing yet.
    ana.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    expect(ana.box).to_be_focused()
    expect(ana.box).to_have_value("We have it here")
    expect(ben.find_message("We have it here")).to_have_count(0)
    ana.box.press("Enter")
    expect(ben.find_message("We have it here")).to_be_visible()
    expect(ana.box).to_have_value("")


def test_an_agent_who_was_overtaken_sends_anyway(team: Team) -> None:
    ana = team["ana"]
    ana.box.fill("Just a moment")
    team.receive_text("Hello?")
    expect(ana.find_message("Hello?")).to_be_visible()
    ana.send()
    ana.page.get_by_role("button", name="Send anyway").click()
    expect(ana.find_message("Just a moment")).to_be_visible()
    expect(ana.page.get_by_role("alertdialog")).to_have_count(0)
    expect(ana.box).to_be_focused()
    # The next one is asked about again.
    ana.box.fill("Here I am")
    team.receive_text("Still there?")
    expect(ana.find_message("Still there?")).to_be_visible()
    ana.send()
    expect(ana.page.get_by_role("alertdialog")).to_contain_text("Still there?")
    ana.page.keyboard.press("Escape")
    expect(ana.box).to_be_focused()
    ana.eye.click()
    ana.add_internal()
    expect(ana.find_message("Here I am")).to_contain_text("Internal")


def test_a_text_that_may_ask_for_no_more_is_not_passed_over_by_whoever_was_typing(
    team: Team,
) -> None:
    ana = team["ana"]
    ana.box.press_sequentially("Somebody comes at 4")
    ana.box.evaluate("box => box.isTheSame = true")
    team.receive_text("Please don't text me again, stop by at 5")
    expect(ana.page.get_by_role("link", name="Record opt-out")).to_be_visible()
    assert ana.box.evaluate("box => box.isTheSame"), "nobody's composition is torn apart"
    ana.box.press("Enter")
    expect(ana.page.get_by_role("alertdialog")).to_contain_text("stop by at 5")
    expect(team["ben"].find_message("Somebody comes at 4")).to_have_count(0)


def test_a_box_that_was_drawn_anew_around_a_text_hides_nothing_that_came_meanwhile(
    team: Team,
) -> None:
    ana = team["ana"]
    ana.box.press_sequentially("Somebody comes at 4")
    with ana.page.expect_response("**/composer/"):
        team.receive_text("STOP")
    expect(ana.page.locator(".refusal")).to_be_visible()
    with ana.page.expect_response("**/composer/"):
        team.receive_text("START")
    expect(ana.page.locator(".refusal")).to_be_hidden()
    expect(ana.box).to_have_value("Somebody comes at 4")
    expect(ana.box).to_be_focused()
    ana.box.press("Enter")
    expect(ana.page.get_by_role("alertdialog")).to_be_visible()


def test_what_came_while_the_box_was_empty_holds_nothing_up(team: Team) -> None:
    ana = team["ana"]
    team.receive_text("Are you open?")
    expect(ana.find_message("Are you open?")).to_be_visible()
    ana.box.fill("We are")
    ana.box.press("Enter")
    expect(team["ben"].find_message("We are")).to_be_visible()
