"""Schedule texts with the composer, and change, send and delete them on their page."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.conversations.schedule_forms import ChangeScheduledForm, local_to_utc, preset_moment
from messaging.live.pages import Page, Target
from messaging.live.readers import draw_changes
from messaging.models import Message, ScheduledText
from messaging.outbound.scheduling import delete_scheduled_text, send_if_due
from tests.cast import Cast, client_of
from tests.markup import read_words
from tests.messaging.scheduled_texts import make_due, schedule_in


def test_members_open_pages_follow_and_those_of_others_do_not(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    since = text.seq - 1

    def drawn_frames() -> list[str]:
        targets = [
            Target(
                page=Page(agent.pk, "", "", None, None),  # type: ignore[arg-type]
                agent_id=agent.pk,
                list=None,
                thread=text.thread_id,
                with_seqs=True,
            )
            for agent in (cast.ben, cast.dov)
        ]
        return ["".join(drawn) for drawn in draw_changes(text.inbox_id, since, targets)[2]]

    members, strangers = drawn_frames()
    assert f'id=\\"later-{text.pk}\\"' in members
    assert "Your car is ready" in members
    assert strangers == ""
    delete_scheduled_text(text=text)
    members, _ = drawn_frames()
    assert "data-gone" in members
    assert "Your car is ready" not in members


def draw_thread(cast: Cast, text: ScheduledText, since: int) -> str:
    """Return the frames for ben's page of the thread, since a counter of the inbox."""
    target = Target(
        page=Page(cast.ben.pk, "", "", None, None),  # type: ignore[arg-type]
        agent_id=cast.ben.pk,
        list=None,
        thread=text.thread_id,
        with_seqs=True,
    )
    return "".join(draw_changes(text.inbox_id, since, [target])[2][0])


def read_version(text: ScheduledText) -> list[int]:
    shown = ScheduledText.objects.for_strip().get(pk=text.pk)
    return [int(part) for part in shown.version.split("-")]


def test_a_scheduled_text_says_at_once_that_it_will_be_held(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    before = read_version(text)
    seq = cast.text_in("Never mind, I am there already").seq
    members = draw_thread(cast, text, seq - 1)
    assert f'id=\\"later-{text.pk}\\"' in members
    assert "The customer replied first." in members
    assert read_version(text) > before
    page = client_of(cast.ana).get(f"/threads/{text.thread_id}/").content.decode()
    assert "Won't be sent at that time" in page
    assert not send_if_due(text=make_due(text))


def test_a_colleague_who_answered_first_is_named(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    answer = cast.answer(text.thread, "It is ready", author=cast.ben)
    assert "Ben Okafor replied first." in draw_thread(cast, text, answer.seq - 1)


@pytest.mark.parametrize("what", ["note", "own", "regardless"])
def test_what_will_not_hold_a_scheduled_text_says_nothing(cast: Cast, what: str) -> None:
    text = schedule_in(cast, cast.thread(), is_regardless=what == "regardless")
    if what == "note":
        message = cast.note(text.thread, "They called", author=cast.ben)
    elif what == "own":
        message = cast.answer(text.thread, "Soon", author=cast.ana)
    else:
        message = cast.text_in("When?")
    assert "replied first" not in draw_thread(cast, text, message.seq - 1)
    assert send_if_due(text=make_due(text))


def form_fields(**given: str) -> dict[str, str]:
    return {
        "body": "Your car is ready",
        "form_key": str(uuid.uuid4()),
        "is_internal": "false",
    } | given


def test_the_composer_schedules_in_the_agents_own_time_zone(cast: Cast) -> None:
    thread = cast.thread()
    hour = (timezone.now() + timedelta(days=3)).replace(hour=9, minute=30, second=0, microsecond=0)
    given = form_fields(later="at", at=f"{hour:%Y-%m-%dT%H:%M}", zone="Asia/Tokyo")
    answer = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", given)
    assert answer.status_code == 302
    text = ScheduledText.objects.get()
    assert text.send_at == hour.replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    page = client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode()
    assert f'id="later-{text.pk}"' in page


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"later": "at"}, "Choose a date and time."),
        ({"later": "at", "at": "2020-01-01T10:00"}, "That time has passed"),
        (
            {"later": "at", "at": "9999-12-31T23:59", "zone": "America/New_York"},
            "Enter a valid date and time",
        ),
        (
            {"later": "at", "at": "0001-01-01T00:00", "zone": "Europe/Berlin"},
            "Enter a valid date and time",
        ),
        ({"later": "at", "at": "2199-01-01T10:00"}, "within a year"),
        ({"later": "at", "at": "tomorrow"}, "Enter a valid date and time."),
        ({"later": "never"}, "Choose a time."),
        ({"later": "hour", "body": "  "}, "Write something first."),
        ({"later": "hour", "body": "\u2060\u3164"}, "Write something first."),
        ({"later": "hour", "is_internal": "true"}, "Internal messages can't be scheduled"),
        ({"later": "hour", "attachment": "7"}, "One of the files is gone"),
    ],
)
def test_an_invalid_schedule_is_refused_and_nothing_is_sent_instead(
    cast: Cast, given: dict[str, str], sentence: str
) -> None:
    thread = cast.thread()
    answer = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", form_fields(**given))
    assert answer.status_code == 422
    assert sentence in read_words(answer)
    assert not ScheduledText.objects.exists()
    assert not Message.objects.exclude(kind="inbound").exists()


