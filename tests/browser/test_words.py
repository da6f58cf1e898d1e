"""The fixed words of the pages."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import OpenBrowser, OpenPage, open_handset
from tests.browser.server import Server


def test_the_words_by_which_people_and_readers_find_things(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    page = open_page(None)
    expect(page.get_by_role("textbox", name="Username", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Password", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    page = open_page("ana")
    messages = page.get_by_role("navigation", name="Messages", exact=True)
    expect(messages.get_by_role("list", name="Conversations", exact=True)).to_be_visible()
    page.goto(server.url + server.thread_path("+12025550142"))
    expect(messages.get_by_role("list", name="Threads", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Back to messages", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="(202) 555-0142")).to_be_visible()
    log = page.get_by_role("log", name="History", exact=True)
    expect(log.get_by_role("article").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.goto(server.url + server.thread_path("+12025550177"))
    expect(log.get_by_role("article").filter(has_text="Internal").first).to_be_visible()
    phone = open_handset(open_browser(), server, "+12025550177")
    expect(phone.get_by_role("textbox", name="From", exact=True)).to_be_visible()
    expect(phone.get_by_role("combobox", name="To", exact=True)).to_be_visible()
    expect(phone.get_by_role("textbox", name="Text", exact=True)).to_be_visible()
    expect(phone.get_by_role("button", name="Send text", exact=True)).to_be_visible()
    expect(phone.get_by_role("log", name="Received", exact=True)).to_be_visible()
    expect(phone.get_by_role("textbox", name="From")).to_have_value("+12025550177")
