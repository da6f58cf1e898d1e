"""Each agent is notified: by the bell, by popups of one tab, on the page, as the settings say."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import (
    FIRST_TEXT,
    NARROW,
    WIDE,
    OpenBrowser,
    OpenPage,
    bell,
    count_unread,
    expect_popups,
    expect_readable,
    expect_unread,
    format_number,
    history,
    mark_all_read,
    new_number,
    open_first_inbox,
    open_thread,
    read_popups,
    record_popups,
    send_text,
    sign_in,
    thread_list,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server


@pytest.fixture
def open_messages(open_browser: OpenBrowser, server: Server) -> OpenPage:
    """Return a function that opens an agent's messages, with popups recorded."""
    server.mark_all_read()

    def open_one(username: str, *, permission: str = "granted", **options: object) -> Page:
        page = record_popups(open_browser(username, **options).new_page(), permission)
        page.goto(server.url)
        wait_until_live(page)
        return page

    return open_one


@pytest.fixture
def number(server: Server) -> str:
    """Return the number of a contact who wrote once."""
    number = new_number()
    server.receive_text(FIRST_TEXT, sender=number)
    server.mark_all_read()
    return number


def open_second_tab(page: Page, server: Server) -> Page:
    tab = record_popups(page.context.new_page())
    tab.goto(server.url)
    wait_until_live(tab)
    return tab


def open_conversation(page: Page, number: str) -> None:
    open_first_inbox(page)
    open_thread(page, format_number(number))


