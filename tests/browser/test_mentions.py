"""Mentions of colleagues, written and seen in three browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    Team,
    find_violations,
    open_handset,
    received_texts,
)
from tests.browser.server import Server


def test_typing_an_at_sign_opens_a_menu_and_further_letters_narrow_it(
    open_page: OpenPage, server: Server
) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.box.press_sequentially("Ask @")
    expect(ana.options).to_have_text(["Ben Okafor @ben", "Cho Park @cho"])
    assert find_violations(ana.page) == []
    ana.box.press_sequentially("Oká")
    expect(ana.options).to_have_text(["Ben Okafor @ben"])
    ana.box.press_sequentially("x")
    expect(ana.menu).to_have_count(0)
    ana.box.fill("")
    ana.box.press_sequentially("mail me@b")
    expect(ana.menu).to_have_count(0)
    ana.expect_internal(yes=False)


def test_the_menu_obeys_arrows_enter_tab_escape_and_the_pointer(
    open_page: OpenPage, server: Server
) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.box.press_sequentially("@")
    expect(ana.options.nth(0)).to_have_attribute("aria-selected", "true")
    ana.box.press("ArrowDown")
    expect(ana.options.nth(1)).to_have_attribute("aria-selected", "true")
    chosen = ana.options.nth(1).get_attribute("id")
    expect(ana.box).to_have_attribute("aria-activedescendant", chosen or "")
    ana.box.press("Enter")
    expect(ana.box).to_have_value("@cho ")
    ana.box.press_sequentially("@b")
    expect(ana.options).to_have_count(1)
    ana.box.press("Tab")
    expect(ana.box).to_have_value("@cho @ben ")
    ana.box.press_sequentially("@")
    expect(ana.menu).to_be_visible()
    ana.box.press("Escape")
    expect(ana.menu).to_have_count(0)
    ana.box.press("Backspace")
    ana.box.press_sequentially("or @")
    ana.options.filter(has_text="Cho").click()
    expect(ana.box).to_have_value("@cho @ben or @cho ")
    expect(ana.box).to_be_focused()
    # Past the last one nothing is chosen, and nothing is sent either.
    ana.box.press_sequentially("@")
    expect(ana.options).to_have_count(2)
    ana.box.press("ArrowUp")
    ana.box.press("Enter")
    ana.box.press("Escape")
    expect(ana.find_message("@cho @ben")).to_have_count(0)


def test_a_closed_menu_stays_closed_no_longer_than_its_text(
    open_page: OpenPage, server: Server
) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.box.press_sequentially("@")
    expect(ana.menu).to_be_visible()
    ana.box.press("Escape")
    expect(ana.menu).to_have_count(0)
    ana.send()
    expect(ana.box).to_have_value("")
    ana.box.press_sequentially("@")
    expect(ana.menu).to_be_visible()


def test_a_mention_makes_the_message_internal_and_it_does_not_go_to_the_contact(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server)
    handset = open_handset(open_browser(), server, team.number)
    ana = team["ana"]
    ana.box.press_sequentially("Can @be")
    ana.expect_internal(yes=False)
    ana.box.press_sequentially("n")
    ana.expect_internal(yes=True)
    ana.box.press_sequentially(" take it?")
    # The mode stays when the mention goes, until the agent turns it.
    ana.box.fill("Can somebody take it?")
    ana.expect_internal(yes=True)
    ana.box.fill("Can @ben take it?")
    ana.eye.click()
    expect(ana.page.get_by_text("Remove @ben to write to the customer")).to_be_visible()
    ana.expect_internal(yes=True)
    ana.add_internal()
    for name in ("ana", "ben", "cho"):
        said = team[name].find_message("Can @ben take it?")
        expect(said.get_by_text("Internal", exact=True)).to_be_visible()
    ana.eye.click()
    ana.box.fill("One moment.")
    ana.send()
    expect(received_texts(handset)).to_contain_text("One moment.")
    expect(received_texts(handset)).not_to_contain_text("take it")


def test_the_mentioned_users_name_is_highlighted_more_for_that_person(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server)
    team["ana"].box.fill("@ben and @cho: closing at five")
    team["ana"].add_internal()
    backgrounds: dict[str, list[str]] = {}
    for name in ("ana", "ben", "cho"):
        marks = team[name].find_message("closing at five").locator("mark")
        expect(marks).to_have_text(["@ben", "@cho"])
        backgrounds[name] = marks.evaluate_all(
            "marks => marks.map(mark => getComputedStyle(mark).backgroundColor)"
        )
    assert backgrounds["ana"][0] == backgrounds["ana"][1]
    assert backgrounds["ben"][0] != backgrounds["ben"][1] == backgrounds["ana"][1]
    assert backgrounds["cho"][1] != backgrounds["cho"][0] == backgrounds["ana"][0]
    # A page that is loaded anew draws the same as the live one.
    team["ben"].page.reload()
    marks = team["ben"].find_message("closing at five").locator("mark")
    expect(marks).to_have_text(["@ben", "@cho"])
    expect(marks.first).to_have_class("mention me")


def test_the_server_decides_when_the_page_knows_of_no_members(
    open_page: OpenPage, server: Server
) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.page.route("**/mentions/", lambda route: route.abort())
    ana.box.fill("@ben in the dark")
    ana.expect_internal(yes=False)
    ana.send()
    expect(ana.find_message("in the dark").get_by_text("Internal", exact=True)).to_be_visible()
    ana.expect_internal(yes=True)


@pytest.mark.parametrize(
    "before", ["確認お願いします@", "请＠", "_@", "спроси@", "👍@", "(@", "@ben様、@"]
)
def test_the_menu_opens_behind_any_script(
    open_page: OpenPage, server: Server, before: str
) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.box.press_sequentially(f"{before}ｃh")
    expect(ana.options).to_have_text(["Cho Park @cho"])
    ana.box.press("Enter")
    expect(ana.box).to_have_value(f"{before.removesuffix('＠').removesuffix('@')}@cho ")
    ana.expect_internal(yes=True)
    ana.box.press_sequentially("後で")
    expect(ana.box).to_have_value(f"{before.removesuffix('＠').removesuffix('@')}@cho 後で")


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("確認お願いします@ben", "@ben"),
        ("请@ben看一下", "@ben"),
        ("＠ｂｅｎ お願いします", "＠ｂｅｎ"),
        ("@ben様、よろしく", "@ben"),
        ("_@ben_ please", "@ben"),
    ],
)
def test_a_mention_in_any_script_reaches_no_customer(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server, body: str, marked: str
) -> None:
    team = Team(open_page, server, "ana", "ben")
    ana = team["ana"]
    ana.box.fill(body)
    ana.expect_internal(yes=True)
    ana.add_internal()
    said = team["ben"].find_message(body)
    expect(said.get_by_text("Internal", exact=True)).to_be_visible()
    expect(said.locator("mark.me")).to_have_text([marked])
    handset = open_handset(open_browser(), server, team.number)
    expect(received_texts(handset)).not_to_contain_text(body)
