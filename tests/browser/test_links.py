"""Links, e-mail addresses and telephone numbers in messages can be opened."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    TINY,
    OpenPage,
    Team,
    find_violations,
    make_unique,
)
from tests.browser.server import Server


def test_a_link_opens_a_new_tab_that_knows_nothing_of_ours(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    address = f"{server.url}/healthz"
    team.receive_text(f"The tracking page is ({address}).")
    ana = team["ana"]
    link = ana.history.get_by_role("link", name=address, exact=True)
    with ana.page.context.expect_page() as opened:
        link.click()
    expect(opened.value).to_have_url(address)
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    opened.value.close()
    expect(ana.page).to_have_url(server.url + team.path)
    # A note among the team has them too, and so has a page that is drawn anew.
    ana.eye.click()
    ana.box.fill(f"@ben, see {address}")
    ana.add_internal()
    ben = team["ben"]
    expect(ben.find_message("see").get_by_role("link")).to_have_attribute("href", address)
    ben.page.reload()
    expect(ben.find_message("see").get_by_role("link")).to_have_attribute("href", address)
    expect(ben.find_message("see").locator("mark.me")).to_have_text(["@ben"])


def test_addresses_and_numbers_are_reached_by_the_keyboard(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    team.receive_text("Write to marta@host.example, or call (202) 555-0177")
    ana = team["ana"]
    mail = ana.history.get_by_role("link", name="marta@host.example")
    number = ana.history.get_by_role("link", name="(202) 555-0177")
    expect(mail).to_have_attribute("href", "mailto:marta@host.example")
    expect(number).to_have_attribute("href", "tel:+1-202-555-0177")
    ana.history.focus()
    ana.page.keyboard.press("Tab")
    expect(mail).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(number).to_be_focused()
    assert find_violations(ana.page) == []


def test_an_address_that_pretends_to_be_another_one_is_plain_text(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    body = "https://bank.example@evil.example javascript:alert(1) <a href=https://x.example>"
    team.receive_text(body)
    message = team["ana"].find_message("bank.example@evil.example")
    expect(message.locator(".text")).to_have_text(body)
    expect(message.get_by_role("link")).to_have_text(["https://x.example"])


def test_a_link_behind_a_character_that_turns_texts_round_reads_as_it_opens(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    team.receive_text("\u202eTurned https://example.com/moc.knab//:sptth round")
    ana = team["ana"]
    link = ana.history.get_by_role("link", name="https://example.com/moc.knab//:sptth")
    # Its first letter is drawn left of its last one.
    edges = link.evaluate(
        """link => {
          const range = document.createRange();
          const text = link.firstChild;
          const at = (index) => {
            range.setStart(text, index);
            range.setEnd(text, index + 1);
            return range.getBoundingClientRect().left;
          };
          return [at(0), at(text.length - 1)];
        }"""
    )
    assert edges[0] < edges[1]


@pytest.mark.parametrize("viewport", [NARROW, TINY])
def test_a_long_address_breaks_on_a_phone(
    open_page: OpenPage, server: Server, viewport: dict[str, int]
) -> None:
    team = Team(open_page, server, "ana", viewport=viewport)
    team.receive_text("https://example.com/" + "track-and-trace/" * 12)
    ana = team["ana"]
    expect(ana.history.get_by_role("link", name="https://example.com")).to_be_visible()
    assert ana.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ana.history.evaluate("log => log.scrollWidth <= log.clientWidth")
    assert find_violations(ana.page) == []


def test_a_row_of_a_search_result_holds_one_link(open_page: OpenPage, server: Server) -> None:
    team = Team(open_page, server, "ana")
    words = make_unique("Findable")
    team.receive_text(f"{words} at https://example.com/a and marta@host.example")
    page = team["ana"].page
    page.goto(f"{server.url}/search/?q=Findable")
    row = page.get_by_role("listitem").filter(has_text="https://example.com/a").first
    expect(row.get_by_role("link")).to_have_count(1)
    row.get_by_role("link").click()
    message = team["ana"].find_message(words)
    expect(message.get_by_role("link", name="https://example.com/a")).to_be_visible()
