"""Who is told of what, in three browsers: the bell, popups by one tab, the page, the settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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

WIDE = {"width": 1200, "height": 760}
NARROW = {"width": 390, "height": 780}
NUMBER = "+12025550177"

STUB = """
window.popups = [];
window.Notification = class {
  static permission = "granted";
  static requestPermission() { return Promise.resolve(this.permission); }
  constructor(title, options) {
    window.popups.push({title, ...options});
    window.lastPopup = this;
  }
  close() {}
};
"""


class People:
    """Browsers of the demo's agents, and the customer's handset."""

    def __init__(self, open_browser: Open, stack: Stack) -> None:
        self.open_browser = open_browser
        self.stack, self.url = stack, stack.url
        self._handset: Page | None = None

    def sign_in(self, username: str, *, stub: str = STUB, **options: Any) -> Page:
        context = self.open_browser(**{"viewport": WIDE, **options})
        context.add_init_script(stub)
        page = sign_in(context, self.stack, username)
        page.locator("html[data-connection=online]").wait_for()
        return page

    def text(self, words: str, *, sender: str = NUMBER) -> None:
        """A customer texts the front desk."""
        handset = self._handset or self.open_browser(viewport=WIDE).new_page()
        self._handset = handset
        handset.goto(f"{self.url}/simulator/?from={sender.replace('+', '%2B')}")
        handset.get_by_role("combobox", name="To").select_option(
            label="Front Desk, (202) 555-0110"
        )
        handset.get_by_role("textbox", name="Text").fill(words)
        handset.get_by_role("button", name="Send text").click()


@pytest.fixture
def people(open_browser: Open, live_stack: Stack) -> People:
    return People(open_browser, live_stack)


def bell(page: Page) -> Any:
    return page.locator(".bell").first


def count(page: Page) -> int:
    name = bell(page).get_attribute("aria-label") or ""
    found = re.search(r"(\d+) unread", name)
    return int(found[1]) if found else 0


def wait_for_count(page: Page, number: int) -> None:
    name = f"Notifications, {number} unread" if number else "Notifications"
    expect(bell(page)).to_have_attribute("aria-label", name)


def read_all(page: Page) -> None:
    """Start with a clean bell."""
    bell(page).click()
    page.get_by_role("list", name="Notifications").wait_for()
    if count(page):
        page.get_by_role("button", name="Mark all as read").click()
    wait_for_count(page, 0)
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("list", name="Conversations").wait_for()


def popups(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("window.popups")
    return found


def open_thread(page: Page, number: str = "(202) 555-0177") -> None:
    page.get_by_role("link", name="Front Desk").first.click()
    page.get_by_role("list", name="Threads").get_by_role("link", name=number).click()
    page.get_by_role("log", name="History").wait_for()


def test_each_member_is_notified_of_each_message_that_they_did_not_write(people: People) -> None:
    ana, ben, cho = (people.sign_in(name) for name in ("ana", "ben", "cho"))
    for page in (ana, ben, cho):
        read_all(page)
    people.text("A text in")
    for page in (ana, ben, cho):
        wait_for_count(page, 1)
    open_thread(ben)
    wait_for_count(ben, 0)
    ben.get_by_role("textbox", name="Message").fill("A text out by Ben")
    ben.get_by_role("button", name="Send", exact=True).click()
    for page in (ana, cho):
        wait_for_count(page, 2)
        page.wait_for_function("() => window.popups.length === 2")
        assert [popup["body"] for popup in popups(page)] == ["A text in", "A text out by Ben"]
    assert count(ben) == 0


def test_the_count_stands_in_the_title_and_on_the_icon(people: People) -> None:
    page = people.sign_in("ana")
    read_all(page)
    icon = page.locator("link[rel=icon]")
    plain = icon.get_attribute("href")
    expect(page).to_have_title("Messages · Partyline")
    people.text("Ring")
    wait_for_count(page, 1)
    expect(page).to_have_title("(1) Messages · Partyline")
    assert "unread" in (icon.get_attribute("href") or "")
    page.get_by_role("link", name="Front Desk").first.click()
    expect(page).to_have_title("(1) Front Desk · Partyline")
    page.get_by_role("list", name="Threads").get_by_role("link", name="0177").click()
    wait_for_count(page, 0)
    expect(page).to_have_title("(202) 555-0177 · Front Desk · Partyline")
    expect(icon).to_have_attribute("href", plain)


def test_one_tab_speaks_for_all_and_a_click_opens_the_thread_at_the_message(
    people: People,
) -> None:
    first = people.sign_in("ana")
    read_all(first)
    second = first.context.new_page()
    second.goto(f"{people.url}/")
    second.locator("html[data-connection=online]").wait_for()
    people.text("For one of the tabs")
    for page in (first, second):
        wait_for_count(page, 1)
    eventually(lambda: popups(first) or popups(second))
    first.wait_for_timeout(400)
    assert len(popups(first)) + len(popups(second)) == 1
    speaker = first if popups(first) else second
    (popup,) = popups(speaker)
    assert popup["title"] == "(202) 555-0177 · Front Desk"
    assert popup["body"] == "For one of the tabs"
    with speaker.expect_navigation():
        speaker.evaluate("window.lastPopup.onclick()")
    marked = speaker.locator(".message.arrived")
    expect(marked).to_contain_text("For one of the tabs")
    for page in (first, second):
        wait_for_count(page, 0)


def test_what_stands_in_front_of_the_person_pops_up_in_no_tab(people: People) -> None:
    reading = people.sign_in("ana")
    open_thread(reading)
    other = reading.context.new_page()
    other.goto(f"{people.url}/")
    other.locator("html[data-connection=online]").wait_for()
    before = count(other)
    people.text("In plain view")
    reading.get_by_role("log").get_by_text("In plain view").wait_for()
    reading.wait_for_timeout(600)
    assert popups(reading) == popups(other) == []
    wait_for_count(other, before)
    people.text("Elsewhere", sender="+12025550178")
    wait_for_count(other, before + 1)
    eventually(lambda: popups(reading) or popups(other))
    reading.wait_for_timeout(300)
    assert len(popups(reading)) + len(popups(other)) == 1


def test_without_permission_nothing_pops_up(people: People) -> None:
    page = people.sign_in("ana", stub=STUB.replace('"granted"', '"default"'))
    before = count(page)
    people.text("Quietly", sender="+12025550179")
    wait_for_count(page, before + 1)
    page.wait_for_timeout(300)
    assert popups(page) == []


def test_reading_in_one_tab_clears_all_tabs(people: People) -> None:
    first = people.sign_in("ana")
    read_all(first)
    second = first.context.new_page()
    second.goto(f"{people.url}/")
    people.text("Read me")
    for page in (first, second):
        wait_for_count(page, 1)
    open_thread(second)
    for page in (first, second):
        wait_for_count(page, 0)


def test_the_page_lives_and_leads_to_the_message(people: People) -> None:
    page = people.sign_in("ana")
    read_all(page)
    bell(page).click()
    rows = page.get_by_role("list", name="Notifications").get_by_role("listitem")
    people.text("Comes by itself")
    expect(rows.first).to_contain_text("Comes by itself")
    expect(rows.first).to_contain_text("New text · Front Desk")
    people.text("And one more")
    expect(rows.first).to_contain_text("And one more")
    rows.first.get_by_role("button", name="Mark as read").click()
    expect(rows.first).to_contain_text("Comes by itself")
    wait_for_count(page, 1)
    rows.first.get_by_role("link").click()
    expect(page.locator(".message.arrived")).to_contain_text("Comes by itself")
    wait_for_count(page, 0)
    expect(page.get_by_role("button", name="Mark all as read")).to_be_hidden()
    page.reload()
    page.get_by_role("list", name="Threads").wait_for()


def test_a_line_that_was_cut_brings_the_count_right_and_no_popup_twice(people: People) -> None:
    page = people.sign_in("cho")
    read_all(page)
    people.text("Before the cut")
    wait_for_count(page, 1)
    page.wait_for_timeout(300)
    page.reload()
    page.locator("html[data-connection=online]").wait_for()
    wait_for_count(page, 1)
    page.wait_for_timeout(400)
    assert popups(page) == []


def test_the_settings_say_the_permission_in_plain_words(people: People) -> None:
    words = {
        "granted": "Notifications are allowed in this browser",
        "denied": "This browser blocks notifications from Partyline.",
        "default": "Not allowed yet.",
    }
    for state, sentence in words.items():
        page = people.sign_in("cho", stub=STUB.replace('"granted"', f'"{state}"'))
        page.get_by_role("link", name="Your settings").click()
        page.get_by_text(sentence).wait_for()
        button = page.get_by_role("button", name="Allow notifications")
        assert button.is_visible() == (state == "default")


def test_a_test_pops_up_and_a_choice_is_kept(people: People) -> None:
    page = people.sign_in("cho")
    page.get_by_role("link", name="Your settings").click()
    page.get_by_role("button", name="Send me a test").click()
    page.wait_for_function("() => window.popups.length === 1")
    front = page.get_by_role("group", name="Front Desk")
    front.get_by_role("radio", name="Mentions only").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your settings are saved.").wait_for()
    expect(front.get_by_role("radio", name="Mentions only")).to_be_checked()
    front.get_by_role("radio", name="Everything").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your settings are saved.").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_new_pages_and_the_open_menu_are_readable_by_everyone(
    people: People, theme: str, size: dict[str, int]
) -> None:
    people.text("Unread for the look of it", sender="+12025550180")
    page = people.sign_in("ana", viewport=size, color_scheme=theme)

    def check() -> None:
        page.wait_for_timeout(300)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [n["target"] for n in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    for path in ("/notifications/", "/settings/"):
        page.goto(f"{people.url}{path}")
        check()
    page.goto(f"{people.url}/inboxes/1/")
    page.get_by_role("list", name="Threads").get_by_role("link").first.click()
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem").first.wait_for()
    check()


def test_all_of_it_works_without_scripts(people: People, open_browser: Open) -> None:
    people.text("For the plain one", sender="+12025550181")
    page = open_browser(viewport=WIDE, java_script_enabled=False).new_page()
    page.goto(f"{people.url}/sign-in/")
    page.get_by_role("textbox", name="Username").fill("ben")
    page.get_by_role("textbox", name="Password").fill("partyline")
    page.get_by_role("button", name="Sign in").click()
    bell(page).click()
    rows = page.get_by_role("list", name="Notifications").get_by_role("listitem")
    rows.filter(has_text="For the plain one").get_by_role("link").click()
    page.get_by_role("log").get_by_text("For the plain one").wait_for()
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitem", name="Mute").click()
    page.get_by_text("Muted", exact=True).first.wait_for(state="attached")
    page.get_by_role("link", name="Your settings").click()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your settings are saved.").wait_for()
    bell(page).click()
    if count(page):
        page.get_by_role("button", name="Mark all as read").click()
    wait_for_count(page, 0)
