"""A text reaches the pages that show its inbox or thread, and no others."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.test import Client

from inboxes.actions import add_member, remove_member
from inboxes.invitations.actions import send_reset_link, use_reset_link
from messaging.live import hub, reading, subscriber
from messaging.live.hub import hub_of_this_loop
from tests.cast import ANAS_LINE, DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.live.live_pages import Opener, new_tab, wait_until_hub_idle

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_text_reaches_every_page_that_shows_it(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    inside = f"/threads/{thread.pk}/"
    ana = await opened(cast.ana, "/")
    ben = await opened(cast.ben, inside)
    cho = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    text = await in_database(cast.text_in)("Live, this one.")
    row, entry, place = f"thread-{thread.pk}", f"message-{text.pk}", f"inbox-{cast.front_desk.pk}"
    await ana.wait_for(place, "Live, this one.")
    await ben.wait_for(entry, "Live, this one.")
    await ben.wait_for(row, "Live, this one.")
    await cho.wait_for(row, "Live, this one.")
    assert "unread" in cho.placed[row].marks
    assert row not in ana.placed
    assert entry not in cho.placed


async def test_the_thread_and_the_inbox_move_to_the_top(cast: Cast, opened: Opener) -> None:
    first = await in_database(cast.thread)()
    second = await in_database(cast.thread)(sender="+12025550178")
    await in_database(cast.thread)(to=DISPATCH)
    top = await opened(cast.ana, "/")
    inside = await opened(cast.ana, f"/inboxes/{cast.front_desk.pk}/")
    order = f"list-{cast.front_desk.pk}"
    assert inside.ids_in_order(order) == [f"thread-{second.pk}", f"thread-{first.pk}"]
    assert top.ids_in_order("list-top")[0] == f"inbox-{cast.dispatch.pk}"
    await in_database(cast.text_in)("Up!")
    await inside.wait_for(f"thread-{first.pk}", "Up!")
    await top.wait_for(f"inbox-{cast.front_desk.pk}", "Up!")
    assert inside.ids_in_order(order) == [f"thread-{first.pk}", f"thread-{second.pk}"]
    assert top.ids_in_order("list-top")[0] == f"inbox-{cast.front_desk.pk}"


async def test_a_frame_equals_a_fresh_load(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    pages = [
        await opened(agent, path)
        for agent in (cast.ana, cast.ben)
        for path in ("/", f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/")
    ]
    await in_database(cast.answer)(thread, "Ben was here.", author=cast.ben)
    await in_database(cast.text_in)("And so was I.")
    await in_database(cast.text_in)("On ana's own line", to=ANAS_LINE)
    for page in pages:
        await page.receive_until_idle()
    for page in pages:
        fresh = await in_database(new_tab(page.agent, page.client).load)(page.path)
        # Opening the conversation marks it read; the rows beside it follow live.
        await page.receive_until_idle()
        await in_database(fresh.load)()
        assert page.shown() == fresh.shown()


async def test_nobody_else_gets_anything(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    dispatched = await in_database(cast.thread)(to=DISPATCH)
    dov = await opened(cast.dov, "/")
    cho = await opened(cast.cho, "/")
    elsewhere = await opened(cast.ana, f"/threads/{dispatched.pk}/")
    admin = await opened(cast.admin, "/")
    await in_database(cast.text_in)("For the desk only")
    await in_database(cast.text_in)("For dispatch only", to=DISPATCH)
    await in_database(cast.text_in)("For ana only", to=ANAS_LINE)
    await in_database(cast.answer)(thread, "From the desk")
    for page in (dov, cho, elsewhere, admin):
        await page.receive_until_idle()
    assert (dov.frames, admin.frames) == ([], [])
    seen_by_cho, seen_elsewhere = str(cho.frames), str(elsewhere.frames)
    assert "From the desk" in seen_by_cho
    assert "dispatch only" not in seen_by_cho
    assert "ana only" not in seen_by_cho
    assert "dispatch only" in seen_elsewhere
    assert "desk" not in seen_elsewhere
    assert "ana only" not in seen_elsewhere
    assert {} not in elsewhere.frames


@pytest.mark.parametrize("agent", ["dov", "cho"])
async def test_asking_for_foreign_lists_and_threads_gives_nothing(
    cast: Cast, opened: Opener, agent: str
) -> None:
    """Ask as `cho`, who was a member of Dispatch once; missing and foreign are answered alike."""
    await in_database(add_member)(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    foreign = await in_database(cast.thread)(to=DISPATCH)
    await in_database(remove_member)(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    page = await opened(getattr(cast, agent), "/")
    answers = []
    for inbox, thread in [(cast.dispatch.pk, foreign.pk), (2**40, 2**40)]:
        for view in [{"list": inbox}, {"thread": thread}, {"list": inbox, "thread": thread}]:
            seqs = {f"l{inbox}": 0, f"t{thread}": 0, f"i{inbox}": 0}
            page.frames.clear()
            await page.send_view({"list": None, "thread": None, **view, "seqs": seqs})
            await page.receive_until_idle()
            answers.append(list(page.frames))
            await in_database(cast.text_in)("Secret of dispatch", to=DISPATCH)
            await page.receive_until_idle()
            assert len(page.frames) == len(answers[-1])
    assert answers == [[{"go": "/"}]] * 6


async def test_a_foreign_thread_beside_an_own_list_gives_nothing(
    cast: Cast, opened: Opener
) -> None:
    foreign = await in_database(cast.thread)(to=DISPATCH)
    cho = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    looked = {"list": cast.front_desk.pk, "thread": foreign.pk, "seqs": {f"t{foreign.pk}": 0}}
    await cho.send_view(looked)
    assert await cho.receive_frame() == {"go": "/"}
    await in_database(cast.text_in)("Secret of dispatch", to=DISPATCH)
    await in_database(cast.answer)(foreign, "Another secret")
    await cho.receive_until_idle()
    assert "ecret" not in str(cho.frames)


async def test_a_read_mark_is_for_oneself(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    row, place = f"thread-{thread.pk}", f"inbox-{cast.front_desk.pk}"
    ana = await opened(cast.ana, f"/inboxes/{cast.front_desk.pk}/")
    top = await opened(cast.ana, "/", ana.client)
    ben = await opened(cast.ben, f"/inboxes/{cast.front_desk.pk}/")
    assert all("unread" in page.placed[row].marks for page in (ana, ben))
    assert "unread" in top.placed[place].marks
    read = {"message": 2**62}  # as far as there is anything
    await in_database(ana.client.post)(f"/threads/{thread.pk}/read/", read)
    for page in (ana, top, ben):
        await page.receive_until_idle()
    assert "unread" not in ana.placed[row].marks
    assert "unread" not in top.placed[place].marks
    assert "unread" in ben.placed[row].marks
    # His own count may come again; nothing on his page is drawn anew.
    assert not any("rows" in frame for frame in ben.frames)


async def test_a_new_member_sees_the_inbox_appear(cast: Cast, opened: Opener) -> None:
    await in_database(cast.text_in)("Before you came")
    dov = await opened(cast.dov, "/")
    assert dov.placed == {}
    await in_database(add_member)(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    await dov.receive_until_idle()
    place = f"inbox-{cast.front_desk.pk}"
    assert "Before you came" in dov.placed[place].words
    await in_database(cast.text_in)("Since you came")
    await dov.wait_for(place, "Since you came")


async def test_a_removed_member_loses_the_row_and_gets_nothing_more(
    cast: Cast, opened: Opener
) -> None:
    await in_database(cast.thread)()
    cho = await opened(cast.cho, "/")
    assert f"inbox-{cast.front_desk.pk}" in cho.placed
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    await cho.receive_until_idle()
    assert cho.placed == {}
    assert cho.gone_to == ""
    cho.frames.clear()
    await in_database(cast.text_in)("Not for cho any more")
    await cho.receive_until_idle()
    assert cho.frames == []


@pytest.mark.parametrize("place", ["inbox", "thread"])
async def test_a_removed_member_inside_is_sent_to_the_messages_view(
    cast: Cast, opened: Opener, place: str
) -> None:
    thread = await in_database(cast.thread)()
    paths = {"inbox": f"/inboxes/{cast.front_desk.pk}/", "thread": f"/threads/{thread.pk}/"}
    cho = await opened(cast.cho, paths[place])
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    assert await cho.receive_close_code() == 4403
    assert cho.gone_to == "/"
    await in_database(cast.text_in)("Not for cho any more")
    await wait_until_hub_idle()
    assert await cho.socket.receive_nothing(timeout=0.05)
    assert "any more" not in str(cho.frames)
    for path in paths.values():
        assert (await in_database(cho.client.get)(path)).status_code == 404


async def sign_out(cast: Cast, client: Client) -> None:
    await in_database(client.post)("/sign-out/")


async def change_password(cast: Cast, client: Client) -> None:
    link = await in_database(send_reset_link)(agent=cast.ana, made_by=cast.admin)
    token = link.url.rstrip("/").rpartition("/")[2]
    await in_database(use_reset_link)(token=token, password="long-enough-words")


async def deactivate(cast: Cast, client: Client) -> None:
    path = f"/admin/inboxes/agent/{cast.ana.pk}/deactivate/"
    admin = await in_database(client_of)(cast.admin)
    assert (await in_database(admin.post)(path)).status_code == 302


@pytest.mark.parametrize("action", [sign_out, change_password, deactivate])
async def test_the_end_of_a_session_closes_its_sockets(
    cast: Cast, opened: Opener, action: Any
) -> None:
    ana = await opened(cast.ana, "/")
    ben = await opened(cast.ben, "/")
    await action(cast, ana.client)
    assert await ana.receive_close_code() == 4401
    await in_database(cast.text_in)("After the end")
    await ben.receive_until_idle()
    assert "After the end" in str(ben.frames)
    assert await ana.socket.receive_nothing(timeout=0.05)
    assert (await in_database(ana.client.get)("/")).status_code == 302
    again = await in_database(new_tab)(cast.ana, ana.client)
    again.view = ana.view
    await again.open()
    assert await again.receive_close_code() == 4401


async def test_signing_out_here_leaves_the_other_browser_signed_in(
    cast: Cast, opened: Opener
) -> None:
    here = await opened(cast.ana, "/")
    there = await opened(cast.ana, "/")
    await sign_out(cast, here.client)
    assert await here.receive_close_code() == 4401
    await in_database(cast.text_in)("Still here")
    await there.receive_until_idle()
    assert "Still here" in str(there.frames)


async def test_another_sign_in_closes_nothing(cast: Cast, opened: Opener) -> None:
    ana = await opened(cast.ana, "/")
    await in_database(client_of)(cast.ana)
    await ana.receive_until_idle()
    assert ana.frames == []


async def test_a_lost_bell_is_found_by_the_comparison(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_INTERVAL", 60)
    cho = await opened(cast.cho, "/")
    dov = await opened(cast.dov, "/")
    for page in (cho, dov):
        await page.receive_until_idle()
    monkeypatch.setattr("inboxes.bell._ring_now", lambda _: None)
    await in_database(cast.text_in)("Unheard")
    await in_database(add_member)(inbox=cast.dispatch, agent=cast.dov, changed_by=None)
    for page in (cho, dov):
        assert await page.socket.receive_nothing(timeout=0.1)
    await hub_of_this_loop().compare_with_database()
    for page in (cho, dov):
        await page.receive_until_idle()
    assert "Unheard" in cho.placed[f"inbox-{cast.front_desk.pk}"].words
    assert f"inbox-{cast.dispatch.pk}" in dov.placed


async def test_a_membership_ended_by_plain_sql_is_found_by_the_comparison(
    cast: Cast, opened: Opener
) -> None:
    cho = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    await in_database(cast.cho.memberships.all()._raw_delete)("default")
    await in_database(cast.text_in)("Not for cho any more")
    await cho.receive_until_idle()
    assert "any more" not in str(cho.frames)
    await hub_of_this_loop().compare_with_database()
    assert await cho.receive_close_code() == 4403


async def test_a_renamed_inbox_is_drawn_again(cast: Cast, opened: Opener) -> None:
    ana = await opened(cast.ana, "/")
    admin = await in_database(client_of)(cast.admin)
    form = {
        "name": "Reception",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    path = f"/admin/inboxes/inbox/{cast.dispatch.pk}/change/"
    assert (await in_database(admin.post)(path, form)).status_code == 302
    await ana.wait_for(f"inbox-{cast.dispatch.pk}", "Reception")
    assert "Reception" in ana.placed[f"inbox-{cast.dispatch.pk}"].words
    assert FRONT_DESK not in str(ana.frames)


async def test_a_membership_that_ends_while_a_page_joins_is_noticed(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """End the membership between reading the agent's inboxes and following them."""
    read_standing, calls = reading.read_agent_inboxes, itertools.count()

    def slow(agent_id: int) -> reading.AgentInboxes | None:
        standing = read_standing(agent_id)
        if next(calls) == 0:
            remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
            time.sleep(0.1)
        return standing

    monkeypatch.setattr(reading, "read_agent_inboxes", slow)
    cho = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    await in_database(cast.text_in)("Not for cho any more")
    assert await cho.receive_close_code() == 4403
    assert "any more" not in str(cho.frames)


