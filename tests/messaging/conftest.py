from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from channels.db import database_sync_to_async as in_database
from django.test import Client

from inboxes.models import Agent
from messaging.live.hub import hub_of_this_loop
from tests.messaging.live.live_pages import LivePage, Opener, new_tab


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """Return a function that opens a page with its socket; all are closed at the end."""
    pages: list[LivePage] = []

    async def open_one(agent: Agent, path: str, client: Client | None = None) -> LivePage:
        page: LivePage = await in_database(new_tab)(agent, client)
        pages.append(page)
        await page.open(path)
        return page

    yield open_one
    for page in pages:
        await page.disconnect()
    assert not hub_of_this_loop().by_agent
