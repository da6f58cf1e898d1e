"""Provide one server and one Chromium for all browser tests of a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from tests import evidence
from tests.browser.browsers import Browsers, Complaints, Profile
from tests.browser.cable import Cable
from tests.browser.pages import WIDE, OpenBrowser, OpenPage
from tests.browser.server import Server
from tests.running_cluster import PORTS, cluster_stack, free_ports
from tests.stack import running_stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

_HERE = Path(__file__).parent
# Milliseconds. The bench measures speed; here the machine may be busy.
PATIENCE = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """Run the real program in demo mode, or many processes with PARTYLINE_TEST_SERVER=cluster."""
    port = free_ports(PORTS)
    cable = Cable(port)
    url = f"http://127.0.0.1:{cable.port}"
    settings = {"PORT": str(port), "PUBLIC_URL": url, "CARRIER_TIMEOUT": "3"}
    is_cluster = os.environ.get("PARTYLINE_TEST_SERVER") == "cluster"
    running = cluster_stack if is_cluster else partial(running_stack, f"browser_{os.getpid()}")
    try:
        with (
            running(**settings) as stack,
            httpx.Client(trust_env=False, timeout=20) as outside,
            psycopg.connect(stack.database_url, autocommit=True) as connection,
        ):
            yield Server(stack, cable, url, outside, connection)
    finally:
        cable.close()


@pytest.fixture(scope="package")
def browsers(server: Server) -> Iterator[Browsers]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browsers = Browsers(playwright, server.url)
        yield browsers
        browsers.close()


@pytest.fixture
def open_browser(
    browsers: Browsers, server: Server, request: pytest.FixtureRequest
) -> Iterator[OpenBrowser]:
    """Return a function that opens a browser; if a username is given, that agent is signed in.

    The test fails at its end after any error in a page's console, any report of the content
    security policy, and any request to another address than ours.
    """
    profiles: list[Profile] = []
    complaints = Complaints(*(server.url_of(host) for host in ("127.0.0.1", "localhost")))

    def open_one(
        username: str | None = None,
        *,
        host: str = "127.0.0.1",
        has_new_session: bool = False,
        **options: Any,
    ) -> BrowserContext:
        profile = browsers.take(**{"viewport": WIDE, **options})
        profiles.append(profile)
        profile.context.set_default_timeout(PATIENCE)
        complaints.listen(profile.context)
        if username is not None:
            cookies = server.cookies_of(username, host=host, is_new=has_new_session)
            profile.context.add_cookies(cookies)
        return profile.context

    yield open_one
    server.cable.restore()
    server.forget_views()
    if evidence.has_failed(request):
        evidence.print_pages(profile.context for profile in profiles)
        evidence.print_log(server.stack)
    for profile in profiles:
        complaints.stop(profile.context)
        browsers.give_back(profile)
    assert complaints.found == []


@pytest.fixture
def open_page(open_browser: OpenBrowser, server: Server) -> OpenPage:
    """Return a function that opens a page for an agent: `open_page("ana", "/inboxes/1/")`."""

    def open_one(
        username: str | None, path: str = "/", *, host: str = "127.0.0.1", **options: Any
    ) -> Page:
        page = open_browser(username, host=host, **options).new_page()
        page.goto(server.url_of(host) + path)
        return page

    return open_one
