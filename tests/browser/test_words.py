"""The fixed words of the pages, and that nothing on them stands in anybody's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.pages import NARROW, WIDE, OpenBrowser, OpenPage, open_handset
from tests.browser.server import Server

if TYPE_CHECKING:
    pass


SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
PAGES = [
    "/sign-in/",
    "/",
    "inbox",
    "thread",
    "/threads/999999/",
    "/simulator/?from=%2B12025550126",
]


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


@pytest.mark.parametrize("path", PAGES)
def test_no_page_stands_in_anybodys_way(open_page: OpenPage, server: Server, path: str) -> None:
    known = {"inbox": server.inbox_path(), "thread": server.thread_path("+12025550177")}
    page = open_page(None if path == "/sign-in/" else "ana", known.get(path, path))
    page.emulate_media(reduced_motion="reduce")
    for size in (WIDE, NARROW):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{size} {scheme}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
