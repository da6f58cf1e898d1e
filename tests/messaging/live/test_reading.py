"""Changes of an inbox are read only for those who may see it."""

from __future__ import annotations

from inboxes.models import Inbox
from messaging.live.reading import read_changes
from tests.cast import ANAS_LINE, DISPATCH, Cast


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
