"""What is not read yet: marks, counts, the line "New", and what needs a reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    DISPATCH,
    NARROW,
    House,
    answer,
    bubble,
    fresh,
    history,
    row,
    shown,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    Sit = Callable[..., Page]


def marks(page: Page, words: str) -> Locator:
    return row(page, words).locator(".row-marks")


def mark_unread(page: Page) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Mark unread").click()


def test_a_thread_counts_live_and_opening_reads_it_on_all_my_pages(sit: Sit, house: House) -> None:
    number = stranger()
    page, tab = sit("ana", house.inbox()), sit("ana", house.inbox())
    for one in (page, tab):
        wait_until_live(one)
    for words in ("One", "Two"):
        house.text_in(words, sender=number)
    for one in (page, tab):
        expect(marks(one, shown(number))).to_have_text("2 unread")
    row(page, shown(number)).get_by_role("link").click()
    expect(bubble(page, "Two")).to_be_visible()
    for one in (page, tab):
        expect(marks(one, shown(number))).to_have_text("")


def test_an_inbox_counts_its_unread_threads_live(sit: Sit, house: House) -> None:
    # Not Front Desk: above 99 the count stands still, and other tests write there.
    page, tab = sit("ben", "/"), sit("ben", house.inbox(DISPATCH))
    for one in (page, tab):
        wait_until_live(one)
    house.text_in("One", sender=stranger(), to=DISPATCH)
    expect(marks(page, "Dispatch")).to_contain_text("unread")
    page.reload()
    before = int(marks(page, "Dispatch").inner_text().split()[0])
    number = stranger()
    house.text_in("One more", sender=number, to=DISPATCH)
    expect(marks(page, "Dispatch")).to_have_text(f"{before + 1} unread")
    row(tab, shown(number)).get_by_role("link").click()
    expect(marks(page, "Dispatch")).to_have_text(f"{before} unread")


def test_who_missed_more_than_fits_begins_with_the_first_of_it(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in(fresh("Read"), sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    page.get_by_role("link", name="Back to messages").click()
    missed = [fresh("Missed " * 60) for _ in range(12)]
    for body in missed:
        house.text_in(body, sender=number)
    page.goto(house.url + house.thread(number))
    expect(history(page).get_by_text("New", exact=True)).to_be_in_viewport()
    expect(bubble(page, missed[0])).to_be_in_viewport()
    expect(bubble(page, missed[-1])).not_to_be_in_viewport()
    page.get_by_role("button", name="New messages").click()
    expect(bubble(page, missed[-1])).to_be_in_viewport()


def test_the_line_new_stands_before_what_i_had_not_read(sit: Sit, house: House) -> None:
    number = stranger()
    old, new, live = fresh("Read"), fresh("Not read"), fresh("While I look")
    house.text_in(old, sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    expect(bubble(page, old)).to_be_visible()
    page.get_by_role("link", name="Back to messages").click()
    house.text_in(new, sender=number)
    page.goto(house.url + house.thread(number))
    line = history(page).get_by_text("New", exact=True)
    expect(line).to_be_visible()
    wait_until_live(page)
    house.text_in(live, sender=number)
    expect(bubble(page, live)).to_be_visible()
    parts = (bubble(page, old), line, bubble(page, new))
    tops = [one.evaluate("one => one.getBoundingClientRect().top") for one in parts]
    assert tops == sorted(tops)
    expect(line).to_have_count(1)
    page.wait_for_timeout(1_500)  # once a second the page says what it shows
    page.reload()
    expect(bubble(page, live)).to_be_visible()
    expect(line).to_have_count(0)


def test_mark_unread_on_a_phone_goes_back_to_the_list(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Later", sender=number)
    phone = sit("ben", house.thread(number), viewport=NARROW, has_touch=True)
    wait_until_live(phone)
    mark_unread(phone)
    expect(phone.get_by_role("list", name="Threads")).to_be_visible()
    expect(marks(phone, shown(number))).to_have_text("Unread")
    row(phone, shown(number)).get_by_role("link").click()
    expect(bubble(phone, "Later")).to_be_visible()
    phone.get_by_role("link", name="Back to Front Desk").click()
    expect(marks(phone, shown(number))).to_have_text("")


def test_mark_unread_on_a_desk_stays_until_the_thread_is_opened_again(
    sit: Sit, house: House
) -> None:
    number = stranger()
    house.text_in("Later", sender=number)
    page = sit("ana", house.thread(number))
    wait_until_live(page)
    mark_unread(page)
    expect(marks(page, shown(number))).to_have_text("Unread")
    page.wait_for_timeout(1_500)  # the page says once a second what it shows
    expect(marks(page, shown(number))).to_have_text("Unread")
    expect(bubble(page, "Later")).to_be_visible()
    row(page, shown(number)).get_by_role("link").click()
    expect(marks(page, shown(number))).to_have_text("")


def test_needs_reply_knows_of_answers_alone(sit: Sit, house: House) -> None:
    number = stranger()
    house.text_in("Who answers?", sender=number)
    page = sit("ana", f"{house.inbox()}?only=reply")
    wait_until_live(page)
    row(page, shown(number)).get_by_role("link").click()
    expect(bubble(page, "Who answers?")).to_be_visible()
    page.get_by_role("button", name="Internal message", exact=True).click()
    page.get_by_role("textbox", name="Message").fill("Not me")
    page.get_by_role("button", name="Add internal message").click()
    expect(row(page, shown(number))).to_contain_text("You: Not me")
    page.get_by_role("button", name="Internal message", exact=True).click()
    answer(page, "I do")
    expect(row(page, shown(number))).to_have_count(0)
    house.text_in("Thanks. And another thing", sender=number)
    expect(row(page, shown(number))).to_be_visible()
