"""The article's section "Internal Messages and Mentions": the eye, and what it promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.people import WIDE, At, Office, open_thread, sign_in
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    Open = Callable[..., BrowserContext]

pytestmark = pytest.mark.browser


def colour(at: At, what: str) -> str:
    found: str = at.page.locator(what).first.evaluate("e => getComputedStyle(e).backgroundColor")
    return found


def test_clicking_the_eye_initiates_an_internal_message_and_highlights_box_and_history(
    open_browser: Open, live_stack: Stack
) -> None:
    office = Office(open_browser, live_stack, "ana", "ben")
    ana, ben = office["ana"], office["ben"]
    ana.is_internal(yes=False)
    plain = colour(ana, ".box")
    ana.eye.click()
    ana.is_internal(yes=True)
    assert colour(ana, ".box") != plain
    assert Axe().run(ana.page).response["violations"] == []
    ana.box.fill("Who has the key?")
    ana.add()
    for at in (ana, ben):
        said = at.article("Who has the key?")
        expect(said.get_by_text("Internal", exact=True)).to_be_visible()
        assert colour(at, ".message.internal .bubble") == colour(ana, ".box")
    # It went to the inbox's members alone; the next text to the customer arrives.
    ana.is_internal(yes=True)
    ana.eye.click()
    ana.box.fill("Yes, it is.")
    ana.send()
    expect(office.customer.received).to_contain_text("Yes, it is.")
    expect(office.customer.received).not_to_contain_text("Who has the key?")


def test_a_shortcut_turns_the_eye_and_the_focus_stays(
    open_browser: Open, live_stack: Stack
) -> None:
    ana = Office(open_browser, live_stack, "ana")["ana"]
    ana.box.press_sequentially("One")
    ana.box.press("Control+i")
    ana.is_internal(yes=True)
    ana.page.keyboard.type(" two")
    expect(ana.box).to_have_value("One two")
    ana.eye.click()
    ana.is_internal(yes=False)
    expect(ana.box).to_be_focused()


def test_text_and_mode_outlive_a_reload_a_switch_of_threads_and_show_in_my_other_tab(
    open_browser: Open, live_stack: Stack
) -> None:
    office = Office(open_browser, live_stack, "ana")
    ana = office["ana"]
    other = open_thread(ana.page.context.new_page(), live_stack, office.path)
    ana.eye.click()
    ana.box.press_sequentially("Half a thought")
    expect(other.box).to_have_value("Half a thought")
    other.is_internal(yes=True)
    ana.box.press_sequentially(", now whole")
    ana.page.reload()
    expect(ana.box).to_have_value("Half a thought, now whole")
    ana.is_internal(yes=True)
    threads = ana.page.get_by_role("list", name="Threads").get_by_role("link")
    threads.filter(has_text="72645").click()
    expect(ana.box).to_have_value("")
    ana.is_internal(yes=False)
    ana.page.go_back()
    expect(ana.box).to_have_value("Half a thought, now whole")
    ana.is_internal(yes=True)
    ana.add()
    expect(ana.box).to_have_value("")
    expect(other.box).to_have_value("")
    other.is_internal(yes=True)
    ana.page.reload()
    ana.history.wait_for()
    expect(ana.box).to_have_value("")
    ana.is_internal(yes=True)


def test_newer_words_in_a_tab_are_not_overwritten_by_another(
    open_browser: Open, live_stack: Stack
) -> None:
    office = Office(open_browser, live_stack, "ana")
    ana = office["ana"]
    other = open_thread(ana.page.context.new_page(), live_stack, office.path)
    other.page.route("**/draft/", lambda route: route.abort())
    other.box.press_sequentially("Mine")
    ana.box.press_sequentially("Yours")
    ana.page.wait_for_timeout(1500)
    expect(other.box).to_have_value("Mine")
    other.page.unroute("**/draft/")
    other.box.press_sequentially(" stays")
    expect(ana.box).to_have_value("Mine stays")


def test_an_internal_message_can_be_written_without_scripts(
    open_browser: Open, live_stack: Stack
) -> None:
    path = Office(open_browser, live_stack, "ana").path
    page = sign_in(open_browser(viewport=WIDE, java_script_enabled=False), live_stack, "cho")
    page.goto(f"{live_stack.url}{path}")
    cho = At(page)
    cho.box.fill("No script, no leak")
    cho.eye.click()
    cho.is_internal(yes=True)
    expect(cho.box).to_have_value("No script, no leak")
    cho.add()
    expect(cho.article("No script, no leak").get_by_text("Internal", exact=True)).to_be_visible()
    cho.is_internal(yes=True)


def test_a_sender_who_cannot_be_answered_leaves_the_team_to_write_to(
    open_browser: Open, live_stack: Stack
) -> None:
    page = sign_in(open_browser(viewport=WIDE), live_stack, "ana")
    page.get_by_role("link", name="Front Desk").first.click()
    page.get_by_role("list", name="Threads").get_by_role("link").filter(
        has_text="PARCELBOX"
    ).click()
    ana = At(page)
    expect(page.get_by_text("is a name, not a number")).to_be_visible()
    ana.is_internal(yes=True)
    expect(ana.eye).to_be_disabled()
    ana.box.fill("Nobody answers a parcel box")
    ana.box.press("Control+i")
    ana.is_internal(yes=True)
    ana.add()
    said = ana.article("Nobody answers a parcel box")
    expect(said.get_by_text("Internal", exact=True)).to_be_visible()


def test_a_personal_line_has_no_eye(open_browser: Open, live_stack: Stack) -> None:
    page = sign_in(open_browser(viewport=WIDE), live_stack, "ana")
    page.locator(".row-thread .row-link").first.click()
    ana = At(page)
    expect(ana.box).to_be_visible()
    expect(ana.eye).to_have_count(0)
    ana.box.press_sequentially("@b")
    expect(ana.menu).to_have_count(0)
    ana.box.press("Control+i")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    ana.box.fill("")
