"""Changes of an inbox are read only for those who may see it."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Inbox
from messaging.live import reading
from messaging.live.pages import Target
from messaging.live.reading import read_changes, read_states
from messaging.live.rendering import Renderer
from messaging.stream.writing import change_message
from tests.cast import ANAS_LINE, DISPATCH, Cast
from threads.models import Thread, ThreadState


def agents_read_for(inbox: Inbox, cast: Cast) -> set[int]:
    """Return the agents for whom a change is read, if the whole cast shows the inbox."""
    everybody = {agent.pk for agent in (cast.ana, cast.ben, cast.cho, cast.dov, cast.admin)}
    changes = read_changes(
        inbox.pk,
        rows_since=0,
        messages_since=0,
        open_threads=(),
        agent_ids=everybody,
        counting_ids=everybody,
        notifications_since=0,
    )
    assert changes.threads
    assert {agent_id for agent_id, _ in changes.unread_threads} <= set(changes.agents)
    assert set(changes.notified) <= set(changes.agents)
    return set(changes.agents)


def test_a_shared_inbox_is_read_for_its_members_alone(cast: Cast) -> None:
    cast.thread(to=DISPATCH)
    assert agents_read_for(cast.dispatch, cast) == {cast.ana.pk, cast.ben.pk}


def test_a_personal_line_is_read_for_its_owner_alone(cast: Cast) -> None:
    Inbox.objects.create(name="Ben Okafor", owner=cast.ben)
    cast.thread(to=ANAS_LINE)
    assert agents_read_for(cast.anas_line, cast) == {cast.ana.pk}


def test_an_inactive_agent_is_not_read_for(cast: Cast) -> None:
    cast.thread(to=DISPATCH)
    cast.thread(to=ANAS_LINE)
    cast.ana.is_active = False
    cast.ana.save(update_fields=["is_active"])
    assert agents_read_for(cast.dispatch, cast) == {cast.ben.pk}
    assert agents_read_for(cast.anas_line, cast) == set()


def test_many_threads_that_change_at_once_are_all_read(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One counter stamps them all: a step that ended among them would skip the others."""
    monkeypatch.setattr(reading, "BATCH", 3)
    threads = [cast.thread(sender=f"+1202555{1000 + index}") for index in range(8)]
    Thread.objects.filter(pk__in=[thread.pk for thread in threads[1:]]).update(seq=50)
    cast.front_desk.seq = 51
    cast.front_desk.save(update_fields=["seq"])
    ThreadState.objects.bulk_create(
        ThreadState(agent=cast.ana, thread=thread, seq=60) for thread in threads
    )
    cast.ana.seq = 61
    found: set[int] = set()
    since = 0
    while since < 51:
        changes = read_changes(
            cast.front_desk.pk,
            rows_since=since,
            messages_since=None,
            open_threads=(),
            agent_ids={cast.ana.pk},
        )
        found |= {thread.pk for thread in changes.threads}
        assert changes.upto > since
        since = changes.upto
    assert found == {thread.pk for thread in threads}
    rows, states, upto = read_states(cast.ana, 0)
    assert {row.pk for row in rows} == states.keys() == found
    assert upto == 60


def test_views_are_counted_again_only_where_a_thread_has_changed(cast: Cast) -> None:
    thread = cast.thread()
    answer = cast.answer(thread, "On our way")

    def told(since: int) -> dict[str, Any]:
        """Return what a page of ana's gets of the counts."""
        changes = read_changes(
            cast.front_desk.pk,
            rows_since=since,
            messages_since=since,
            open_threads={thread.pk},
            agent_ids={cast.ana.pk},
            listing_ids={cast.ana.pk},
        )
        page = Target(Mock(), cast.ana.pk, cast.front_desk.pk, thread.pk, with_seqs=True)
        (frame,) = Renderer(changes).frames_for(page)
        counts: dict[str, Any] = json.loads(frame)["counts"]
        return counts

    before = Inbox.objects.get(pk=cast.front_desk.pk).seq
    with transaction.atomic():
        seq = counters.next_inbox_seq(cast.front_desk.pk)
        change_message(answer, seq, state="delivered")
    Inbox.objects.update(not_receiving_since=timezone.now())
    receipt = told(before)
    assert receipt.keys() == {"inbox", "seq", "lost"}
    cast.text_in("Thanks!")
    assert told(seq).items() >= {"reply": 1, "mine": 0, "failed": 0}.items()
