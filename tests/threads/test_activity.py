"""The lines of a conversation's activity: where they stand, what they say, and to whom."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from inboxes.counters import next_inbox_seq
from inboxes.models import Agent
from tests.cast import Cast, client_of
from threads import activity
from threads.activity_lines import draw_line
from threads.models import Activity, Thread

Kind = Activity.Kind


def record(thread: Thread, kind: Kind, actor: Agent | None = None, **details: Any) -> Activity:
    """Record one line as an action does, under the inbox's counter."""
    with transaction.atomic():
        (line,) = activity.record(
            thread_ids=[thread.pk],
            inbox_id=thread.inbox_id,
            actor=actor,
            kind=kind,
            details=details,
            seq=next_inbox_seq(thread.inbox_id),
        )
    return line


def read_line(line: Activity, viewer: Agent) -> str:
    agents = Agent.objects.in_bulk()
    return re.sub(r"<[^>]+>", "", draw_line(line, agents, viewer.pk).html)


@pytest.mark.django_db
def test_a_line_stands_behind_the_newest_message_of_its_thread(cast: Cast) -> None:
    thread = cast.thread()
    assert record(thread, Kind.DONE, cast.ana).after_id == thread.messages.latest("pk").pk
    answer = cast.answer(thread, "Yes, until six.")
    assert record(thread, Kind.REOPENED, cast.ana).after_id == answer.pk


@pytest.mark.django_db
def test_lines_say_in_plain_english_who_did_what(cast: Cast) -> None:
    thread = cast.thread()
    ben = activity.about_agent(cast.ben)
    label = {"label": 1, "name": "Invoice"}
    until = datetime(2031, 11, 24, 8, 0, tzinfo=UTC).isoformat()
    with timezone.override(UTC):
        said = [
            read_line(record(thread, kind, actor, **details), cast.cho)
            for kind, actor, details in [
                (Kind.ASSIGNED, cast.ana, ben),
                (Kind.ASSIGNED, cast.ben, ben),
                (Kind.ASSIGNED, cast.ben, ben | {"is_first_answer": True}),
                (Kind.UNASSIGNED, cast.ana, ben),
                (Kind.UNASSIGNED, cast.ben, ben),
                (Kind.UNASSIGNED, None, ben | {"has_left": True}),
                (Kind.DONE, cast.ben, {}),
                (Kind.REOPENED, cast.ben, {}),
                (Kind.REOPENED, None, {}),
                (Kind.SNOOZED, cast.cho, {"until": until}),
                (Kind.UNSNOOZED, None, {}),
                (Kind.UNSNOOZED, None, {"is_by_text": True}),
                (Kind.UNSNOOZED, cast.ana, {}),
                (Kind.LABELLED, cast.ana, label),
                (Kind.UNLABELLED, cast.ana, label),
                (Kind.PRIORITY, cast.ana, {"priority": "high"}),
                (Kind.PRIORITY, cast.ana, {"priority": ""}),
                (Kind.WAITING, None, {"minutes": 30}),
                (Kind.WAITING, None, {"minutes": 120}),
            ]
        ]
    assert said == [
        "Ana assigned this to Ben",
        "Ben took this conversation",
        "Ben answered first and took this conversation",
        "Ana unassigned Ben",
        "Ben unassigned this",
        "Unassigned because Ben left this inbox",
        "Ben marked this as done",
        "Ben reopened this",
        "Reopened by a new text",
        "You snoozed this until Mon, Nov 24, 2031, 8:00 AM",
        "Snooze ended",
        "Snooze ended by a new text",
        "Ana ended the snooze",
        "Ana added the label Invoice",
        "Ana removed the label Invoice",
        "Ana set the priority to High",
        "Ana removed the priority",
        "Waiting for a reply for 30 minutes",
        "Waiting for a reply for 2 hours",
    ]


@pytest.mark.django_db
def test_whoever_reads_a_line_about_themselves_reads_you(cast: Cast) -> None:
    line = record(cast.thread(), Kind.ASSIGNED, cast.ana, **activity.about_agent(cast.ben))
    assert read_line(line, cast.ana) == "You assigned this to Ben"
    assert read_line(line, cast.ben) == "Ana assigned this to you"


@pytest.mark.django_db
def test_a_line_names_people_as_they_are_called_today(cast: Cast) -> None:
    line = record(cast.thread(), Kind.ASSIGNED, cast.ana, **activity.about_agent(cast.ben))
    Agent.objects.filter(pk=cast.ben.pk).update(display_name="Benjamin Okafor")
    assert read_line(line, cast.ana) == "You assigned this to Benjamin"


@pytest.mark.django_db
def test_a_priority_is_a_line_and_the_same_again_is_none(cast: Cast) -> None:
    thread = cast.thread()
    for _ in range(2):
        client_of(cast.ana).post(f"/threads/{thread.pk}/priority/", {"priority": "high"})
    (line,) = Activity.objects.all()
    assert read_line(line, cast.ben) == "Ana set the priority to High"
    assert line.seq == Thread.objects.get(pk=thread.pk).seq
