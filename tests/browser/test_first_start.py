"""From an empty installation, started by one command, to the first text that is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.browsers import Browsers, Complaints
from tests.browser.pages import NARROW, WIDE, find_violations, measure_overflow
from tests.databases import migrated_database
from tests.stack import Stack, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PASSWORD = "Quercitron-password"
MOST_CLICKS = 12


@pytest.fixture(scope="module")
def empty() -> Iterator[Stack]:
    """Run `manage.py serve` on a database that has tables and nothing in them.

    That it makes the tables is for `tests/config/test_serve.py`.
    """
    template = migrated_database()
    with running_stack("first_start", template, PARTYLINE_DEMO="0", TWO_STEP_SIGN_IN="") as stack:
        yield stack


def code_of(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238)."""
    padded = secret + "=" * (-len(secret) % 8)
    message = struct.pack(">Q", int(time.time()) // 30)
    mac = hmac.new(base64.b32decode(padded), message, hashlib.sha1).digest()
    start = mac[-1] & 15
    value = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{value % 1_000_000:06d}"


@dataclass
class Hand:
    """Click as a person does, and count clicks and the seconds of waiting after each."""

    clicks: int = 0
    waited: float = 0.0
    seen: list[str] = field(default_factory=list)

    def click(self, target: Locator, then: Locator) -> None:
        """Click, and wait until what should come is there."""
        self.seen.append(target.inner_text().strip() or "?")
        began = time.monotonic()
        target.click()
        then.wait_for()
        self.waited += time.monotonic() - began
        self.clicks += 1


@contextmanager
def browser_of(browsers: Browsers, stack: Stack, **options: Any) -> Iterator[Page]:
    """Open a browser of its own, and fail on complaints in its console."""
    complaints = Complaints(stack.url, stack.url.replace("127.0.0.1", "localhost"))
    profile = browsers.take(**{"viewport": WIDE, **options})
    complaints.listen(profile.context)
    try:
        yield profile.context.new_page()
    finally:
        complaints.stop(profile.context)
        browsers.give_back(profile)
    assert complaints.found == []


def check_page(page: Page, faults: dict[str, object], name: str) -> None:
    """Note what cannot be read on this page, wide and narrow, light and dark."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            if found := find_violations(page) or measure_overflow(page):
                faults[f"{name} {size['width']} {scheme}"] = found


def printed_address(stack: Stack) -> str:
    found = re.findall(r"http://\S+/setup/\?key=\S+", stack.log)
    assert len(found) == 1
    return str(found[0])


def fill_in_administrator(page: Page, name: str, username: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)


def make_administrator(page: Page, hand: Hand, faults: dict[str, object]) -> None:
    check_page(page, faults, "administrator")
    fill_in_administrator(page, "Ada Byron", "ada")
    hand.click(
        page.get_by_role("button", name="Continue"),
        page.get_by_role("heading", name="Two-step sign-in"),
    )


def fail_to_come_second(late: Page) -> None:
    fill_in_administrator(late, "Eve", "eve")
    late.get_by_role("button", name="Continue").click()
    late.get_by_role("heading", name="Already set up").wait_for()


def set_up_second_step(page: Page, hand: Hand, faults: dict[str, object]) -> None:
    check_page(page, faults, "two steps")
    secret = page.locator("[data-secret]").get_attribute("data-secret") or ""
    page.get_by_label("Code that the app shows").fill(code_of(secret))
    hand.click(
        page.get_by_role("button", name="Continue"),
        page.get_by_role("heading", name="Keep your recovery codes"),
    )
    check_page(page, faults, "codes")
    hand.click(
        page.get_by_role("link", name="Continue"),
        page.get_by_role("heading", name="Who carries your texts?"),
    )


def choose_simulator_and_inbox(
    page: Page, hand: Hand, faults: dict[str, object], url: str
) -> None:
    """Leave the set-up on the way, and open it again: it goes on where it was."""
    check_page(page, faults, "carrier")
    hand.click(
        page.get_by_role("button", name="Try it without a carrier"),
        page.get_by_role("heading", name="First inbox"),
    )
    check_page(page, faults, "inbox")
    page.goto(url)
    hand.click(
        page.get_by_role("button", name="Continue"),
        page.get_by_role("heading", name="Invite your colleagues"),
    )
    check_page(page, faults, "colleagues")
    hand.click(
        page.get_by_role("link", name="Skip for now"),
        page.get_by_role("heading", name="Partyline is ready"),
    )
    check_page(page, faults, "done")


def answer_first_text(page: Page, hand: Hand) -> None:
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the practice phone").click()
    hand.clicks += 1
    phone = opened.value
    phone.get_by_label("Text", exact=True).fill("Is it ready?")
    hand.click(
        phone.get_by_role("button", name="Send text"),
        phone.locator("#sent").get_by_text("Is it ready?"),
    )
    thread = page.get_by_role("list", name="Threads").get_by_role("link").first
    hand.click(page.get_by_role("link", name="Open Front Desk"), thread)
    hand.click(thread, page.get_by_role("log", name="History").get_by_text("Is it ready?"))
    page.get_by_role("textbox", name="Message").fill("Yes, come by!")
    hand.click(
        page.get_by_role("button", name="Send", exact=True),
        phone.get_by_role("log", name="Received").get_by_text("Yes, come by!"),
    )


def test_an_empty_installation_answers_its_first_text_within_twelve_clicks(
    browsers: Browsers, empty: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    address = printed_address(empty)
    link_file = Path(empty.environment["PARTYLINE_DATA"], "setup_link")
    assert address == link_file.read_text().strip()
    hand, faults = Hand(), dict[str, object]()
    with (
        browser_of(browsers, empty, bypass_csp=True) as page,
        browser_of(browsers, empty) as late,
    ):
        page.goto(empty.url)
        assert "Not set up yet" in page.inner_text("main")
        late.goto(address)
        page.goto(address)
        # The key is neither in the address bar nor in the history.
        assert page.url == f"{empty.url}/setup/administrator/"
        make_administrator(page, hand, faults)
        fail_to_come_second(late)
        set_up_second_step(page, hand, faults)
        choose_simulator_and_inbox(page, hand, faults, f"{empty.url}/setup/")
        answer_first_text(page, hand)
    with capsys.disabled():
        print(f"\nfirst start: {hand.clicks} clicks, {hand.waited:.1f} s of waiting")
    assert faults == {}
    assert hand.clicks <= MOST_CLICKS, hand.seen
    assert not link_file.exists()
