"""Open pages of somebody who has to give a second step, or to set one up."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async as in_database

from inboxes.models import SignInSettings
from messaging.live import hub
from messaging.live.hub import hub_of_this_loop
from messaging.live.pages import NEEDS_SECOND_STEP
from tests.cast import Cast
from tests.messaging.live.live_pages import Opener

pytestmark = pytest.mark.django_db(transaction=True)


async def demand(who: str) -> None:
    await in_database(SignInSettings.objects.create)(two_step=who)


async def test_open_pages_close_when_everybody_needs_a_second_step(
    cast: Cast, opened: Opener
) -> None:
    page = await opened(cast.ana, "/")
    await demand("everybody")
    await hub_of_this_loop().compare_with_database()
    assert await page.receive_close_code() == NEEDS_SECOND_STEP


async def test_the_last_page_of_a_process_is_told_why_it_closes(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_INTERVAL", 0.05)
    page = await opened(cast.ana, "/")
    await demand("everybody")
    assert await page.receive_close_code() == NEEDS_SECOND_STEP


async def test_pages_of_agents_stay_open_when_administrators_need_one(
    cast: Cast, opened: Opener
) -> None:
    page = await opened(cast.ana, "/")
    await demand("administrators")
    await hub_of_this_loop().compare_with_database()
    await in_database(cast.thread)()
    await page.wait_for(f"inbox-{cast.front_desk.pk}", "Is anybody there?")


async def test_no_page_opens_a_socket_without_it(cast: Cast, opened: Opener) -> None:
    page = await opened(cast.ana, "/")
    await page.disconnect()
    await demand("everybody")
    await page.open()
    assert await page.receive_close_code() == NEEDS_SECOND_STEP
