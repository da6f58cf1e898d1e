"""Rows enter and leave open views, and the counts beside them follow, for each agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database

from inboxes.actions import add_member, remove_member
from messaging.stream.hiding import delete_thread
from messaging.work.deeds import assign_threads, mark_done
from tests.cast import DISPATCH, Cast
from tests.messaging.live.live_pages import LivePage, Opener
from threads.models import Thread

pytestmark = pytest.mark.django_db(transaction=True)


async def do(deed: Callable[..., Any], *pages: LivePage, **details: Any) -> None:
    """Do something, and let the pages follow."""
    await in_database(deed)(**details)
    for page in pages:
        await page.receive_until_idle()


def count(page: LivePage, view: str) -> int:
    return sum(counts[view] for counts in page.counts.values())


async def test_an_assigned_thread_enters_mine_and_leaves_unassigned(
    cast: Cast, opened: Opener
) -> None:
    thread: Thread = await in_database(cast.thread)()
    mine = await opened(cast.ana, "/?only=mine")
    nobodys = await opened(cast.ben, f"/inboxes/{cast.front_desk.pk}/?only=unassigned")
    assert (set(mine.placed), count(mine, "mine")) == (set(), 0)
    there = {"inbox_id": cast.front_desk.pk, "thread_ids": [thread.pk]}
    await do(assign_threads, mine, nobodys, **there, assignee=cast.ana, by=cast.ben)
    assert (set(mine.placed), count(mine, "mine")) == ({f"thread-{thread.pk}"}, 1)
    assert (set(nobodys.placed), count(nobodys, "mine")) == (set(), 0)
    shown = {thread.pk: thread.last_message_id or 0}
    await do(mark_done, mine, nobodys, inbox_id=cast.front_desk.pk, shown=shown, by=cast.ben)
    assert (set(mine.placed), count(mine, "mine"), count(mine, "reply")) == (set(), 0, 0)
    await do(cast.text_in, mine, nobodys, body="One more thing")
    assert (set(mine.placed), count(mine, "mine")) == ({f"thread-{thread.pk}"}, 1)
    assert count(nobodys, "reply") == 1


async def test_who_deletes_a_thread_counts_it_no_more(cast: Cast, opened: Opener) -> None:
    thread: Thread = await in_database(cast.thread)()
    ana, ben = [await opened(agent, "/?only=reply") for agent in (cast.ana, cast.ben)]
    newest = thread.last_message_id
    await do(delete_thread, ana, ben, thread=thread, agent=cast.ana, message_id=newest)
    assert (set(ana.placed), count(ana, "reply")) == (set(), 0)
    assert (set(ben.placed), count(ben, "reply")) == ({f"thread-{thread.pk}"}, 1)


async def test_a_membership_brings_and_takes_the_threads_of_its_inbox(
    cast: Cast, opened: Opener
) -> None:
    thread: Thread = await in_database(cast.thread)(to=DISPATCH)
    page = await opened(cast.cho, "/?only=reply")
    seat = {"inbox": cast.dispatch, "agent": cast.cho, "changed_by": None}
    await do(add_member, page, **seat)
    assert (set(page.placed), count(page, "reply")) == ({f"thread-{thread.pk}"}, 1)
    await do(remove_member, page, **seat)
    assert (set(page.placed), count(page, "reply")) == (set(), 0)
