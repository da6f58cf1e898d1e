"""Fixtures that every test folder may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from config.embedded.paths import DATABASE
from tests import evidence
from tests.cast import Cast, assemble
from tests.chromium import CHROMIUM_FLAGS, chromium_path
from tests.databases import migrated_database, own_database
from tests.emptying import empty_tables
from tests.running_cluster import cluster_stack
from tests.stack import Stack, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


PATIENCE = 30_000
"""Milliseconds. How fast things come is measured by the bench; here the machine may be busy."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files go first, so that no worker ends up with one of them alone."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_fast() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    evidence.note(item, call)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Copy the migrated database, where pytest-django would migrate one for each worker."""
    with django_db_blocker.unblock():
        template = migrated_database()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with own_database(f"test_{DATABASE}{worker}", template) as url:
        before = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = url.rsplit("/", 1)[1]
        yield
        connections.close_all()
        connection.settings_dict["NAME"] = before


@pytest.fixture
def cast(db: None) -> Cast:
    """The people, inboxes and numbers of every test that needs some."""
    return assemble()


@pytest.fixture(scope="session")
def live_cluster() -> Iterator[Stack]:
    with cluster_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def live_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The real program in demo mode, one for each test module; with PARTYLINE_TEST_HOUSE=cluster
    the house of many processes, one for all."""
    if os.environ.get("PARTYLINE_TEST_HOUSE") == "cluster":
        yield request.getfixturevalue("live_cluster")
        return
    name = request.module.__name__.replace(".", "_")[-40:]
    with running_stack(name) as stack:
        yield stack


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    path = chromium_path(is_whole=getattr(request.module, "NEEDS_WHOLE_CHROMIUM", False))
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # A missing browser raises here and fails the tests: it must not look like a pass.
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_browser(
    chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a fresh browser profile. Any error in a page's console, and any
    report of the content security policy, fails the test at its end."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}")
                if message.type == "error" and not _is_expected(message.text)
                else None
            ),
        )

    def open_one(**options: Any) -> BrowserContext:
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.on("page", watch)
        contexts.append(context)
        return context

    yield open_one
    if evidence.has_failed(request):
        evidence.print_pages(contexts)
        evidence.print_logs(request)
    for context in contexts:
        context.close()
    assert complaints == []


def _is_expected(text: str) -> bool:
    """What Chromium says by itself when a test makes the server refuse or go away."""
    return text.startswith(("Failed to load resource", "htmx: htmx:ws:error")) or (
        "WebSocket connection to" in text
    )


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of messages go into a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media", numbered=True)
