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
from tests.stack import Stack, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PASSWORD = "Quercitron-password"
MOST_CLICKS = 12


@pytest.fixture(scope="module")
def empty() -> Iterator[Stack]:
    """Run `manage.py serve` on an empty database, and nothing else."""
    with running_stack("first_start", PARTYLINE_DEMO="0", TWO_STEP_SIGN_IN="") as stack:
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


def test_an_empty_installation_answers_its_first_text_within_twelve_clicks(
    browsers: Browsers, empty: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    address = printed_address(empty)
    assert address == Path(empty.environment["PARTYLINE_DATA"], "setup_link").read_text().strip()
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
        check_page(page, faults, "administrator")
        page.get_by_label("Your name").fill("Ada Byron")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        hand.click(
            page.get_by_role("button", name="Continue"),
            page.get_by_role("heading", name="Two-step sign-in"),
        )
        late.get_by_label("Your name").fill("Eve")
        late.get_by_label("Username").fill("eve")
        late.get_by_label("Password", exact=True).fill(PASSWORD)
        late.get_by_role("button", name="Continue").click()
        late.get_by_role("heading", name="Already set up").wait_for()

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
        check_page(page, faults, "carrier")
        hand.click(
            page.get_by_role("button", name="Try it without a carrier"),
            page.get_by_role("heading", name="First inbox"),
        )
        check_page(page, faults, "inbox")
        # Left, and opened again: it goes on where it was.
        page.goto(f"{empty.url}/setup/")
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
    with capsys.disabled():
        print(f"\nfirst start: {hand.clicks} clicks, {hand.waited:.1f} s of waiting")
    assert faults == {}
    assert hand.clicks <= MOST_CLICKS, hand.seen
    assert not Path(empty.environment["PARTYLINE_DATA"], "setup_link").exists()
