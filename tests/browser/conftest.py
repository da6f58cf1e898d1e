"""One house for all browser tests, behind a line that can be cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.house import WIDE, House, sign_in
from tests.browser.line import Line
from tests.running_cluster import PORTS, cluster_stack, free_ports
from tests.stack import running_stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

_HERE = Path(__file__).parent
PATIENCE = 30_000
"""Milliseconds. How fast things come is measured elsewhere; here the machine may be busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """The real program in demo mode; one for all modules, since its start takes seconds. With
    PARTYLINE_TEST_HOUSE=cluster it is the house of many processes."""
    port = free_ports(PORTS)
    line = Line(port)
    url = f"http://127.0.0.1:{line.port}"
    where = {"PORT": str(port), "PUBLIC_URL": url, "CARRIER_TIMEOUT": "3"}
    is_cluster = os.environ.get("PARTYLINE_TEST_HOUSE") == "cluster"
    running = partial(running_stack, f"browser_{os.getpid()}")
    try:
        with (
            cluster_stack(**where) if is_cluster else running(**where) as stack,
            httpx.Client(trust_env=False, timeout=20) as outside,
        ):
            yield House(stack, line, url, outside)
    finally:
        line.close()


@pytest.fixture
def enter(
    open_browser: Callable[..., BrowserContext], house: House
) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a browser in which somebody is signed in. Whatever its pages ask of
    another address than ours fails the test."""
    strangers: list[str] = []

    def watch(request: Any) -> None:
        if not request.url.startswith((f"{house.url}/", "data:")):
            strangers.append(request.url)

    def enter_one(who: str | None = None, *, anew: bool = False, **options: Any) -> BrowserContext:
        context = open_browser(**{"viewport": WIDE, **options})
        context.set_default_timeout(PATIENCE)
        context.on("request", watch)
        if who is not None:
            sign_in(context, house, who, anew=anew)
        return context

    yield enter_one
    assert strangers == []


@pytest.fixture
def sit(enter: Callable[..., BrowserContext], house: House) -> Iterator[Callable[..., Page]]:
    """A function that opens a page for somebody: `sit("ana", "/inboxes/1/")`."""

    def sit_down(who: str | None, path: str = "/", **options: Any) -> Page:
        page = enter(who, **options).new_page()
        page.goto(house.url + path)
        return page

    yield sit_down
    house.line.restore()
