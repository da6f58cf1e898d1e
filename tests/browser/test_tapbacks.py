"""A tapback of a phone shows on the message that it quotes, on every open page."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.pages import OpenPage, Team, expect_readable, make_unique, wait_until_live
from tests.browser.server import Server

PAGE_SIZE = 40


def reaction(message: Locator, name: str) -> Locator:
    return message.get_by_role("img", name=f"Reaction: {name}, by the contact", exact=True)


def test_a_tapback_shows_on_its_message_and_its_words_can_be_unfolded(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana", "ben")
    words = make_unique("See you at 5")
    team["ana"].box.fill(words)
    team["ana"].send()
    expect(team["ben"].find_message(words)).to_be_visible()
    team.receive_text(f"Loved “{words}”")
    for at in (team["ana"], team["ben"]):
        answer = at.history.get_by_role("article").filter(has_text=words).first
        expect(reaction(answer, "Loved")).to_have_text("❤️")
        tapback = at.history.get_by_role("article", name="Loved a message", exact=True)
        its_words = tapback.get_by_text(f"Loved “{words}”", exact=True)
        expect(its_words).to_be_hidden()
        tapback.get_by_text("Loved a message").click()
        expect(its_words).to_be_visible()
        tapback.get_by_role("link", name="Go to the message").click()
        expect(reaction(answer, "Loved")).to_be_visible()
    expect_readable(team["ana"].page)
    team.receive_text(f"Removed a heart from “{words}”")
    for at in (team["ana"], team["ben"]):
        answer = at.history.get_by_role("article").filter(has_text=words).first
        expect(answer.get_by_role("img", name="Reaction")).to_have_count(0)
        expect(at.history).to_contain_text("Took ❤️ back")
    page = team["ben"].page
    page.reload()
    expect(team["ben"].history).to_contain_text("Took ❤️ back")
    expect(team["ben"].history.get_by_role("img", name="Reaction")).to_have_count(0)


def test_a_tapback_on_an_older_page_shows_once_that_page_is_read(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    for number in range(PAGE_SIZE):
        team.receive_text(f"Filler {number}")
    at = team["ana"]
    for _ in range(2):  # the first time it opens at what is new
        at.page.reload()
        expect(at.find_message(f"Filler {PAGE_SIZE - 1}")).to_be_visible()
    wait_until_live(at.page)
    first = at.history.locator(".message:not(.tapback)", has_text="Is the part there yet?")
    expect(first).to_have_count(0)
    team.receive_text("Questioned “Is the part there yet?”")
    expect(at.history.get_by_role("article", name="Questioned a message")).to_be_visible()
    expect(first).to_have_count(0)
    at.page.get_by_role("link", name="Show earlier messages").click()
    expect(first).to_be_visible()
    expect(reaction(first, "Questioned")).to_have_text("❓")