def test_each_member_is_notified_of_each_message_that_they_did_not_write(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    ana, ben, cho = (open_messages(name) for name in ("ana", "ben", "cho"))
    for page in (ana, ben, cho):
        mark_all_read(page)
    server.receive_text("A text in", sender=number)
    for page in (ana, ben, cho):
        expect_unread(page, 1)
    open_conversation(ben, number)
    expect_unread(ben, 0)
    send_text(ben, "A text out by Ben")
    for page in (ana, cho):
        expect_unread(page, 2)
        expect_popups(page, "A text in", "A text out by Ben", about=number)
    assert count_unread(ben) == 0


def test_the_count_stands_in_the_title_and_on_the_icon(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    page = open_messages("ana")
    mark_all_read(page)
    icon = page.locator("link[rel=icon]")
    plain = icon.get_attribute("href")
    expect(page).to_have_title("Messages · Partyline")
    server.receive_text("Ring", sender=number)
    expect_unread(page, 1)
    expect(page).to_have_title("(1) Messages · Partyline")
    assert "unread" in (icon.get_attribute("href") or "")
    open_first_inbox(page)
    expect(page).to_have_title("(1) Front Desk · Partyline")
    open_thread(page, format_number(number))
    expect_unread(page, 0)
    expect(page).to_have_title(f"{format_number(number)} · Front Desk · Partyline")
    expect(icon).to_have_attribute("href", plain or "")


def test_one_tab_speaks_for_all_and_a_click_opens_the_thread_at_the_message(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    first = open_messages("ana")
    mark_all_read(first)
    second = open_second_tab(first, server)
    bodies = ["For one of the tabs", "And another one"]
    for count, body in enumerate(bodies, 1):
        server.receive_text(body, sender=number)
        for page in (first, second):
            expect_unread(page, count)
        wait_until(lambda: len(read_popups(first, second)) >= count)  # noqa: B023
    assert sorted(read_popups(first, second)) == sorted(bodies)
    speaker = first if bodies[-1] in read_popups(first) else second
    popup = speaker.evaluate("window.popups.at(-1)")
    assert popup["title"] == f"{format_number(number)} · Front Desk"
    with speaker.expect_navigation():
        speaker.evaluate("window.lastPopup.onclick()")
    expect(speaker.locator(".message.arrived")).to_contain_text("And another one")
    for page in (first, second):
        expect_unread(page, 0)


def test_what_stands_in_front_of_the_person_pops_up_in_no_tab(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    reading = open_messages("ana")
    mark_all_read(reading)
    open_conversation(reading, number)
    other = open_second_tab(reading, server)
    before = count_unread(other)
    server.receive_text("In plain view", sender=number)
    history(reading).get_by_text("In plain view").wait_for()
    server.receive_text("Elsewhere", sender=new_number())
    expect_unread(other, before + 1)
    wait_until(lambda: read_popups(reading, other))
    assert read_popups(reading, other) == ["Elsewhere"]


def test_without_permission_nothing_pops_up(open_messages: OpenPage, server: Server) -> None:
    page = open_messages("ana", permission="default")
    mark_all_read(page)
    for count in (1, 2):
        server.receive_text("Quietly", sender=new_number())
        expect_unread(page, count)
    assert read_popups(page) == []


def test_reading_in_one_tab_clears_all_tabs(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    first = open_messages("ana")
    mark_all_read(first)
    second = open_second_tab(first, server)
    server.receive_text("Read me", sender=number)
    for page in (first, second):
        expect_unread(page, 1)
    open_conversation(second, number)
    for page in (first, second):
        expect_unread(page, 0)


def test_the_page_lives_and_leads_to_the_message(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    page = open_messages("ana")
    mark_all_read(page)
    bell(page).click()
    rows = page.get_by_role("list", name="Notifications").get_by_role("listitem")
    server.receive_text("Comes by itself", sender=number)
    expect(rows.first).to_contain_text("Comes by itself")
    expect(rows.first).to_contain_text("New text · Front Desk")
    server.receive_text("And one more", sender=number)
    expect(rows.first).to_contain_text("And one more")
    rows.first.get_by_role("button", name="Mark as read").click()
    expect(rows.first).to_contain_text("Comes by itself")
    expect_unread(page, 1)
    rows.first.get_by_role("link").click()
    expect(page.locator(".message.arrived")).to_contain_text("Comes by itself")
    expect_unread(page, 0)
    expect(page.get_by_role("button", name="Mark all as read")).to_be_hidden()
    page.reload()
    thread_list(page).wait_for()


def test_a_page_that_is_loaded_again_has_the_right_count_and_no_popup_twice(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    page = open_messages("cho")
    mark_all_read(page)
    server.receive_text("Before the reload", sender=number)
    expect_unread(page, 1)
    wait_until(lambda: read_popups(page))
    page.reload()
    wait_until_live(page)
    expect_unread(page, 1)
    server.receive_text("After it", sender=number)
    wait_until(lambda: read_popups(page))
    assert read_popups(page) == ["After it"]


def open_settings(page: Page) -> None:
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("link", name="Notification settings").click()


def test_the_settings_say_the_permission_in_plain_words(open_messages: OpenPage) -> None:
    words = {
        "granted": "Notifications are on in this browser",
        "denied": "This browser blocks notifications from Partyline.",
        "default": "Notifications are off. Click Allow, and your browser will ask.",
    }
    for permission, sentence in words.items():
        page = open_messages("cho", permission=permission)
        open_settings(page)
        page.get_by_text(sentence).wait_for()
        button = page.get_by_role("button", name="Allow notifications")
        assert button.is_visible() == (permission == "default")


def test_a_test_pops_up_and_a_choice_is_kept(open_messages: OpenPage) -> None:
    page = open_messages("cho")
    open_settings(page)
    page.get_by_role("button", name="Send me a test").click()
    wait_until(lambda: len(read_popups(page)) == 1)
    front = page.get_by_role("group", name="Front Desk")
    front.get_by_role("radio", name="Mentions only").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Settings saved.").wait_for()
    expect(front.get_by_role("radio", name="Mentions only")).to_be_checked()
    front.get_by_role("radio", name="Everything").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Settings saved.").wait_for()


def test_the_open_menu_is_readable_by_everyone(
    open_page: OpenPage, server: Server, number: str
) -> None:
    page = open_page("ana", server.thread_path(number))
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.get_by_role("button", name="Thread options").click()
        page.get_by_role("menuitem").first.wait_for()
        expect_readable(page)
        page.keyboard.press("Escape")


def test_all_of_it_works_without_scripts(open_page: OpenPage, server: Server, number: str) -> None:
    server.receive_text("For the plain one", sender=number)
    page = open_page(None, "/sign-in/", java_script_enabled=False)
    sign_in(page, "ben")
    bell(page).click()
    rows = page.get_by_role("list", name="Notifications").get_by_role("listitem")
    rows.filter(has_text="For the plain one").get_by_role("link").click()
    history(page).get_by_text("For the plain one").wait_for()
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Mute").click()
    page.get_by_text("Muted", exact=True).first.wait_for(state="attached")
    open_settings(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Settings saved.").wait_for()
    bell(page).click()
    if count_unread(page):
        page.get_by_role("button", name="Mark all as read").click()
    expect_unread(page, 0)


def assign(page: Page, name: str) -> None:
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_role("menu", name="Assign to").get_by_text(name).click()


def test_an_assignment_is_told_and_is_read_by_whoever_looks_at_the_conversation(
    open_messages: OpenPage, server: Server, number: str
) -> None:
    ana, ben = open_messages("ana"), open_messages("ben")
    open_conversation(ana, number)
    mark_all_read(ben)

    def count_read() -> list[tuple[bool, int]]:
        return server.query(
            "SELECT n.read_at IS NOT NULL, count(*) FROM messaging_notification n"
            " JOIN threads_thread t ON t.id = n.thread_id"
            " JOIN threads_contact c ON c.id = t.contact_id"
            " WHERE n.reason = 'assigned' AND c.address = %s GROUP BY 1",
            number,
        )

    assign(ana, "Ben Okafor")
    expect_unread(ben, 1)
    wait_until(lambda: len(ben.evaluate("window.popups")) == 1)
    (popup,) = ben.evaluate("window.popups")
    assert popup["title"] == f"Ana Ruiz assigned you a conversation · {format_number(number)}"
    bell(ben).click()
    row = ben.get_by_role("list", name="Notifications").get_by_role("listitem").first
    expect(row).to_contain_text("Ana assigned you a conversation")
    row.get_by_role("link").click()
    expect(history(ben)).to_contain_text(FIRST_TEXT)
    expect_unread(ben, 0)
    # In front of him it is as good as read.
    assign(ana, "Nobody")
    assign(ana, "Ben Okafor")
    wait_until(lambda: count_read() == [(True, 2)])
    expect_unread(ben, 0)
