"""Provide the fixtures that every test folder may use."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from config.embedded.paths import DATABASE
from tests import evidence
from tests.cast import Cast, create_cast
from tests.databases import migrated_database, own_database
from tests.emptying import empty_tables
from tests.page_scripts import PageScripts, running_page_scripts


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, so that no worker ends up with one of them alone."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported: a tenth of the time was its."""
    gc.freeze()
    gc.set_threshold(700, 10, 100)


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_fast() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Look for the static files once, where each client of a test would look through them all."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def find_once(self: WhiteNoiseMiddleware) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    evidence.note_failure(item, call)


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


@pytest.fixture(scope="session")
def page_scripts() -> Iterator[PageScripts]:
    """Run the page's scripts beside the tests."""
    with running_page_scripts() as scripts:
        yield scripts


@pytest.fixture
def cast(db: None) -> Cast:
    """Return agents, inboxes and numbers; see `tests.cast`."""
    return create_cast()


@pytest.fixture(scope="session")
def _new_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Count up folders that nobody has made yet: pytest reads all of its own for each new one."""
    everybodys = tmp_path_factory.mktemp("media")
    return (everybodys / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_files(settings: Any, _new_folders: Iterator[Path]) -> None:
    """Put attachments into a folder of the test's own."""
    settings.MEDIA_ROOT = next(_new_folders)
    settings.MEDIA_ROOT.mkdir()
