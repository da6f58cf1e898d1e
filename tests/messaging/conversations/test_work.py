"""The buttons of a team's work: what they do, refuse and answer."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.conversations.work_forms import preset_moment
from messaging.models import Message
from tests.cast import Cast, client_of
from tests.markup import read_words
from threads.assignment import STRANGER
from threads.models import Activity, Thread

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
DONE = {"done": "1"}


def post(agent: Agent, thread: Thread, deed: str, form: dict[str, Any], **headers: str) -> Any:
    return client_of(agent).post(f"/threads/{thread.pk}/{deed}/", form, headers=headers)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_each_button_does_its_deed(cast: Cast, headers: dict[str, str]) -> None:
    thread = cast.thread()
    newest = Message.objects.get().pk
    steps: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        ("assign", {"assignee": str(cast.ben.pk)}, {"assignee": cast.ben}),
        ("assign", {"assignee": "me"}, {"assignee": cast.ana}),
        ("assign", {"assignee": ""}, {"assignee": None}),
        ("done", {"message": str(newest)}, {"status": "done"}),
        ("reopen", {}, {"status": "open"}),
        ("snooze", {"when": "tomorrow"}, {"status": "snoozed", "snoozed_by": cast.ana}),
        ("reopen", {}, {"status": "open", "snoozed_by": None}),
    ]
    for deed, form, columns in steps:
        answer = post(cast.ana, thread, deed, form, **headers)
        assert answer.status_code == (200 if headers else 302), deed
        if not headers:
            assert answer["Location"] == f"/threads/{thread.pk}/"
        assert Thread.objects.filter(pk=thread.pk, **columns).exists(), (deed, form)


def test_nobody_is_given_a_thread_that_they_cannot_see(cast: Cast) -> None:
    thread = cast.thread()
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    for agent, sentence in (
        (cast.cho, "Cho Park is no longer in this inbox."),
        (cast.dov, STRANGER),
    ):
        answer = post(cast.ana, thread, "assign", {"assignee": agent.pk}, **HTMX)
        assert (answer.status_code, answer.content.decode()) == (422, sentence)
    answer = post(cast.ana, thread, "assign", {"assignee": 2**40}, **HTMX)
    assert (answer.status_code, answer.content.decode()) == (422, STRANGER)
    assert post(cast.ana, thread, "assign", {"assignee": "Ben"}, **HTMX).status_code == 404
    client = client_of(cast.ana)
    form = {"assignee": cast.cho.pk}
    page = client.post(f"/threads/{thread.pk}/assign/", form, follow=True)
    assert "Cho Park is no longer in this inbox." in read_words(page)
    assert Thread.objects.get().assignee is None


@pytest.mark.parametrize("deed", ["done", "snooze"])
def test_a_text_that_the_page_has_not_shown_keeps_the_conversation_open(
    cast: Cast, deed: str
) -> None:
    thread = cast.thread()
    shown = Message.objects.get().pk
    cast.text_in("Wait!")
    form = {"message": shown, "when": "tomorrow"}
    answer = post(cast.ana, thread, deed, form, **HTMX)
    assert answer.status_code == 422
    assert "stays open" in answer.content.decode()
    assert Thread.objects.get().status == "open"
    assert not Activity.objects.exists()


@pytest.mark.parametrize("form", [{}, {"message": "0"}, {"message": "x"}])
def test_done_without_a_message_is_a_404(cast: Cast, form: dict[str, str]) -> None:
    assert post(cast.ana, cast.thread(), "done", form).status_code == 404


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose a date and time."),
        ({"when": "never"}, "Choose a date and time."),
        ({"when": "date"}, "Choose a date and time."),
        ({"when": "date", "date": "2030-05-01"}, "Choose a date and time."),
        ({"when": "date", "time": "08:00"}, "Choose a date and time."),
        ({"when": "date", "date": "2030-02-30", "time": "08:00"}, "Enter a valid date and time."),
        ({"when": "date", "date": "2030-05-01", "time": "25:00"}, "Enter a valid date and time."),
        ({"when": "date", "date": "9999-12-31", "time": "23:59"}, "Enter a valid date and time."),
        (
            {"when": "date", "date": "9998-12-31", "time": "23:59"},
            "That's too far ahead. Choose a time within a year.",
        ),
        (
            {"when": "date", "date": "2020-05-01", "time": "08:00"},
            "That time has passed. Choose a later one.",
        ),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_a_sentence(
    cast: Cast, form: dict[str, str], sentence: str
) -> None:
    thread = cast.thread()
    answer = post(cast.ana, thread, "snooze", form, **HTMX)
    assert (answer.status_code, answer.content.decode()) == (422, sentence)
    assert Thread.objects.get().status == "open"


def test_a_date_is_read_by_the_clocks_of_whoever_snoozes(cast: Cast) -> None:
    thread = cast.thread()
    Agent.objects.filter(pk=cast.ana.pk).update(time_zone="Asia/Tokyo")
    day = (timezone.now() + timedelta(days=40)).date()
    form = {"when": "date", "date": f"{day}", "time": "08:30"}
    post(cast.ana, thread, "snooze", form)
    until = Thread.objects.get().snoozed_until
    assert until == datetime(day.year, day.month, day.day, 8, 30, tzinfo=ZoneInfo("Asia/Tokyo"))


def test_the_clock_of_the_browser_counts_more_than_that_of_another_device(cast: Cast) -> None:
    thread = cast.thread()
    Agent.objects.filter(pk=cast.ana.pk).update(time_zone="Asia/Tokyo")
    for zone, used in (("Asia/Kolkata", "Asia/Kolkata"), ("Mars/Olympus", "Asia/Tokyo")):
        post(cast.ana, thread, "snooze", {"when": "tomorrow"}, **{"Time-Zone": zone})
        until = Thread.objects.get().snoozed_until
        assert until is not None
        assert until.astimezone(ZoneInfo(used)).hour == 8


BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("when", "now", "until"),
    [
        ("later", "2026-05-06 09:10", "2026-05-06 12:00"),
        ("later", "2026-05-06 09:40", "2026-05-06 13:00"),
        ("later", "2026-05-06 19:20", "2026-05-06 22:00"),
        ("later", "2026-05-06 19:30", "2026-05-07 08:00"),
        ("later", "2026-05-06 23:50", "2026-05-07 08:00"),
        ("tomorrow", "2026-05-06 00:05", "2026-05-07 08:00"),
        ("monday", "2026-05-06 09:00", "2026-05-11 08:00"),
        ("monday", "2026-05-10 23:59", "2026-05-11 08:00"),
        ("monday", "2026-05-11 07:00", "2026-05-18 08:00"),
        # Over the changes of the clocks, on 29 March and 25 October
        ("tomorrow", "2026-03-28 12:00", "2026-03-29 08:00"),
        ("tomorrow", "2026-10-24 12:00", "2026-10-25 08:00"),
        ("later", "2026-03-29 01:00", "2026-03-29 05:00"),
        ("later", "2026-10-25 01:00", "2026-10-25 03:00"),
    ],
)
def test_the_presets_follow_the_clock_on_the_wall(when: str, now: str, until: str) -> None:
    moment = preset_moment(when, BERLIN, datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert f"{moment.astimezone(BERLIN):%Y-%m-%d %H:%M}" == until


def test_a_zone_that_is_half_an_hour_off_has_full_hours_too() -> None:
    now = datetime(2026, 5, 6, 9, 10, tzinfo=KOLKATA)
    assert preset_moment("later", KOLKATA, now) == datetime(2026, 5, 6, 12, tzinfo=KOLKATA)


def send(agent: Agent, thread: Thread, headers: dict[str, str] | None = None, **form: Any) -> Any:
    form = {"body": "All done", "form_key": str(uuid.uuid4()), **form}
    return client_of(agent).post(f"/threads/{thread.pk}/messages/", form, headers=headers or {})


def test_send_and_mark_done_does_both_at_once(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.get().pk
    assert send(cast.ana, thread, seen=shown, done="1").status_code == 302
    thread.refresh_from_db()
    text = Message.objects.latest("pk")
    assert (text.kind, thread.status) == ("outbound", "done")
    line = Activity.objects.get()
    assert (line.kind, line.actor, line.after_id, line.seq) == (
        "done", cast.ana, text.pk, text.seq,
    )  # fmt: skip


def test_an_internal_message_can_be_the_last_word_too(cast: Cast) -> None:
    thread = cast.thread()
    send(cast.ana, thread, is_internal="true", done="1")
    assert Message.objects.latest("pk").kind == "internal"
    assert Thread.objects.get().status == "done"


def test_a_refused_text_marks_nothing_as_done(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("STOP")
    assert send(cast.ana, thread, HTMX, done="1").status_code == 422
    assert send(cast.ana, thread, HTMX, body=" ", done="1").status_code == 422
    assert Thread.objects.get().status == "open"


def test_the_send_guard_keeps_what_was_pressed(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.get().pk
    newer = cast.text_in("Wait!")
    guard = send(cast.ana, thread, HTMX, seen=shown, done="1")
    assert guard.status_code == 409
    page = guard.content.decode()
    assert f'name="shown" form="composer" value="{newer.pk}"' in page
    assert 'name="done" form="composer" value="1"' in page
    assert Thread.objects.get().status == "open"
    without_scripts = send(cast.ana, thread, seen=shown, done="1").content.decode()
    assert 'name="done" form="composer" value="1"' in without_scripts
    assert 'name="done" form=' not in send(cast.ana, thread, seen=shown).content.decode()
    form = {"seen": shown, "shown": newer.pk, "anyway": "true", "done": "1"}
    assert send(cast.ana, thread, HTMX, **form).status_code == 200
    assert Thread.objects.get().status == "done"


def test_what_came_in_behind_the_guard_keeps_it_open_and_says_so(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.get().pk
    cast.text_in("Wait!")
    answer = send(cast.ana, thread, HTMX, seen=shown, anyway="true", done="1")
    assert "Sent. A new text just arrived" in read_words(answer)
    form = {
        "body": "Now",
        "form_key": str(uuid.uuid4()),
        "seen": shown,
        "anyway": "1",
        "done": "1",
    }
    page = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", form, follow=True)
    assert "Sent. A new text just arrived" in read_words(page)
    assert Message.objects.filter(kind="outbound").count() == 2
    assert Thread.objects.get().status == "open"


def test_the_same_form_again_does_not_mark_it_done_again(cast: Cast) -> None:
    thread, key = cast.thread(), str(uuid.uuid4())
    send(cast.ana, thread, form_key=key, done="1")
    cast.text_in("Thanks")
    send(cast.ana, thread, form_key=key, done="1")
    assert Message.objects.filter(kind="outbound").count() == 1
    assert Thread.objects.get().status == "open"
