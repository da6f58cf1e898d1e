"""An open page shows what comes, so nothing of it is e-mailed as missed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database

from messaging.live import hub
from messaging.models import EmailPreference, Notification
from messaging.notifications import missed
from tests.cast import Cast
from tests.messaging.live.test_presence import Tab

pytestmark = pytest.mark.django_db(transaction=True)


def newest_and_told(cast: Cast) -> tuple[int, int]:
    newest = Notification.objects.filter(agent=cast.ben).latest("pk").pk
    return newest, EmailPreference.objects.get(agent=cast.ben).told_until


async def test_what_comes_while_a_page_is_open_counts_as_shown(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1"
    monkeypatch.setattr(hub, "NOTING_INTERVAL", 0.05)
    await in_database(missed.choose_emails)(agent=cast.ben, minutes=5)
    await in_database(cast.text_in)("Before")
    newest, told = await in_database(newest_and_told)(cast)
    assert told < newest
    tab: Tab = await in_database(Tab)(cast.ben)
    await tab.open(list_shown="top")
    async with asyncio.timeout(5):
        while told < newest:
            newest, told = await in_database(newest_and_told)(cast)
    await in_database(cast.text_in)("While it is open")
    newest, _ = await in_database(newest_and_told)(cast)
    async with asyncio.timeout(5):
        while told < newest:
            newest, told = await in_database(newest_and_told)(cast)
    await tab.close()
    await in_database(cast.text_in)("After")
    newest, told = await in_database(newest_and_told)(cast)
    assert told < newest
