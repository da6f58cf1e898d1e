"""Provide the vocabulary of the browser tests: steps that people take, and what pages show.

The agents, inboxes and numbers are those of the demo: ana, ben and cho are members of Front Desk,
ana and ben of Dispatch, and one number is ana's own.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, WebSocket, expect

from config.demo import PASSWORD
from tests.browser.server import Server

OpenBrowser = Callable[..., BrowserContext]
OpenPage = Callable[..., Page]

WIDE: ViewportSize = {"width": 1200, "height": 760}
NARROW: ViewportSize = {"width": 390, "height": 780}
TINY: ViewportSize = {"width": 320, "height": 560}
# What is left of a window of 1280 by 1024 pixels at a zoom of 400 %.
ZOOMED: ViewportSize = {"width": 320, "height": 256}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_sentences = itertools.count(1)
_numbers = itertools.count(200)


def make_unique(sentence: str) -> str:
    """Return the sentence, made unlike any other of the run."""
    return f"{sentence} ({next(_sentences)})"


def new_number() -> str:
    """Return the number of somebody who never wrote before."""
    return f"+1303555{next(_numbers):04d}"


def format_number(number: str) -> str:
    """Write a number as the pages do."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def wait_until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what shows in the database or in a list of values rather than on the page."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def sign_in(page: Page, username: str) -> None:
    """Fill in the sign-in form. Other tests get a session from `Server.cookies_of`."""
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def wait_until_live(page: Page) -> None:
    """Wait until the socket is open and the server has sent a frame."""
    page.locator("html[data-connection=online]").wait_for(state="attached")


def wait_until_idle(page: Page) -> None:
    """Wait until the page has processed the latest frame or action."""
    page.evaluate("() => new Promise(done => requestIdleCallback(() => setTimeout(done)))")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def record_sockets(page: Page) -> list[WebSocket]:
    """Return a list that fills with every socket that the page opens from now on."""
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    return sockets


class InputMethod:
    """Simulate an input method as for Japanese: keys reach the page while it composes letters."""

    def __init__(self, page: Page) -> None:
        self._tools = page.context.new_cdp_session(page)

    def compose(self, letters: str) -> None:
        end = len(letters)
        composition = {"text": letters, "selectionStart": end, "selectionEnd": end}
        self._tools.send("Input.imeSetComposition", composition)

    def press(self, key: str) -> None:
        """Press a key that belongs to the input method."""
        # The code by which systems say that the input method handles the key itself.
        event = {"key": key, "code": key, "windowsVirtualKeyCode": 229}
        self._tools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
        self._tools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def commit(self, word: str) -> None:
        """Put a word where the letters were composed."""
        self._tools.send("Input.insertText", {"text": word})


# The handset of the simulator


def open_handset(context: BrowserContext, server: Server, number: str) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}/simulator/?from={quote(number)}")
    return page


def send_from_handset(handset: Page, body: str, to: str = "Front Desk") -> None:
    number = handset.get_by_role("combobox", name="To")
    number.select_option(number.get_by_role("option", name=to).get_attribute("value"))
    handset.get_by_role("textbox", name="Text").fill(body)
    handset.get_by_role("button", name="Send text").click()
    handset.get_by_text("Sent at").wait_for()


def received_texts(handset: Page) -> Locator:
    return handset.get_by_role("log", name="Received")


def choose_carrier_behaviour(handset: Page, behaviour: str) -> None:
    handset.get_by_role("combobox", name="Carrier").select_option(behaviour)
    with handset.expect_response("**/far-end/"):
        handset.get_by_role("button", name="Save").click()


# Lists and conversations


def find_row(page: Page, words: str) -> Locator:
    """Find a row of the open list."""
    navigation = page.get_by_role("navigation", name="Messages")
    return navigation.get_by_role("listitem").filter(has_text=words)


def thread_list(page: Page) -> Locator:
    return page.get_by_role("list", name="Threads")


def history(page: Page) -> Locator:
    return page.get_by_role("log", name="History")


def find_message(page: Page, body: str) -> Locator:
    return history(page).get_by_role("article").filter(has_text=body)


def message_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def send_text(page: Page, body: str) -> None:
    message_box(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).click()


def open_first_inbox(page: Page, name: str = "Front Desk") -> None:
    page.get_by_role("link", name=name).first.click()
    thread_list(page).wait_for()


def open_thread(page: Page, number: str) -> None:
    """Choose a thread in the open list."""
    thread_list(page).get_by_role("link", name=number).click()
    history(page).wait_for()


def choose_thread_option(page: Page, name: str) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name=name, exact=True).click()


def read_texts(page: Page, selector: str) -> list[str]:
    """Return what stands in each element, without the white space of the markup."""
    return [re.sub(r"\s+", " ", text).strip() for text in page.locator(selector).all_inner_texts()]


