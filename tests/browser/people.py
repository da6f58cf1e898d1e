"""Three agents at one thread, each in a browser of their own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    Open = Callable[..., BrowserContext]

WIDE = {"width": 1200, "height": 760}
DESK = "+12025550110"
_numbers = itertools.count(100)


_sessions: dict[tuple[str, str], list[Any]] = {}


def sign_in(context: BrowserContext, stack: Stack, username: str = "ana") -> Page:
    """Somebody's page. The session of an earlier test with the same stack is used again."""
    page = context.new_page()
    context.add_cookies(_sessions.get((stack.url, username), []))
    page.goto(f"{stack.url}/")
    if "/sign-in/" in page.url:
        page.get_by_role("textbox", name="Username").fill(username)
        page.get_by_role("textbox", name="Password").fill("partyline")
        page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Messages").wait_for()
    _sessions[stack.url, username] = context.cookies()
    return page


class Customer:
    """A phone outside, on the simulator's page."""

    def __init__(self, context: BrowserContext, stack: Stack, number: str = "") -> None:
        self.number = number or f"+1303555{next(_numbers):04d}"
        self.page = context.new_page()
        self.page.goto(f"{stack.url}/simulator/?from=%2B{self.number[1:]}")
        self.received = self.page.get_by_role("log", name="Received")

    @property
    def shown(self) -> str:
        """The number as agents read it."""
        return f"({self.number[2:5]}) {self.number[5:8]}-{self.number[8:]}"

    def text(self, words: str) -> None:
        inboxes = self.page.get_by_role("combobox", name="To")
        label = inboxes.locator("option", has_text="Front Desk").first.inner_text()
        inboxes.select_option(label=label)
        self.page.get_by_role("textbox", name="Text").fill(words)
        self.page.get_by_role("button", name="Send text").click()


class At:
    """An agent's page with a thread open."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.eye = page.get_by_role("button", name="Internal message", exact=True)
        self.history = page.get_by_role("log", name="History")
        self.menu = page.get_by_role("listbox", name="Mention someone")
        self.options = self.menu.get_by_role("option")

    def article(self, words: str) -> Locator:
        return self.history.get_by_role("article").filter(has_text=words)

    def send(self, button: str = "Send") -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def add(self) -> None:
        self.send("Add internal message")

    def is_internal(self, *, yes: bool) -> None:
        """Box, words and buttons say the same."""
        expect(self.eye).to_have_attribute("aria-pressed", "true" if yes else "false")
        name = "Add internal message" if yes else "Send"
        expect(self.page.get_by_role("button", name=name, exact=True)).to_be_visible()
        scope = self.page.locator("#message-scope")
        expect(scope.get_by_text("Only your team sees this")).to_be_visible(visible=yes)
        expect(scope.get_by_text("To the customer")).to_be_visible(visible=not yes)
        place = re.compile(r"^Write to your team" if yes else r"^Text ")
        expect(self.box).to_have_attribute("placeholder", place)


def open_thread(page: Page, stack: Stack, thread: str) -> At:
    """`thread`: its path."""
    page.goto(f"{stack.url}{thread}")
    page.get_by_role("log", name="History").wait_for()
    expect(page.locator("html")).to_have_attribute("data-connection", "online")
    return At(page)


class Office:
    """ana, ben and cho with the same new thread open, and the customer who wrote."""

    def __init__(self, open_browser: Open, stack: Stack, *names: str, **options: Any) -> None:
        self.stack = stack
        self.customer = Customer(open_browser(viewport=WIDE), stack)
        self.customer.text("Is the part there yet?")
        pages = {
            name: sign_in(open_browser(viewport=WIDE, **options), stack, name)
            for name in names or ("ana", "ben", "cho")
        }
        first = next(iter(pages.values()))
        first.get_by_role("link", name="Front Desk").first.click()
        row = first.get_by_role("list", name="Threads").get_by_role("link")
        row.filter(has_text=self.customer.shown).click()
        first.get_by_role("log", name="History").wait_for()
        self.path = "/" + first.url.split("/", 3)[3]
        self.people = {name: open_thread(page, stack, self.path) for name, page in pages.items()}

    def __getitem__(self, name: str) -> At:
        return self.people[name]
