"""Searching, as the article says it: within an inbox, among the last messages of its threads."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, expect

from tests.browser.house import (
    NARROW,
    House,
    box,
    bubble,
    fill_sign_in,
    history,
    row,
    shown,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    Sit = Callable[..., Page]

SOON = 1_000


def field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search last messages")


def switch(page: Page) -> Locator:
    return page.get_by_role("switch", name="All messages")


def threads(page: Page) -> Locator:
    return page.get_by_role("list", name="Threads").get_by_role("listitem")


def written(house: House, body: str) -> str:
    number = stranger()
    house.text_in(body, sender=number)
    return number


def test_search_in_an_inbox_looks_at_the_last_message_of_each_thread(
    sit: Sit, house: House
) -> None:
    number = written(house, "The Zylinderkopf is cracked")
    other = written(house, "A zylinder for the Crème machine")
    ana = sit("ana", house.inbox())
    expect(field(ana)).to_have_attribute("placeholder", "Last messages")
    everything = threads(ana).count()
    assert everything > 2
    field(ana).press_sequentially("ZYL", delay=30)
    expect(threads(ana)).to_have_count(2)
    expect(threads(ana).first).to_contain_text(shown(other))
    expect(threads(ana).first.locator("mark")).to_have_text("zylinder")
    field(ana).press_sequentially(" creme", delay=30)
    expect(threads(ana)).to_have_count(1)
    expect(field(ana)).to_be_focused()
    expect(field(ana)).to_have_value("ZYL creme")
    house.text_in("It came", sender=other)
    field(ana).fill("zylinder")
    expect(threads(ana)).to_have_count(1)
    expect(threads(ana).first).to_contain_text(shown(number))
    field(ana).fill("")
    expect(row(ana, shown(other))).to_contain_text("It came")
    expect(threads(ana)).to_have_count(everything)
    expect(ana).to_have_url(house.url + house.inbox())


def test_what_is_typed_is_in_the_address_and_back_leads_to_it(sit: Sit, house: House) -> None:
    number = written(house, "The quokka is out")
    ana = sit("ana", "/")
    row(ana, "Front Desk").get_by_role("link").click()
    expect(ana.get_by_role("list", name="Threads")).to_be_visible()
    field(ana).press_sequentially("quokka", delay=20)
    expect(threads(ana)).to_have_count(1)
    assert ana.url.endswith("/?q=quokka")
    threads(ana).get_by_role("link").click()
    expect(bubble(ana, "The quokka is out")).to_be_visible()
    expect(ana).to_have_url(f"{house.url}{house.thread(number)}?q=quokka")
    expect(threads(ana)).to_have_count(1)
    ana.reload()
    expect(bubble(ana, "The quokka is out")).to_be_visible()
    expect(threads(ana)).to_have_count(1)
    expect(field(ana)).to_have_value("quokka")
    ana.go_back()
    expect(history(ana)).to_have_count(0)
    expect(field(ana)).to_have_value("quokka")
    expect(threads(ana)).to_have_count(1)
    ana.go_back()
    expect(ana.get_by_role("list", name="Conversations")).to_be_visible()


def test_results_are_live(sit: Sit, house: House) -> None:
    first = written(house, "A numbat came")
    ana = sit("ana", f"{house.inbox()}?q=numbat")
    wait_until_live(ana)
    expect(threads(ana)).to_have_count(1)
    field(ana).focus()
    second = written(house, "Another numbat came")
    expect(threads(ana)).to_have_count(2, timeout=SOON)
    expect(threads(ana).first).to_contain_text(shown(second))
    expect(threads(ana).first.locator("mark")).to_have_text("numbat")
    house.text_in("It left", sender=second)
    expect(threads(ana)).to_have_count(1, timeout=SOON)
    house.text_in("This numbat stays", sender=first)
    expect(threads(ana).first).to_contain_text("This numbat stays", timeout=SOON)
    house.text_in("The numbat is back", sender=second)
    expect(threads(ana).first).to_contain_text("The numbat is back", timeout=SOON)
    written(house, "Nothing of the kind")
    ana.wait_for_timeout(SOON)
    expect(threads(ana)).to_have_count(2)
    expect(field(ana)).to_be_focused()


def test_a_late_answer_never_stands_over_a_later_one(sit: Sit, house: House) -> None:
    written(house, "The quoll sleeps")
    written(house, "The quoll wakes")
    ana = sit("ana", house.inbox())
    held: list[Route] = []
    ana.route(re.compile(r"\?q=quoll$"), lambda route: held.append(route))
    field(ana).fill("quoll")
    ana.wait_for_timeout(400)
    field(ana).fill("quoll wakes")
    expect(threads(ana)).to_have_count(1)
    assert len(held) == 1
    # The page may have given the question up, and then there is nothing left to answer.
    with contextlib.suppress(Error):
        held[0].continue_()
    ana.wait_for_timeout(500)
    expect(threads(ana)).to_have_count(1)
    expect(threads(ana).first).to_contain_text("wakes")


def test_all_messages_shows_the_hit_and_leads_to_its_place(sit: Sit, house: House) -> None:
    number = written(house, "The bilby is 4711")
    for count in range(50):
        house.text_in(f"And so on {count}", sender=number)
    ana = sit("ana", house.inbox())
    field(ana).fill("bilby")
    expect(ana.get_by_text("No thread's last message has that.")).to_be_visible()
    switch(ana).click()
    expect(switch(ana)).to_have_attribute("aria-checked", "true")
    expect(switch(ana)).to_be_focused()
    hit = threads(ana)
    expect(hit).to_have_count(1)
    expect(hit).to_contain_text("Received · Front Desk")
    expect(hit.locator("mark")).to_have_text("bilby")
    hit.get_by_role("link").click()
    expect(bubble(ana, "The bilby is 4711")).to_be_in_viewport()
    assert "at=" not in ana.url
    ana.go_back()
    expect(history(ana)).to_have_count(0)
    expect(switch(ana)).to_have_attribute("aria-checked", "true")
    for digits in (f"({number[2:5]}) {number[5:8]}-{number[8:]}", number[-7:]):
        field(ana).fill(digits)
        expect(hit).to_have_count(1)
        expect(hit).to_contain_text("And so on 49")
    field(ana).fill("")
    expect(row(ana, shown(number))).to_have_count(1)
    switch(ana).click()
    expect(switch(ana)).to_have_attribute("aria-checked", "false")
    expect(ana).to_have_url(house.url + house.inbox())


def test_own_conversations_are_searched_from_the_messages_view(sit: Sit, house: House) -> None:
    ana = sit("ana", "/")
    rows = ana.get_by_role("list", name="Conversations").get_by_role("listitem")
    expect(row(ana, "Front Desk")).to_have_count(1)
    field(ana).fill("pot")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("bring the big pot")
    field(ana).fill("")
    expect(row(ana, "Front Desk")).to_have_count(1)
    ben = sit("ben", "/")
    ben.get_by_role("searchbox", name="Search all messages").fill("front desk zzz")
    expect(ben.locator("#found").get_by_text("Nothing found")).to_be_visible()


def test_one_searches_by_keyboard_alone(sit: Sit, house: House) -> None:
    written(house, "The potoroo hides")
    ana = sit("ana", house.inbox())
    wait_until_live(ana)
    ana.keyboard.press("/")
    expect(field(ana)).to_be_focused()
    ana.keyboard.type("potoroo")
    expect(threads(ana)).to_have_count(1)
    ana.keyboard.press("Enter")
    expect(field(ana)).to_be_focused()
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("Enter")
    expect(bubble(ana, "The potoroo hides")).to_be_visible()
    expect(box(ana)).to_be_focused()
    field(ana).focus()
    ana.keyboard.press("Escape")
    expect(field(ana)).to_have_value("")
    expect(row(ana, "The potoroo hides")).to_have_count(1)
    expect(threads(ana)).not_to_have_count(1)
    field(ana).focus()
    ana.keyboard.press("Tab")
    expect(switch(ana)).to_be_focused()
    ana.keyboard.press("Space")
    expect(switch(ana)).to_have_attribute("aria-checked", "true")


def test_on_a_phone_one_comes_back_to_what_was_found(sit: Sit, house: House) -> None:
    written(house, "The kowari digs " + "and digs " * 30)
    ana = sit("ana", house.inbox(), viewport=NARROW, has_touch=True)
    field(ana).fill("kowari")
    expect(threads(ana)).to_have_count(1)
    for control in (field(ana), switch(ana)):
        bounds = control.bounding_box()
        assert bounds is not None
        assert bounds["height"] >= 44
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    threads(ana).get_by_role("link").click()
    expect(history(ana)).to_be_visible()
    ana.get_by_role("link", name="Back to Front Desk").click()
    expect(field(ana)).to_have_value("kowari")
    expect(threads(ana)).to_have_count(1)


def test_search_is_readable_by_everyone(sit: Sit, house: House) -> None:
    written(house, "The dunnart is small")
    for theme in ("light", "dark"):
        ana = sit("ana", f"{house.inbox()}?q=dunnart", color_scheme=theme)
        for is_everywhere in ("false", "true"):
            expect(switch(ana)).to_have_attribute("aria-checked", is_everywhere)
            expect(threads(ana).first).to_be_visible()
            ana.wait_for_timeout(300)
            assert [v["id"] for v in Axe().run(ana).response["violations"]] == []
            switch(ana).click()


def test_without_scripts_it_is_a_form(sit: Sit, house: House) -> None:
    number = written(house, "The chuditch looks")
    page = sit(None, java_script_enabled=False)
    fill_sign_in(page, "ben")
    row(page, "Front Desk").get_by_role("link").click()
    field(page).fill("chuditch")
    field(page).press("Enter")
    expect(threads(page)).to_have_count(1)
    expect(page).to_have_url(f"{house.url}{house.inbox()}?q=chuditch")
    switch(page).click()
    expect(switch(page)).to_have_attribute("aria-checked", "true")
    expect(threads(page)).to_contain_text("Front Desk")
    field(page).fill(number[-6:])
    page.get_by_role("button", name="Search", exact=True).click()
    expect(threads(page)).to_have_count(1)
    threads(page).get_by_role("link").click()
    expect(bubble(page, "The chuditch looks")).to_be_visible()
    expect(field(page)).to_have_value(number[-6:])
    expect(threads(page)).to_have_count(1)
