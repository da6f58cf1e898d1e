"""The pages as people see them: readable in both themes, at every width, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.house import eventually
from tests.browser.people import sign_in
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Open = Callable[..., BrowserContext]

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]
WIDE = {"width": 1200, "height": 760}
NARROW = {"width": 390, "height": 780}
TINY = {"width": 320, "height": 560}
BUDGET = 120_000


def open_inbox(page: Page) -> None:
    page.get_by_role("link", name="Front Desk").first.click()
    page.get_by_role("list", name="Threads").wait_for()


def open_first_thread(page: Page) -> None:
    page.get_by_role("list", name="Threads").get_by_role("link").first.click()
    page.get_by_role("log", name="History").wait_for()


def bare_title(page: Page) -> str:
    """Without the count of unread notifications."""
    return re.sub(r"^\(\d\) ", "", page.title())


def violations(page: Page) -> list[Any]:
    # Things fade in; what is half transparent has no contrast yet.
    page.wait_for_timeout(300)
    found = Axe().run(page).response["violations"]
    return [(broken["id"], [node["target"] for node in broken["nodes"]]) for broken in found]


def overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_pages_are_readable_by_everyone_and_never_scroll_sideways(
    open_browser: Open, live_stack: Stack, theme: Theme, size: dict[str, int]
) -> None:
    context = open_browser(viewport=size, color_scheme=theme)
    guest = context.new_page()
    for path in ("/sign-in/", "/nothing-here/"):
        guest.goto(f"{live_stack.url}{path}")
        assert violations(guest) == []
        assert overflow(guest) == 0
    page = sign_in(context, live_stack)
    for step in (None, open_inbox, open_first_thread):
        if step is not None:
            step(page)
        assert violations(page) == []
        assert overflow(page) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_administration_wears_the_same_colours(
    open_browser: Open, live_stack: Stack, theme: Theme
) -> None:
    page = sign_in(open_browser(viewport=WIDE, color_scheme=theme), live_stack, "admin")
    for path in ("/admin/", "/admin/inboxes/agent/"):
        page.goto(f"{live_stack.url}{path}")
        assert [rule for rule, _ in violations(page) if "contrast" in rule] == []


def test_wide_shows_both_panes_and_narrow_one_at_a_time(
    open_browser: Open, live_stack: Stack
) -> None:
    page = sign_in(open_browser(viewport=WIDE), live_stack)
    open_inbox(page)
    open_first_thread(page)
    threads = page.get_by_role("list", name="Threads")
    history = page.get_by_role("log", name="History")
    back = page.get_by_role("link", name="Back to Front Desk")
    expect(threads).to_be_visible()
    expect(history).to_be_visible()
    expect(back).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 780})
    expect(threads).to_be_hidden()
    expect(history).to_be_visible()
    back.click()
    threads.wait_for()
    expect(history).to_have_count(0)


def test_everything_works_without_scripts(open_browser: Open, live_stack: Stack) -> None:
    page = sign_in(open_browser(viewport=WIDE, java_script_enabled=False), live_stack)
    open_inbox(page)
    open_first_thread(page)
    page.get_by_role("textbox", name="Message").fill("Sent without a script")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("log").get_by_text("Sent without a script").wait_for()
    page.get_by_role("textbox", name="Message").fill("  ")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("alert").get_by_text(re.compile(r"\w")).wait_for()
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("list", name="Conversations").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


def test_the_first_page_is_light(open_browser: Open, live_stack: Stack) -> None:
    context = open_browser(viewport=WIDE)
    page = sign_in(context, live_stack)
    open_inbox(page)
    address = page.url
    fresh = context.new_page()
    tools = context.new_cdp_session(fresh)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    fresh.goto(address, wait_until="load")
    fresh.wait_for_timeout(500)
    assert 0 < sum(sizes) < BUDGET


def test_the_first_conversation_finds_its_styles_there(
    open_browser: Open, live_stack: Stack
) -> None:
    page = sign_in(open_browser(viewport=WIDE), live_stack)
    expect(page.locator("head link[href*='css/deferred']")).to_have_count(1)
    names = "[...document.styleSheets].map(sheet => sheet.href)"
    eventually(lambda: sum("css/deferred" in name for name in page.evaluate(names)) == 1)


def test_titles_and_focus_follow(open_browser: Open, live_stack: Stack) -> None:
    page = sign_in(open_browser(viewport=WIDE), live_stack)
    assert bare_title(page) == "Messages · Partyline"
    open_inbox(page)
    assert bare_title(page) == "Front Desk · Partyline"
    open_first_thread(page)
    number = page.locator(".thread .number").inner_text()
    assert bare_title(page) == f"{number} · Front Desk · Partyline"
    box = page.get_by_role("textbox", name="Message")
    expect(box).to_be_focused()
    box.fill("Half a sentence")
    page.go_back()
    page.get_by_text("Nothing is open").wait_for()
    assert bare_title(page) == "Front Desk · Partyline"
    page.go_forward()
    page.get_by_role("log", name="History").wait_for()
    # From the tab's own storage, or with the draft's frame if the server was just writing it down.
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Half a sentence")