@pytest.mark.parametrize(
    ("now", "preset", "expected"),
    [
        ("2026-11-22T15:00Z", "hour", "2026-11-22T16:00Z"),
        ("2026-11-22T15:00Z", "tomorrow", "2026-11-23T08:00Z"),
        ("2026-11-22T23:30Z", "tomorrow", "2026-11-24T08:00Z"),
        ("2026-11-22T15:00Z", "monday", "2026-11-23T08:00Z"),
        ("2026-11-23T15:00Z", "monday", "2026-11-30T08:00Z"),
        ("2026-10-24T15:00Z", "tomorrow", "2026-10-25T08:00Z"),
    ],
)
def test_presets_are_times_of_the_agents_day(
    monkeypatch: pytest.MonkeyPatch, now: str, preset: str, expected: str
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(now))
    assert preset_moment(preset, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [("2026-10-25T02:30", "2026-10-25T00:30Z"), ("2026-03-29T02:30", "2026-03-29T01:30Z")],
)
def test_times_that_the_clocks_repeat_or_skip_are_still_one_moment(
    hour: str, expected: str
) -> None:
    moment = local_to_utc(datetime.fromisoformat(hour), ZoneInfo("Europe/Berlin"))
    assert moment == datetime.fromisoformat(expected)


def test_a_time_that_is_left_unchanged_does_not_move() -> None:
    """Not even in the night in which the clock shows it twice; here the second one is meant."""
    year = timezone.now().year
    nights = [
        datetime(y, 10, day, 1, 30, 20, tzinfo=UTC)
        for y in (year, year + 1)
        for day in range(25, 32)
    ]
    planned = next(at for at in nights if at.weekday() == 6 and at > timezone.now())
    given = {"body": "Later", "known": "1", "zone": "Europe/Berlin"}
    for at, expected in [
        (f"{planned:%Y-%m-%d}T02:30", planned),
        (f"{planned:%Y-%m-%d}T02:31", planned.replace(hour=0, minute=31, second=0)),
    ]:
        form = ChangeScheduledForm(given | {"at": at}, scheduled_for=planned)
        assert form.is_valid(), form.errors
        assert form.cleaned_data["send_at"] == expected


def test_members_change_send_and_delete_it_on_its_page(cast: Cast) -> None:
    thread = cast.thread()
    first, second = schedule_in(cast, thread), schedule_in(cast, thread)
    ben = client_of(cast.ben)
    page = ben.get(f"/later/{first.pk}/").content.decode()
    assert "Your car is ready" in page
    hour = f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    given = {"body": "It is ready", "at": hour, "known": str(first.seq)}
    assert ben.post(f"/later/{first.pk}/", given).status_code == 302
    stale = ben.post(f"/later/{first.pk}/", given | {"body": "Mine"})
    assert stale.status_code == 422
    assert "A colleague changed this while you were editing." in read_words(stale)
    assert ben.post(f"/later/{first.pk}/", given | {"at": ""}).status_code == 422
    now = {"body": "It is ready now", "known": str(first.seq)}
    assert ben.post(f"/later/{first.pk}/send/", now).status_code == 422
    first.refresh_from_db()
    now["known"] = str(first.seq)
    assert ben.post(f"/later/{first.pk}/send/", now).status_code == 302
    assert Message.objects.get(kind="outbound").body == "It is ready now"
    assert ben.post(f"/later/{second.pk}/delete/").status_code == 302
    for path in ("", "send/", "delete/"):
        again = ben.post(f"/later/{second.pk}/{path}", given)
        assert again.status_code == 302
    assert Message.objects.filter(kind="outbound").count() == 1
