"""Internal messages: the eye switches to them, and the customer never gets one."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    Team,
    ThreadPage,
    find_violations,
    format_number,
    new_number,
    open_handset,
    received_texts,
    thread_list,
    wait_until_live,
)
from tests.browser.server import Server


def open_second_tab(team: Team) -> ThreadPage:
    """Open the thread once more in ana's browser."""
    page = team["ana"].page.context.new_page()
    page.goto(team["ana"].page.url)
    wait_until_live(page)
    return ThreadPage(page)


def read_colour(at: ThreadPage, what: str) -> str:
    found: str = at.page.locator(what).first.evaluate("e => getComputedStyle(e).backgroundColor")
    return found


def test_clicking_the_eye_initiates_an_internal_message_and_highlights_box_and_history(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    handset = open_handset(open_browser(), server, team.number)
    ana, ben = team["ana"], team["ben"]
    ana.expect_internal(yes=False)
    plain = read_colour(ana, ".box")
    ana.eye.click()
    ana.expect_internal(yes=True)
    assert read_colour(ana, ".box") != plain
    assert find_violations(ana.page) == []
    ana.box.fill("Who has the key?")
    ana.add_internal()
    for at in (ana, ben):
        said = at.find_message("Who has the key?")
        expect(said.get_by_text("Internal", exact=True)).to_be_visible()
        assert read_colour(at, ".message.internal .bubble") == read_colour(ana, ".box")
    # It went to the inbox's members alone; the next text to the customer arrives.
    ana.expect_internal(yes=True)
    ana.eye.click()
    ana.box.fill("Yes, it is.")
    ana.send()
    expect(received_texts(handset)).to_contain_text("Yes, it is.")
    expect(received_texts(handset)).not_to_contain_text("Who has the key?")


def test_a_shortcut_turns_the_eye_and_the_focus_stays(open_page: OpenPage, server: Server) -> None:
    ana = Team(open_page, server, "ana")["ana"]
    ana.box.press_sequentially("One")
    ana.box.press("Control+i")
    ana.expect_internal(yes=True)
    ana.page.keyboard.type(" two")
    expect(ana.box).to_have_value("One two")
    ana.eye.click()
    ana.expect_internal(yes=False)
    expect(ana.box).to_be_focused()


def test_text_and_mode_outlive_a_reload_a_switch_of_threads_and_show_in_my_other_tab(
    open_page: OpenPage, server: Server
) -> None:
    beside = new_number()
    server.receive_text("In another thread", sender=beside)
    team = Team(open_page, server, "ana")
    ana = team["ana"]
    other = open_second_tab(team)
    ana.eye.click()
    ana.box.press_sequentially("Half a thought")
    expect(other.box).to_have_value("Half a thought")
    other.expect_internal(yes=True)
    ana.box.press_sequentially(", now whole")
    ana.page.reload()
    expect(ana.box).to_have_value("Half a thought, now whole")
    ana.expect_internal(yes=True)
    thread_list(ana.page).get_by_role("link", name=format_number(beside)).click()
    expect(ana.box).to_have_value("")
    ana.expect_internal(yes=False)
    ana.page.go_back()
    expect(ana.box).to_have_value("Half a thought, now whole")
    ana.expect_internal(yes=True)
    ana.add_internal()
    expect(ana.box).to_have_value("")
    expect(other.box).to_have_value("")
    other.expect_internal(yes=True)
    ana.page.reload()
    ana.history.wait_for()
    expect(ana.box).to_have_value("")
    ana.expect_internal(yes=True)


def test_newer_words_in_a_tab_are_not_overwritten_by_another(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    ana = team["ana"]
    page = ana.page.context.new_page()
    with page.expect_websocket() as socket:
        page.goto(ana.page.url)
    wait_until_live(page)
    other = ThreadPage(page)
    page.route("**/draft/", lambda route: route.abort())
    other.box.press_sequentially("Mine")
    with socket.value.expect_event("framereceived", lambda frame: "Yours" in frame):
        ana.box.press_sequentially("Yours")
    expect(other.box).to_have_value("Mine")
    other.page.unroute("**/draft/")
    other.box.press_sequentially(" stays")
    expect(ana.box).to_have_value("Mine stays")


def test_an_internal_message_can_be_written_without_scripts(
    open_page: OpenPage, server: Server
) -> None:
    path = Team(open_page, server, "ana").path
    cho = ThreadPage(open_page("cho", path, java_script_enabled=False))
    cho.box.fill("No script, no leak")
    cho.eye.click()
    cho.expect_internal(yes=True)
    expect(cho.box).to_have_value("No script, no leak")
    cho.add_internal()
    expect(
        cho.find_message("No script, no leak").get_by_text("Internal", exact=True)
    ).to_be_visible()
    cho.expect_internal(yes=True)


def test_a_sender_who_cannot_be_answered_leaves_the_team_to_write_to(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.thread_path("PARCELBOX"))
    ana = ThreadPage(page)
    expect(page.get_by_text("is a sender name, not a number")).to_be_visible()
    ana.expect_internal(yes=True)
    expect(ana.eye).to_be_disabled()
    ana.box.fill("Nobody answers a parcel box")
    ana.box.press("Control+i")
    ana.expect_internal(yes=True)
    ana.add_internal()
    said = ana.find_message("Nobody answers a parcel box")
    expect(said.get_by_text("Internal", exact=True)).to_be_visible()


def test_a_personal_line_has_no_eye(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana")
    page.locator(".row-thread .row-link").first.click()
    ana = ThreadPage(page)
    expect(ana.box).to_be_visible()
    expect(ana.eye).to_have_count(0)
    ana.box.press_sequentially("@b")
    expect(ana.menu).to_have_count(0)
    ana.box.press("Control+i")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    ana.box.fill("")