class ThreadPage:
    """Hold an agent's page with a thread open."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.eye = page.get_by_role("button", name="Internal message", exact=True)
        self.history = history(page)
        self.menu = page.get_by_role("listbox", name="Mention someone")
        self.options = self.menu.get_by_role("option")

    def find_message(self, words: str) -> Locator:
        return find_message(self.page, words)

    def send(self, button: str = "Send") -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def add_internal(self) -> None:
        self.send("Add internal message")

    def expect_internal(self, *, yes: bool) -> None:
        """Expect that box, words and buttons say the same."""
        expect(self.eye).to_have_attribute("aria-pressed", "true" if yes else "false")
        name = "Add internal message" if yes else "Send"
        expect(self.page.get_by_role("button", name=name, exact=True)).to_be_visible()
        scope = self.page.locator("#message-scope")
        expect(scope.get_by_text("Only your team sees this")).to_be_visible(visible=yes)
        expect(scope.get_by_text("To the customer")).to_be_visible(visible=not yes)
        words = re.compile(r"^Write to your team" if yes else r"^Text ")
        expect(self.box).to_have_attribute("placeholder", words)


class Team:
    """Hold agents with the same new thread open, each in a browser of their own."""

    def __init__(
        self, open_page: OpenPage, server: Server, *usernames: str, **options: Any
    ) -> None:
        self.server, self.number = server, new_number()
        self.receive_text("Is the part there yet?")
        self.path = server.thread_path(self.number)
        self.pages = {
            name: ThreadPage(open_page(name, self.path, **options))
            for name in usernames or ("ana", "ben", "cho")
        }
        for at in self.pages.values():
            wait_until_live(at.page)

    def __getitem__(self, username: str) -> ThreadPage:
        return self.pages[username]

    def receive_text(self, body: str) -> None:
        """Text them from outside."""
        self.server.receive_text(body, sender=self.number)


# Notifications

_RECORD_POPUPS = """permission => {
  window.popups = [];
  window.Notification = class {
    static permission = permission;
    static requestPermission() { return Promise.resolve(this.permission); }
    constructor(title, options) {
      window.popups.push({title, ...options});
      window.lastPopup = this;
    }
    close() {}
  };
}"""


def record_popups(page: Page, permission: str = "granted") -> Page:
    """Let a page that is not loaded yet record its popups instead of showing them."""
    page.add_init_script(f"({_RECORD_POPUPS})('{permission}')")
    return page


# The text by which a test makes a contact. A page that is opened just then may still show it.
FIRST_TEXT = "The first text"


def read_popups(*pages: Page, about: str = "") -> list[str]:
    """Return the bodies of the popups that these pages showed, without the first text.

    `about` leaves out those of other contacts: a page may still show what a test before caused.
    """
    popups = [popup for page in pages for popup in page.evaluate("window.popups")]
    words = format_number(about) if about else ""
    bodies = [popup["body"] for popup in popups if words in popup["title"]]
    return [body for body in bodies if body != FIRST_TEXT]


def expect_popups(page: Page, *bodies: str, about: str = "") -> None:
    """Wait until the page has shown these popups and no others.

    It is asked from outside: `wait_for_function` waits for frames, which a page behind another
    one may not get.
    """
    wait_until(lambda: len(read_popups(page, about=about)) >= len(bodies))
    shown = read_popups(page, about=about)
    assert shown == list(bodies), shown


def bell(page: Page) -> Locator:
    return page.locator(".bell").first


def count_unread(page: Page) -> int:
    """Return the number that stands on the bell, which counts to 99."""
    found = re.search(r"(\d+)\+? unread", bell(page).get_attribute("aria-label") or "")
    return int(found[1]) if found else 0


def expect_unread(page: Page, number: int) -> None:
    name = f"Notifications, {number} unread" if number else "Notifications"
    expect(bell(page)).to_have_attribute("aria-label", name)


def mark_all_read(page: Page) -> None:
    """Begin with a bell that shows no number, and without popups of what came before."""
    bell(page).click()
    page.get_by_role("list", name="Notifications").wait_for()
    if count_unread(page):
        page.get_by_role("button", name="Mark all as read").click()
    expect_unread(page, 0)
    page.evaluate("window.popups = []")
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("list", name="Conversations").wait_for()


# What everybody can read


# What has just come is still fading in, and would be judged by colours that nobody keeps.
_FIND_VIOLATIONS = """async () => {
  const passing = document.getAnimations().filter(
    ({ effect }) => effect.getComputedTiming().iterations !== Infinity,
  );
  const rest = new Promise((resolve) => setTimeout(resolve, 2000));
  await Promise.race([Promise.allSettled(passing.map(({ finished }) => finished)), rest]);
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)]);
}"""


def expect_readable(page: Page, *sizes: ViewportSize) -> None:
    """Expect that everybody can read the page, in both themes and in the few colours that a reader
    may force upon it, and that it never scrolls sideways.

    Without sizes it stays as large as it is."""
    for size in sizes or (page.viewport_size,):
        if size is not None:
            page.set_viewport_size(size)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            found = find_violations(page), measure_overflow(page)
            assert found == ([], 0), (size, theme, found)
        page.emulate_media(color_scheme="null", forced_colors="active")
        found = find_violations(page), measure_overflow(page)
        assert found == ([], 0), (size, "forced colours", found)
        page.emulate_media(forced_colors="null")


def find_violations(page: Page) -> list[Any]:
    """Return the accessibility rules that the page breaks, and where."""
    finish_animations(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[Any] = page.evaluate(_FIND_VIOLATIONS)
    return found


def finish_animations(page: Page) -> None:
    """Wait until nothing fades any more: what is half transparent has no contrast yet."""
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter(one =>"
        " one.effect.getComputedTiming().iterations !== Infinity).map(one => one.finished))"
    )


def measure_overflow(page: Page) -> int:
    """Return by how many pixels the page can be scrolled sideways."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width
