"""Notifications reach open pages: each agent's own, and nobody else's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.models import Agent
from messaging.live import reading
from messaging.live.pages import Page, Target
from messaging.live.readers import (
    ListVariant,
    PageCounters,
    draw_changes,
    draw_missed,
    draw_personal,
    draw_recent_notifications,
)
from messaging.models import Notification
from messaging.stream.notifying import mark_notifications_read
from tests.cast import DISPATCH, Cast


async def _nothing(_: Any) -> None: ...


def page_of(agent: Agent) -> Page:
    return Page(
        agent_id=agent.pk,
        session_key="",
        session_hash="",
        send_frame=_nothing,
        close_socket=_nothing,
    )


def draw_frames(cast: Cast, since: int, *agents: Agent) -> list[dict[str, Any] | None]:
    """Return the frames for pages of the agents that show nothing of Front Desk."""
    targets = [
        Target.from_page(page_of(one), cast.front_desk.pk, with_seqs=True) for one in agents
    ]
    _, _, frames = draw_changes(cast.front_desk.pk, since, targets)
    return [json.loads("".join(one)) if one else None for one in frames]


def test_pages_that_show_nothing_of_the_inbox_are_notified_and_outsiders_are_not(
    cast: Cast,
) -> None:
    message = cast.text_in("Ring ring")
    ana, ben, dov = draw_frames(cast, message.seq - 1, cast.ana, cast.ben, cast.dov)
    notification = Notification.objects.get(agent=cast.ana)
    assert ana is not None
    assert ana.keys() == {"notices"}
    assert ana["notices"] == {
        "unread": 1,
        "new": [
            {
                "id": notification.pk,
                "thread": message.thread_id,
                "title": "(202) 555-0177 · Front Desk",
                "body": "Ring ring",
                "url": f"/threads/{message.thread_id}/?at={message.pk}#message-{message.pk}",
                "tag": f"message-{message.pk}",
                "reason": "inbound",
                "at": round(notification.created_at.timestamp() * 1000),
            }
        ],
    }
    assert ben is not None
    assert ben["notices"]["new"][0]["id"] != notification.pk
    assert dov is None
    assert draw_frames(cast, message.seq, cast.ana) == [None]


def test_the_author_of_a_message_gets_no_notification(cast: Cast) -> None:
    message = cast.note(cast.thread(), "Hey @ben")
    ana, ben = draw_frames(cast, message.seq - 1, cast.ana, cast.ben)
    assert ana is None
    assert ben is not None
    assert ben["notices"]["new"][0]["title"] == "Ana Ruiz mentioned you · (202) 555-0177"
    assert ben["notices"]["unread"] == 2


def test_one_read_serves_all_agents(cast: Cast) -> None:
    message = cast.text_in("Ring ring")
    counts = []
    for agents in ([cast.ana], [cast.ana, cast.ben, cast.cho]):
        with CaptureQueriesContext(connection) as queries:
            draw_frames(cast, message.seq - 1, *agents)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_reading_updates_all_tabs_of_the_agent(cast: Cast) -> None:
    cast.thread()
    thread = cast.thread(to=DISPATCH)
    mark_notifications_read(agent=cast.ana, thread=thread)
    standing = reading.read_agent_inboxes(cast.ana.pk)
    assert standing is not None
    views: set[ListVariant] = {("top", "", None, True), (None, "", None, True)}
    _, frames = draw_personal(standing, standing.agent.seq - 1, views)
    for (frame,) in frames.values():
        assert json.loads(frame)["notices"] == {"unread": 1, "new": []}


def test_a_page_that_was_away_gets_the_count_and_only_recent_popups(cast: Cast) -> None:
    cast.text_in("Old")
    Notification.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    fresh = cast.text_in("New")
    (frame,) = draw_recent_notifications(cast.ana.pk)
    notices = json.loads(frame)["notices"]
    assert notices["unread"] == 2
    assert [one["body"] for one in notices["new"]] == [fresh.body]


def test_catching_up_with_an_inbox_replays_no_popups(cast: Cast) -> None:
    message = cast.text_in("Old")
    page = page_of(cast.ana)
    page.view = page.view.__class__(list=cast.front_desk.pk)
    target = Target.from_page(page, cast.front_desk.pk, with_seqs=True)
    (frame,), further = draw_missed(
        cast.front_desk.pk, target, PageCounters(message.seq - 1, None)
    )
    assert further is None
    assert "notices" not in json.loads(frame)
