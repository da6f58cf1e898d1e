"""Agents read that an inbox is closed, until when, and what the contact was told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.conversations.closed_notes import read_closed_note
from messaging.models import DeliveryState, Message
from messaging.outbound.opt_outs import record_opt_out
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from threads.models import Thread

NINE_TO_FIVE = [[["09:00", "17:00"]]] * 5 + [[], []]
EVENING = datetime(2026, 11, 28, 0, 52, tzinfo=UTC)  # in New York 7:52 PM on a Friday
NOON = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> list[datetime]:
    """Make it evening, and give Front Desk hours; whatever the list holds is the present."""
    now = [EVENING]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    give_hours(cast.front_desk)
    Agent.objects.update(language="en-US", time_zone="America/New_York")
    return now


def give_hours(inbox: Inbox, **columns: Any) -> None:
    given = {
        "weekly_hours": NINE_TO_FIVE,
        "time_zone": "America/New_York",
        "answers_when_closed": True,
        "closed_text": "We <b>open</b> {opens}.",
        **columns,
    }
    Inbox.objects.filter(pk=inbox.pk).update(**given)
    inbox.refresh_from_db()


def composer(cast: Cast, thread: Thread, agent: Agent | None = None) -> str:
    return str(
        client_of(agent or cast.ana).get(f"/threads/{thread.pk}/composer/").content.decode()
    )


def words_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def test_the_composer_says_until_when_it_is_closed_and_what_the_contact_was_told(
    cast: Cast,
) -> None:
    thread = cast.text_in("Are you there?").thread
    page = composer(cast, thread)
    assert (
        "Front Desk is closed until Monday, 9:00 AM . This contact was told so today at 7:52 PM . "
        "We &lt;b&gt;open&lt;/b&gt; Monday at 9:00 AM."
    ) in words_of(page)
    assert 'aria-describedby="closed-note ' in page


def test_agents_read_it_in_their_own_zone_and_with_their_own_clock(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(language="de-DE", time_zone="Europe/Berlin")
    thread = cast.text_in("Are you there?").thread
    page = words_of(composer(cast, thread, cast.ben))
    assert "is closed until Monday, 15:00 . This contact was told so today at 01:52 ." in page


def test_who_was_not_told_has_the_first_sentence_alone(cast: Cast, now: list[datetime]) -> None:
    now[0] = NOON
    thread = cast.thread()
    assert "closed" not in words_of(composer(cast, thread))
    now[0] = EVENING
    page = words_of(composer(cast, thread))
    assert "Front Desk is closed until Monday, 9:00 AM ." in page
    assert "was told so" not in page
    # Neither has one whose answer did not arrive.
    cast.text_in("Hello?")
    assert "was told so" in composer(cast, thread)
    Message.objects.filter(is_automatic=True).update(state=DeliveryState.FAILED)
    assert "was told so" not in composer(cast, thread)


def test_what_was_told_in_an_earlier_night_does_not_count(cast: Cast, now: list[datetime]) -> None:
    thread = cast.text_in("Are you there?").thread
    now[0] = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    assert "was told so" not in composer(cast, thread)


def test_an_inbox_without_hours_says_nothing_and_asks_nothing(cast: Cast) -> None:
    give_hours(cast.front_desk, weekly_hours=[])
    thread = cast.thread()
    page = composer(cast, thread)
    assert "closed-note" not in page
    assert "data-hours" not in page
    with CaptureQueriesContext(connection) as queries:
        assert read_closed_note(cast.front_desk) is None
    assert len(queries) == 0


def test_where_no_text_can_be_sent_only_that_is_said(cast: Cast) -> None:
    thread = cast.text_in("Are you there?").thread
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER, by=cast.ana)
    assert "closed-note" not in composer(cast, thread)


def test_an_inbox_that_does_not_open_again_is_closed_without_a_time(cast: Cast) -> None:
    cast.front_desk.closed_days.model.objects.bulk_create(
        cast.front_desk.closed_days.model(inbox=cast.front_desk, date=day)
        for day in (EVENING.date().fromordinal(EVENING.toordinal() + n) for n in range(800))
    )
    thread = cast.text_in("Are you there?").thread
    page = words_of(composer(cast, thread))
    assert "Front Desk is closed. This contact was told so" in page
    assert "We &lt;b&gt;open&lt;/b&gt; later." in page


def test_a_personal_line_is_named_as_the_agents_own(cast: Cast) -> None:
    give_hours(cast.anas_line)
    thread = cast.thread(to="+12025550112")
    assert "Your line is closed until Monday, 9:00 AM" in words_of(composer(cast, thread))


def test_the_page_knows_when_to_ask_again(cast: Cast, now: list[datetime]) -> None:
    thread = cast.thread()
    assert 'data-until="2026-11-30T14:00:00+00:00"' in composer(cast, thread)
    now[0] = NOON
    assert 'data-until="2026-11-27T22:00:00+00:00"' in composer(cast, thread)


def test_start_says_so_for_the_chosen_inbox(cast: Cast, now: list[datetime]) -> None:
    client = client_of(cast.ana)
    page = client.get(f"/start/?inbox={cast.front_desk.pk}").content.decode()
    assert "Front Desk is closed until Monday, 9:00 AM" in words_of(page)
    about = client.get(f"/start/to/?inbox={cast.front_desk.pk}&to=").content.decode()
    assert "Front Desk is closed until Monday, 9:00 AM" in words_of(about)
    for path in (f"/start/to/?inbox={cast.dispatch.pk}", f"/start/?inbox={cast.dispatch.pk}"):
        assert "is closed" not in client.get(path).content.decode()
    now[0] = NOON
    open_page = client.get(f"/start/?inbox={cast.front_desk.pk}").content.decode()
    assert "is closed" not in open_page
    # Whoever may not see the inbox does not learn its hours.
    path = f"/start/to/?inbox={cast.front_desk.pk}"
    now[0] = EVENING
    assert "is closed" not in client_of(cast.dov).get(path).content.decode()
