"""Report what the pages of a failed test showed and what its server logged.

A run on another machine leaves nothing else to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.stack import Stack

LINES = 60  # Of each page and of each log, at the most

_HAS_FAILED = pytest.StashKey[bool]()


def note_failure(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    if call.when == "call" and call.excinfo is not None:
        item.stash[_HAS_FAILED] = True


def has_failed(request: pytest.FixtureRequest) -> bool:
    return bool(request.node.stash.get(_HAS_FAILED, False))


def print_pages(contexts: Iterable[BrowserContext]) -> None:
    from playwright.sync_api import Error

    for page in [page for context in contexts for page in context.pages]:
        print(f"\n{page.url}")
        try:
            lines = page.locator("body").aria_snapshot(timeout=2_000).splitlines()
            connection = page.locator("html").get_attribute("data-connection", timeout=2_000)
        except Error as error:
            print(f"(cannot be read: {type(error).__name__})")
            continue
        print(f"connection: {connection}")
        print("\n".join(lines[-LINES:]))


def print_log(stack: Stack) -> None:
    print("\nthe last lines that the server logged")
    print("\n".join(stack.log.splitlines()[-LINES:]))
