"""Launch Chromium once for all tests of a worker, and use its profiles one after another.

A page in a new profile costs three times as much processor time as one in a profile that has its
static files cached and its renderer running.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.chromium import CHROMIUM_FLAGS, chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        CDPSession,
        ConsoleMessage,
        Playwright,
        Request,
        WebError,
    )

IDLE = 8  # profiles kept for reuse, at most


@dataclass
class Profile:
    """Hold a profile and the page that keeps its renderer running, which tests leave alone."""

    key: str
    context: BrowserContext
    tools: CDPSession
    is_closed: bool = field(default=False)

    def note_end(self, context: BrowserContext) -> None:
        self.is_closed = True


class Complaints:
    """Record what went wrong in a test's pages: console errors, reports of the content security
    policy, and requests to addresses other than ours."""

    def __init__(self, *ours: str) -> None:
        self.found: list[str] = []
        self._ours = (*ours, "data:")
        self._listeners: dict[str, Any] = {
            "weberror": self._note_error,
            "console": self._note_message,
            "request": self._note_request,
        }

    def listen(self, context: Any) -> None:
        for event, listener in self._listeners.items():
            context.on(event, listener)

    def stop(self, context: Any) -> None:
        for event, listener in self._listeners.items():
            context.remove_listener(event, listener)

    def _note_error(self, error: WebError) -> None:
        self.found.append(f"{error.page and error.page.url}: {error.error}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_expected(message.text):
            self.found.append(f"{message.location['url']}: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith(self._ours):
            self.found.append(f"asked for {request.url}")


def _is_expected(text: str) -> bool:
    """Return True for what Chromium says when a test makes the server refuse or go away."""
    return text.startswith(("Failed to load resource", "htmx: htmx:ws:error")) or (
        "WebSocket connection to" in text
    )


class Browsers:
    def __init__(self, playwright: Playwright, url: str) -> None:
        self._playwright, self._url = playwright, url
        self._running: dict[bool, Browser] = {}
        self._idle: list[Profile] = []

    def take(self, *, is_whole: bool = False, **options: Any) -> Profile:
        """Return a profile without cookies, storage or pages of a test."""
        key = repr((is_whole, sorted(options.items())))
        for profile in reversed(self._idle):
            if profile.key == key:
                self._idle.remove(profile)
                return profile
        context = self._browser(is_whole=is_whole).new_context(**options)
        page = context.new_page()
        if not is_whole:  # a service worker there asks whether any page of ours is in view
            page.goto(f"{self._url}/healthz")
        profile = Profile(key, context, context.new_cdp_session(page))
        context.on("close", profile.note_end)
        return profile

    def give_back(self, profile: Profile) -> None:
        """Take everything out of a profile but its cached files."""
        if profile.is_closed:
            return
        for page in profile.context.pages[1:]:
            page.close()
        profile.context.clear_cookies()
        profile.context.clear_permissions()
        profile.tools.send(
            "Storage.clearDataForOrigin", {"origin": self._url, "storageTypes": "all"}
        )
        self._idle.append(profile)
        if len(self._idle) > IDLE:
            self._idle.pop(0).context.close()

    def close(self) -> None:
        for browser in self._running.values():
            browser.close()

    def _browser(self, *, is_whole: bool) -> Browser:
        # A missing browser raises here and fails the tests: it must not look like a pass.
        if is_whole not in self._running:
            self._running[is_whole] = self._playwright.chromium.launch(
                executable_path=chromium_path(is_whole=is_whole),
                args=[*CHROMIUM_FLAGS, "--process-per-site", "--in-process-gpu"],
            )
        return self._running[is_whole]
