"""The room that a page gives to things: wide screens, long names, large counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    bell,
    choose_thread_option,
    find_row,
    format_number,
    history,
    message_box,
    new_number,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page, ViewportSize

VERY_WIDE: ViewportSize = {"width": 1920, "height": 1080}
# The left edge of the words of an element, not of its box.
WORDS_LEFT = """element => {
  const range = document.createRange();
  const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT,
    node => node.data.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP).nextNode();
  range.selectNodeContents(text);
  range.setStart(text, text.data.search(/\\S/));
  return Math.round(range.getBoundingClientRect().left);
}"""


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box is not None
    return box


def name_contact(server: Server, number: str, name: str) -> None:
    server.query("UPDATE threads_contact SET name = %s WHERE address = %s", name, number)


def test_both_sides_of_a_conversation_stay_close_on_a_very_wide_screen(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Is it ready?", sender=number)
    page = open_page("ana", server.thread_path(number), viewport=VERY_WIDE)
    message_box(page).fill("Yes, since noon")
    page.keyboard.press("Enter")
    answer = box_of(history(page).locator(".outbound .bubble").last)
    question = box_of(history(page).locator(".inbound .bubble").first)
    box = box_of(page.locator(".box"))
    assert answer["x"] + answer["width"] - question["x"] <= 880
    assert abs(question["x"] - box["x"]) <= 1, "history and box begin at one line"
    assert abs(answer["x"] + answer["width"] - box["x"] - box["width"]) <= 1
    assert 400 <= box_of(page.get_by_role("list", name="Threads"))["width"] <= 420


def test_boxes_of_a_list_begin_at_one_line_and_words_at_another(
    open_page: OpenPage, server: Server
) -> None:
    server.receive_text("Anybody there?", sender=new_number())
    for viewport in (WIDE, NARROW):
        page = open_page("ana", "/", viewport=viewport)
        for selector in (".start-link", ".search", ".account .avatar"):
            assert box_of(page.locator(selector).first)["x"] == 12, (viewport, selector)
        # An internal message, which begins with its eye, may be the last one of another row.
        preview = ".row-preview:not(:has(svg))"
        words = ["h1", ".start-link", ".row-name", preview, ".account-name"]
        for selector in words:
            left = page.locator(f"#listing {selector}").first.evaluate(WORDS_LEFT)
            assert 43 <= left <= 45, (viewport, selector, left)
        page.goto(server.url + server.inbox_path())
        for selector in ("h1", ".bar .sub", ".row-name", ".row-preview"):
            left = page.locator(f"#listing {selector}").first.evaluate(WORDS_LEFT)
            assert 43 <= left <= 45, (viewport, selector, left)
        field = page.get_by_role("searchbox").evaluate(
            "box => box.getBoundingClientRect().left"
            " + parseFloat(getComputedStyle(box).paddingLeft)"
        )
        assert field == 44, viewport


def test_an_urgent_muted_contact_keeps_room_for_its_name(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Water everywhere", sender=number)
    name_contact(server, number, "Marta Lindqvist")
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    name = find_row(page, format_number(number)).locator(".row-contact")
    choose_option(page, "Urgent")
    expect(find_row(page, format_number(number)).get_by_text("Urgent")).to_be_visible()
    before = box_of(name)["width"]
    choose_thread_option(page, "Mute")
    expect(find_row(page, format_number(number)).get_by_text("Muted")).to_be_attached()
    assert box_of(name)["width"] == before, "the mark for mute takes nothing from the name"
    # At 10:48 PM the time beside it is wider than at 1:11 PM.
    assert before >= 55, "more than a few letters"


def test_a_row_is_two_lines_high_whatever_it_tells(open_page: OpenPage, server: Server) -> None:
    number, plain = new_number(), new_number()
    for one in (plain, number):
        server.receive_text("Two lines, please", sender=one)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    choose_thread_option(page, "Mute")
    row = find_row(page, format_number(number))
    expect(row.get_by_text("Muted")).to_be_attached()
    with page.expect_response("**/draft/"):
        message_box(page).fill("Half written")
    page.goto(server.url + server.thread_path(plain))
    expect(row.get_by_text("Half written")).to_be_visible()
    assert box_of(row)["height"] == box_of(find_row(page, format_number(plain)))["height"]
    mark, words = box_of(row.locator(".muted-mark")), box_of(row.get_by_text("Half written"))
    assert abs(mark["y"] - words["y"]) < 8, "on the second line"


def choose_option(page: Page, word: str) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitemradio", name=word, exact=True).click()


def test_the_title_says_that_a_thread_is_muted_as_soon_as_another_tab_mutes_it(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("One of many", sender=number)
    page, tab = (open_page("ana", server.thread_path(number)) for _ in range(2))
    ben = open_page("ben", server.thread_path(number))
    for one in (page, tab, ben):
        wait_until_live(one)
        expect(title_mark(one)).to_be_hidden()
    choose_thread_option(tab, "Mute")
    for one in (page, tab):
        expect(title_mark(one)).to_be_visible()
    expect(title_mark(ben)).to_be_hidden()
    choose_thread_option(page, "Unmute")
    for one in (page, tab):
        expect(title_mark(one)).to_be_hidden()


def title_mark(page: Page) -> Locator:
    return page.locator(".thread > .bar").get_by_title("Muted")


def test_a_long_count_is_whole_on_the_bell(open_page: OpenPage, server: Server) -> None:
    for viewport in (WIDE, NARROW):
        page = open_page("ana", server.inbox_path(), viewport=viewport)
        page.locator(".badge").first.evaluate("badge => { badge.hidden = false }")
        page.locator(".badge").first.evaluate("badge => { badge.textContent = '99+' }")
        badge, listing = box_of(page.locator(".badge").first), box_of(page.locator("#listing"))
        assert badge["x"] + badge["width"] <= listing["x"] + listing["width"], viewport
        assert badge["x"] >= box_of(bell(page))["x"]


def overlaps(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def test_a_toast_never_covers_what_one_writes_in(open_page: OpenPage, server: Server) -> None:
    on_its_side: ViewportSize = {"width": 844, "height": 390}
    for viewport in (VERY_WIDE, WIDE, NARROW, on_its_side):
        number = new_number()
        server.receive_text("Who knows?", sender=number)
        page = open_page("ana", server.thread_path(number), viewport=viewport)
        wait_until_live(page)
        box = message_box(page)
        box.fill("@ben can you tell?")
        expect(box).to_have_attribute("placeholder", re.compile("^Write to your team"))
        page.get_by_role("button", name="Internal message", exact=True).click()
        toast = page.get_by_role("status").filter(has_text="Mentions are for your team only.")
        expect(toast).to_be_in_viewport(ratio=1)
        written = page.locator("#reply")
        assert not overlaps(box_of(toast), box_of(written)), viewport
        box.fill("@ben can you tell?\n\n\n\nAnd more.")
        expect(toast).to_be_in_viewport(ratio=1)
        wait_until(lambda t=toast, w=written: not overlaps(box_of(t), box_of(w)))  # type: ignore[misc]
        if viewport["width"] > 960:
            assert overlaps(box_of(toast), box_of(page.locator("#listing"))), (
                "over the list's foot"
            )
            assert not overlaps(box_of(toast), box_of(page.locator(".account").first))
        page.close()


# What wears one of the colours of internal messages, but is none.
AMBER = """() => {
  const probe = document.body.appendChild(document.createElement("i"));
  const amber = ["note", "note-line", "note-ink", "note-edge", "note-strong", "mention"].map(
    token => { probe.style.color = `var(--${token})`; return getComputedStyle(probe).color; });
  probe.remove();
  return [...document.querySelectorAll("body *")].filter(one => {
    const style = getComputedStyle(one);
    const colours = [style.color, style.backgroundColor, style.borderTopColor];
    const isInternal = one.closest(".internal, .is-internal, .row-eye, .mention");
    return !isInternal && one.checkVisibility() && colours.some(colour => amber.includes(colour));
  }).map(one => one.outerHTML.slice(0, 90));
}"""


def test_amber_means_internal_and_nothing_else(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("How much is it?", sender=number)
    page = open_page("ana", server.thread_path(number), has_new_session=True)
    wait_until_live(page)
    page.get_by_role("button", name="Internal message", exact=True).click()
    page.evaluate("document.querySelector('#composer').classList.remove('is-internal')")
    assert page.evaluate(AMBER), "the colours are found where they are"
    page.reload()
    page.get_by_role("button", name="Internal message", exact=True).click()
    wait_until_live(page)
    wait_until(lambda: page.evaluate(AMBER) == [])  # the button's colour changes slowly
    server.cable.cut()
    page.get_by_text("Offline, reconnecting…").wait_for()
    assert page.evaluate(AMBER) == [], "offline"
    server.cable.restore()
    page.get_by_text("Offline, reconnecting…").wait_for(state="hidden")
    page.goto(server.url + "/start/")
    page.get_by_role("textbox", name="To").fill("+442079460123")
    page.get_by_text("This looks like a landline").wait_for()
    assert page.evaluate(AMBER) == [], "a landline"
    page.goto(server.url + server.thread_path(number))
    wait_until_live(page)
    tab = page.context.new_page()
    tab.goto(server.url)
    tab.get_by_role("button", name="Sign out").click()
    page.get_by_text("You're signed out.").wait_for()
    assert page.evaluate(AMBER) == [], "signed out"