async def test_slow_jobs_do_not_delay_pages(cast: Cast, opened: Opener) -> None:
    """Block the loop's default threads, in which a worker of the same process runs its jobs."""
    held, loop = threading.Event(), asyncio.get_running_loop()
    every = (os.cpu_count() or 1) + 4
    jobs = [loop.run_in_executor(None, held.wait, 60) for _ in range(every)]
    try:
        ana = await opened(cast.ana, "/")
        await in_database(cast.text_in)("Comes all the same.")
        await ana.wait_for(f"inbox-{cast.front_desk.pk}", "Comes all the same.")
    finally:
        held.set()
        await asyncio.gather(*jobs)


class SlowLayer:
    """Answer a leave later than the join that came after it, as Redis may."""

    def __init__(self) -> None:
        self.members: set[str] = set()

    async def new_channel(self, prefix: str) -> str:
        return prefix

    async def group_add(self, group: str, channel: str) -> None:
        self.members.add(group)

    async def group_discard(self, group: str, channel: str) -> None:
        await asyncio.sleep(0.05)
        self.members.discard(group)

    async def receive(self, channel: str) -> None:
        await asyncio.Event().wait()


async def test_a_group_joined_while_the_last_page_leaves_stays_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = SlowLayer()
    monkeypatch.setattr(subscriber, "_channel_layer", lambda: layer)
    monkeypatch.setattr(subscriber, "is_single_process", lambda: True)
    ours = subscriber.Subscriber(lambda *_: None, lambda _: None, lambda: None)
    await ours.start()
    await ours.join_group("inbox", 1)
    leaving = asyncio.create_task(ours.leave_group("inbox", 1))
    await asyncio.sleep(0)
    await ours.join_group("inbox", 1)
    await leaving
    assert layer.members == {"inbox.1"}
    await ours.stop()
