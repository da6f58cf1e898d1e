"""A snoozed conversation comes back by itself, on every open page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import OpenPage, Team
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# The worker looks every five seconds.
SOON = 15_000


def test_it_comes_back_at_its_hour_for_everybody_and_with_the_next_text(
    open_page: OpenPage, server: Server
) -> None:
    # What the server knows of another device counts less than the clock that Ana looks at now.
    server.query("UPDATE inboxes_agent SET time_zone = 'Asia/Kathmandu' WHERE username = 'ana'")
    team = Team(open_page, server, "ana", "ben", timezone_id="America/New_York")
    ana, ben = team["ana"].page, team["ben"].page

    def snooze() -> None:
        ana.locator(".thread").get_by_role("button", name="Snooze", exact=True).click()
        ana.get_by_role("menuitem", name="Tomorrow 8:00 AM", exact=True).click()
        for page in (ana, ben):
            expect(_title(page)).to_contain_text("Snoozed until tomorrow, 8:00 AM")

    snooze()
    server.query(
        "UPDATE threads_thread SET snoozed_until = now() WHERE id = %s",
        int(re.findall(r"\d+", ana.url)[-1]),
    )
    for page in (ana, ben):
        expect(_title(page)).not_to_contain_text("Snoozed", timeout=SOON)
        expect(page.get_by_role("log", name="History")).to_contain_text("Snooze ended")
    snooze()
    team.receive_text("I'm early")
    for page in (ana, ben):
        expect(_title(page)).not_to_contain_text("Snoozed")
        expect(page.get_by_role("log", name="History")).to_contain_text("by a new text")


def _title(page: Page) -> Locator:
    return page.locator(".thread .bar-title")
