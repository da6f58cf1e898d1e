"""Schedule texts: who may schedule which, when they are sent, and what holds them."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging import tasks
from messaging.conversations.drafts import FormWasSent, keep_draft
from messaging.conversations.schedule_forms import ChangeForm, at_preset, in_zone
from messaging.live.pages import Page, Target
from messaging.live.readers import draw_changes
from messaging.models import Message, Notification, Number, OptOut, ScheduledText
from messaging.outbound import opt_outs
from messaging.outbound.scheduling import (
    AlreadyEnded,
    ChangedMeanwhile,
    change_scheduled_text,
    delete_ended_texts,
    delete_scheduled_text,
    schedule_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import FormAlreadyUsed, SendingRefused, write_message
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from threads.models import Thread, ThreadState

HOUR = timedelta(hours=1)


def schedule_in(cast: Cast, thread: Thread, **details: Any) -> ScheduledText:
    given: dict[str, Any] = {
        "author": cast.ana,
        "body": "Your car is ready",
        "send_at": timezone.now() + HOUR,
        "form_key": uuid.uuid4(),
    }
    return schedule_text(thread=thread, **(given | details))


def make_due(text: ScheduledText, ago: timedelta = timedelta(seconds=1)) -> ScheduledText:
    ScheduledText.objects.filter(pk=text.pk).update(send_at=timezone.now() - ago)
    return text


def send_due(text: ScheduledText) -> ScheduledText:
    """Send the text as the worker does, if it is due."""
    send_if_due(text=text)
    text.refresh_from_db()
    return text


def held_reason(text: ScheduledText) -> str:
    """Check that the text is held and unsent; return the reason."""
    assert text.state == "held"
    assert not Message.objects.filter(kind="outbound").exists()
    assert text.body == "Your car is ready", "nothing is lost"
    return text.reason


def automatic_notifications(agent: Agent) -> list[str]:
    rows = Notification.objects.filter(agent=agent, message__is_automatic=True)
    return [row.message.body for row in rows.select_related("message")]


def test_a_scheduled_text_is_no_message_before_it_is_due(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    assert send_due(text).state == "waiting"
    assert not Message.objects.filter(kind="outbound").exists()


def test_a_due_text_becomes_its_authors_message_once(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread()))
    for _ in range(3):
        send_due(text)
    [message] = Message.objects.filter(kind="outbound")
    assert (message.body, message.author, message.state) == (
        "Your car is ready",
        cast.ana,
        "queued",
    )
    assert (text.state, text.message, text.body) == ("sent", message, "")
    assert set(Notification.objects.filter(message=message).values_list("agent", flat=True)) == {
        cast.ben.pk,
        cast.cho.pk,
    }


def test_the_periodic_task_finds_due_texts_and_leaves_the_rest(cast: Cast) -> None:
    thread = cast.thread()
    due, later = make_due(schedule_in(cast, thread)), schedule_in(cast, thread)
    for _ in range(2):
        tasks.look_for_due_texts.func(timestamp=0)
    [job] = jobs_of("send_text_when_due")
    assert job.args == {"text_id": due.pk}
    tasks.send_text_when_due.func(**job.args)
    assert set(ScheduledText.objects.values_list("pk", "state")) == {
        (due.pk, "sent"),
        (later.pk, "waiting"),
    }


def jobs_of(name: str) -> list[Any]:
    return list(ProcrastinateJob.objects.filter(task_name=name))


def test_the_same_form_schedules_one_text(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    assert schedule_in(cast, thread, form_key=key) == schedule_in(cast, thread, form_key=key)
    assert ScheduledText.objects.count() == 1


def test_one_form_does_not_both_send_and_schedule_a_text(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    given: dict[str, Any] = {"thread": thread, "author": cast.ana, "body": "Your car is ready"}
    text = schedule_in(cast, thread, form_key=key)
    with pytest.raises(FormAlreadyUsed, match="planned for later already"):
        write_message(form_key=key, **given)
    delete_scheduled_text(text=text)
    write_message(form_key=key, **given)
    sent = uuid.uuid4()
    write_message(form_key=sent, **given)
    with pytest.raises(FormAlreadyUsed, match="sent already"):
        schedule_in(cast, thread, form_key=sent)


def test_an_agent_who_is_told_so_may_send_it_once_more(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    schedule_in(cast, thread, form_key=key)
    page = client_of(cast.ana)
    url, form = f"/threads/{thread.pk}/messages/", {"body": "Your car is ready", "form_key": key}
    answer = page.post(url, form)
    assert answer.status_code == 422
    assert "planned for later already" in answer.text
    [again] = re.findall(r'name="form_key" value="([^"]+)"', answer.text)
    assert again != str(key)
    assert page.post(url, form | {"form_key": again}).status_code == 302
    assert Message.objects.filter(kind="outbound").count() == 1


def test_scheduling_empties_the_draft_and_a_late_save_does_not_restore_it(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    draft: dict[str, Any] = {"thread": thread, "agent": cast.ana, "is_internal": False}
    keep_draft(body="Your car", form_key=key, **draft)
    schedule_in(cast, thread, form_key=key)
    assert ThreadState.objects.get(agent=cast.ana, thread=thread).draft_body == ""
    with pytest.raises(FormWasSent):
        keep_draft(body="Your car is ready", form_key=key, **draft)


def test_a_text_that_may_not_be_sent_may_not_be_scheduled(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("STOP")
    with pytest.raises(SendingRefused, match="opted out"):
        schedule_in(cast, thread)


def test_a_text_that_mentions_a_colleague_cannot_be_scheduled(cast: Cast) -> None:
    with pytest.raises(SendingRefused, match="would be internal"):
        schedule_in(cast, cast.thread(), body="Ask @ben")
    assert not ScheduledText.objects.exists()


def test_it_is_not_sent_to_a_contact_who_opted_out_meanwhile(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread(), is_regardless=True))
    opt_outs.record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    assert "opted out of texts" in held_reason(send_due(text))
    [words] = automatic_notifications(cast.ana)
    assert words.startswith("@ana A text that was to go now was not sent.")
    assert "opted out of texts" in words
    assert Notification.objects.get(agent=cast.ana, message__is_automatic=True).reason == "mention"


def test_it_is_not_sent_from_a_number_that_moved_to_another_inbox(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread(), is_regardless=True))
    other = Inbox.objects.create(name="Elsewhere")
    Number.objects.filter(address=FRONT_DESK).update(inbox=other)
    assert "no longer belongs to this inbox" in held_reason(send_due(text))


def test_it_is_not_sent_if_the_contact_wrote_meanwhile(cast: Cast) -> None:
    thread = cast.thread()
    text, regardless = schedule_in(cast, thread), schedule_in(cast, thread, is_regardless=True)
    cast.text_in("I have sold the car")
    assert "wrote in this conversation after it was planned" in held_reason(
        send_due(make_due(text))
    )
    assert send_due(make_due(regardless)).state == "sent"


def test_internal_messages_do_not_hold_it(cast: Cast) -> None:
    thread = cast.thread()
    text = make_due(schedule_in(cast, thread))
    write_message(
        thread=thread, author=cast.ben, body="Nice", form_key=uuid.uuid4(), is_internal=True
    )
    assert send_due(text).state == "sent"


def test_it_is_not_sent_for_an_author_who_is_no_member_any_more(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread()))
    remove_member(inbox=cast.front_desk, agent=cast.ana, changed_by=cast.admin)
    assert (
        held_reason(send_due(text))
        == "Ana Ruiz planned it, and is no longer a member of this inbox."
    )
    assert automatic_notifications(cast.ana) == []
    [words] = automatic_notifications(cast.ben)
    assert "Ana Ruiz planned it" in words
    assert "@" not in words
    page = client_of(cast.ben).get(f"/threads/{text.thread_id}/").content.decode()
    assert "Ana Ruiz planned it" in page


def test_after_a_long_outage_it_is_held_and_after_a_short_one_it_is_sent_late(
    cast: Cast, settings: Settings
) -> None:
    settings.TEXT_EXPIRY_HOURS = 2
    thread = cast.thread()
    long, short = schedule_in(cast, thread), schedule_in(cast, thread)
    assert "was not running at its time" in held_reason(send_due(make_due(long, 2.1 * HOUR)))
    assert send_due(make_due(short, 1.9 * HOUR)).state == "sent"


def test_a_handle_that_became_a_members_is_not_sent_to_the_customer(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread(), body="Write to @zoe")
    cast.dov.username = "zoe"
    cast.dov.save()
    add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    assert "would be internal" in send_due(make_due(text)).reason
    assert not Message.objects.filter(kind="outbound").exists()


def test_on_a_personal_line_its_owner_is_told_that_it_was_held(cast: Cast) -> None:
    thread = cast.thread(to=cast.anas_line.number.address)
    text = make_due(schedule_in(cast, thread))
    cast.text_in("Too late", to=cast.anas_line.number.address)
    held_reason(send_due(text))
    assert len(automatic_notifications(cast.ana)) == 1


def test_a_held_text_that_is_sent_by_hand_has_that_agent_as_its_author(cast: Cast) -> None:
    thread = cast.thread()
    text = make_due(schedule_in(cast, thread))
    cast.text_in("Wait")
    send_due(text)
    message = send_scheduled_text_now(text=text, agent=cast.ben)
    assert (message.author, message.body) == (cast.ben, "Your car is ready")
    with pytest.raises(AlreadyEnded):
        send_scheduled_text_now(text=text, agent=cast.ben)
    with pytest.raises(AlreadyEnded):
        delete_scheduled_text(text=text)
    assert Message.objects.filter(kind="outbound").count() == 1


def test_it_is_not_sent_by_hand_either_to_a_contact_who_opted_out(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    opt_outs.record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    with pytest.raises(SendingRefused):
        send_scheduled_text_now(text=text, agent=cast.ana)
    text.refresh_from_db()
    assert text.is_pending
    assert OptOut.objects.exists()


def test_an_agent_who_changes_it_becomes_its_author_and_sees_colleagues_changes(
    cast: Cast,
) -> None:
    text = schedule_in(cast, cast.thread())
    details: dict[str, Any] = {"send_at": timezone.now() + 2 * HOUR, "is_regardless": False}
    change_scheduled_text(text=text, agent=cast.ben, body="It is", known_seq=text.seq, **details)
    with pytest.raises(ChangedMeanwhile):
        change_scheduled_text(
            text=text, agent=cast.ana, body="Mine", known_seq=text.seq, **details
        )
    text.refresh_from_db()
    assert (text.author, text.body, text.state) == (cast.ben, "It is", "waiting")


def test_a_held_text_that_is_changed_waits_again_and_passes_the_send_guard(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread()))
    cast.text_in("Wait")
    send_due(text)
    change_scheduled_text(
        text=text,
        agent=cast.ana,
        body="Ready, as you asked",
        send_at=timezone.now() + HOUR,
        is_regardless=False,
        known_seq=text.seq,
    )
    text.refresh_from_db()
    assert (text.state, text.reason) == ("waiting", "")
    assert send_due(make_due(text)).state == "sent"


def test_a_deleted_text_keeps_no_body_and_is_never_sent(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread()))
    delete_scheduled_text(text=text)
    send_due(text)
    assert (text.state, text.body) == ("deleted", "")
    assert not Message.objects.filter(kind="outbound").exists()
    assert delete_ended_texts() == 0
    ScheduledText.objects.update(changed_at=timezone.now() - timedelta(days=31))
    assert delete_ended_texts() == 1


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
        ({"later": "at"}, "Choose a day and a time."),
        ({"later": "at", "at": "2020-01-01T10:00"}, "That time has passed"),
        ({"later": "at", "at": "9999-12-31T23:59", "zone": "America/New_York"}, "no day and time"),
        ({"later": "at", "at": "0001-01-01T00:00", "zone": "Europe/Berlin"}, "no day and time"),
        ({"later": "at", "at": "2199-01-01T10:00"}, "within a year"),
        ({"later": "at", "at": "tomorrow"}, "This is no day and time."),
        ({"later": "never"}, "Choose a time."),
        ({"later": "hour", "body": "  "}, "Write something first."),
        ({"later": "hour", "is_internal": "true"}, "Internal messages cannot be sent later"),
        ({"later": "hour", "attachment": "7"}, "Files cannot be sent later"),
    ],
)
def test_an_invalid_schedule_is_refused_and_nothing_is_sent_instead(
    cast: Cast, given: dict[str, str], sentence: str
) -> None:
    thread = cast.thread()
    answer = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", form_fields(**given))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
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
    assert at_preset(preset, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [("2026-10-25T02:30", "2026-10-25T00:30Z"), ("2026-03-29T02:30", "2026-03-29T01:30Z")],
)
def test_times_that_the_clocks_repeat_or_skip_are_still_one_moment(
    hour: str, expected: str
) -> None:
    moment = in_zone(datetime.fromisoformat(hour), ZoneInfo("Europe/Berlin"))
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
        form = ChangeForm(given | {"at": at}, planned=planned)
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
    assert "A colleague changed this meanwhile" in stale.content.decode()
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


def test_a_text_sent_from_several_places_at_once_is_sent_once(
    transactional_db: None, cast: Cast
) -> None:
    text = make_due(schedule_in(cast, cast.thread()))

    def send_text(by_hand: bool) -> bool:
        try:
            if by_hand:
                send_scheduled_text_now(text=text, agent=cast.ben)
                return True
            return send_if_due(text=text)
        except AlreadyEnded:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send_text, [False, True, False, False])) == 1
    assert Message.objects.filter(kind="outbound").count() == 1
