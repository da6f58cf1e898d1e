"""A page whose connection was down misses nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging.conversations.forms import DRAFT_LIMIT
from messaging.live import reading
from messaging.live.frames import FRAME_LIMIT, encode_json
from messaging.models import Message, ScheduledText
from messaging.outbound.scheduling import delete_scheduled_text, send_if_due
from messaging.outbound.undo_send import take_back, write_or_hold
from tests.cast import ANAS_LINE, Cast
from tests.messaging.live.live_pages import PATIENCE, LivePage, new_tab
from tests.messaging.scheduled_texts import make_due, schedule_in
from tests.messaging.stepped_transactions import SteppedTransaction, commit_all, make_empty_thread
from threads.actions import save_draft

pytestmark = pytest.mark.django_db(transaction=True)

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


async def reconnect(page: LivePage) -> LivePage:
    """Reconnect with the counters of before."""
    await page.disconnect()
    await page.open()
    await page.receive_until_idle()
    return page


async def assert_equals_fresh_load(page: LivePage) -> None:
    fresh = await in_database(new_tab(page.agent, page.client).load)(page.path)
    await in_database(fresh.load)()  # the first one may have marked the thread read
    await page.receive_until_idle()
    assert page.shown() == fresh.shown()


@pytest.mark.parametrize("batch", [500, 2])
async def test_a_reconnect_brings_rows_and_messages(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    thread = await in_database(cast.thread)()
    paths = ["/", f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/"]
    pages = [await in_database(new_tab(cast.ana, await in_database(_client)(cast)).load)(p)
             for p in paths]  # fmt: skip
    for index in range(5):
        await in_database(cast.text_in)(f"Missed {index}")
        await in_database(cast.text_in)("Hi", sender=f"+1202555020{index}")
        await in_database(cast.text_in)("Mine", to=ANAS_LINE, sender=f"+1202555020{index}")
    await in_database(cast.answer)(thread, "An answer of ben", author=cast.ben)
    for page in pages:
        await reconnect(page)
        await assert_equals_fresh_load(page)
        await page.disconnect()


def _client(cast: Cast) -> Any:
    return new_tab(cast.ana).client


async def test_read_marks_in_more_than_one_batch(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    threads = [await in_database(cast.thread)(sender=f"+1202555020{index}") for index in range(5)]
    page = await in_database(new_tab)(cast.ana)
    await in_database(page.load)(f"/inboxes/{cast.front_desk.pk}/")
    for thread in threads:
        await in_database(page.client.post)(f"/threads/{thread.pk}/read/", {"message": 2**62})
    await reconnect(page)
    await assert_equals_fresh_load(page)
    assert not [e for e in page.placed.values() if "unread" in e.marks]
    await page.disconnect()


async def test_a_reconnect_follows_lost_and_new_memberships(cast: Cast) -> None:
    cho = await in_database(new_tab)(cast.cho)
    await in_database(cho.load)("/")
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    await in_database(add_member)(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    await reconnect(cho)
    await assert_equals_fresh_load(cho)
    assert set(cho.placed) == {f"inbox-{cast.dispatch.pk}"}
    await cho.disconnect()


async def test_nothing_new_brings_nothing(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    page = await in_database(new_tab)(cast.ana)
    await in_database(page.load)(f"/threads/{thread.pk}/")
    await in_database(page.load)(f"/threads/{thread.pk}/")
    await reconnect(page)
    assert page.frames == []
    await page.disconnect()


STEP = st.tuples(st.sampled_from(["begin", "write", "commit", "rollback", "read"]),
                 st.integers(0, 2))  # fmt: skip


@BOUNDED
@given(steps=st.lists(STEP, min_size=4, max_size=24))
def test_a_reader_that_follows_the_counter_misses_nothing(
    transactional_db: None, steps: list[tuple[str, int]]
) -> None:
    """Write on three real connections in any order; a fourth follows `seq` and nothing else."""
    inbox_id, thread_id = make_empty_thread()
    transactions = [SteppedTransaction(inbox_id, thread_id) for _ in range(3)]
    seen: dict[int, int] = {}
    since = 0

    def read() -> int:
        changes = reading.read_changes(
            inbox_id,
            rows_since=since,
            messages_since=since,
            open_threads={thread_id},
            agent_ids=set(),
        )
        seen.update({message.pk: message.seq for message in changes.messages})
        committed = dict(Message.objects.values_list("pk", "seq"))
        assert {pk: seq for pk, seq in committed.items() if seq <= changes.upto} == seen
        return changes.upto

    try:
        for step, which in steps:
            if step == "read":
                since = read()
            else:
                transactions[which].take_step(step, transactions)
    finally:
        commit_all(transactions)
    since = read()
    assert seen == dict(Message.objects.values_list("pk", "seq"))
    assert since == reading.read_inbox_counters([inbox_id])[inbox_id]


def test_a_later_transaction_waits_for_the_earlier_one(cast: Cast) -> None:
    """Check the lock itself: two open transactions cannot commit out of order."""
    thread = cast.thread()
    one, two = (
        SteppedTransaction(cast.front_desk.pk, thread.pk),
        SteppedTransaction(cast.front_desk.pk, thread.pk),
    )
    try:
        one.take_step("begin", [one, two])
        two.take_step("begin", [one, two])
        one.take_step("write", [one, two])
        two.take_step("write", [one, two])
        assert two.is_waiting
        assert not one.is_waiting
        one.take_step("commit", [one, two])
        two.take_step("commit", [one, two])
    finally:
        commit_all([one, two])
    stamps = list(Message.objects.order_by("pk").values_list("seq", flat=True))
    assert stamps == [1, 2, 3]


async def test_an_agent_of_very_many_inboxes_gets_them_in_frames_of_a_bounded_size(
    cast: Cast,
) -> None:
    def let_in() -> None:
        for number in range(75):
            inbox = Inbox.objects.create(name=f"{number:02} {'ü' * 100}", last_excerpt="😀" * 150)
            add_member(inbox=inbox, agent=cast.cho, changed_by=None)

    page = await (await in_database(new_tab)(cast.cho)).open("/")
    await page.disconnect()
    await in_database(let_in)()
    sizes: list[int] = []
    await page.open()
    apply_frame = page.apply_frame

    def measure(frame: dict[str, Any]) -> None:
        sizes.append(len(encode_json(frame).encode()))
        apply_frame(frame)

    page.apply_frame = measure
    await page.receive_until_idle()
    assert len([key for key in page.placed if key.startswith("inbox-")]) == 76
    assert len(sizes) > 1
    assert max(sizes) <= FRAME_LIMIT
    await page.disconnect()


async def test_the_longest_draft_reaches_the_agents_other_tab(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    page = await (await in_database(new_tab)(cast.ana)).open(f"/threads/{thread.pk}/")
    body = "😀" * (DRAFT_LIMIT - 10)
    drafted = {"thread": thread, "agent": cast.ana, "body": body, "is_internal": False}
    await in_database(save_draft)(**drafted)
    while body not in (frame := await page.socket.receive_from(PATIENCE)):
        pass
    assert len(frame.encode()) <= FRAME_LIMIT
    await page.disconnect()


async def test_a_reconnect_brings_what_is_scheduled_and_what_is_leaving(cast: Cast) -> None:
    await in_database(Agent.objects.update)(undo_seconds=10)
    thread = await in_database(cast.thread)()
    gone = await in_database(schedule_in)(cast, thread)
    ben = await in_database(Agent.objects.get)(pk=cast.ben.pk)
    page = await in_database(new_tab(cast.ana, await in_database(_client)(cast)).load)(
        f"/threads/{thread.pk}/"
    )

    def hold(body: str) -> ScheduledText:
        held = write_or_hold(thread=thread, author=ben, body=body, form_key=uuid.uuid4())
        assert isinstance(held, ScheduledText)
        return held

    await in_database(delete_scheduled_text)(text=gone)
    kept = await in_database(schedule_in)(cast, thread, body="Still there")
    first = await in_database(hold)("On my way")
    await reconnect(page)
    await assert_equals_fresh_load(page)
    assert {f"later-{kept.pk}", f"leaving-{first.pk}"} <= page.placed.keys()
    assert f"later-{gone.pk}" not in page.placed
    await page.disconnect()
    await in_database(take_back)(text=first, agent=ben)
    second = await in_database(hold)("On my way now")
    await in_database(send_if_due)(text=await in_database(make_due)(second))
    await page.open()
    await page.receive_until_idle()
    await assert_equals_fresh_load(page)
    assert not any(key.startswith("leaving-") for key in page.placed)
    await page.disconnect()
