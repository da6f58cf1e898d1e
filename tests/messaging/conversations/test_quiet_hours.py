"""A text at a quiet hour of its contact's own day leaves only after its author has said yes."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent, Inbox
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound.quiet_hours import InQuietHours
from messaging.outbound.sending import Unfilled, write_message
from messaging.outbound.undo_send import write_or_hold
from messaging.stream.writing import change_message
from tests.cast import Cast, client_of
from tests.clock import Clock, clock
from tests.markup import read_words
from tests.messaging.attachments.picture_bytes import make_picture
from tests.messaging.attachments.sending_files import upload_files
from threads.actions import change_state
from threads.models import Contact, Thread, ThreadState

__all__ = ["clock"]

HTMX = {"HX-Request": "true"}
ROSA = "+13035550149"
DENVER = ZoneInfo("America/Denver")
QUESTION = "It's 10:12 PM for Rosa Delgado (Denver)"


def move_to(clock: Clock, hour: int, minute: int = 12, zone: ZoneInfo = DENVER) -> None:
    """Put the clock forward to that time there, tomorrow or the day after."""
    tomorrow = timezone.now().astimezone(zone) + timedelta(days=1)
    goal = tomorrow.replace(hour=hour, minute=minute, second=0, microsecond=0)
    clock.advance(goal - timezone.now())


@pytest.fixture
def rosa(cast: Cast, clock: Clock) -> Thread:
    """Return the thread of a contact in Denver, where it is 10:12 PM, in an inbox that asks."""
    thread = cast.thread(sender=ROSA)
    Contact.objects.filter(pk=thread.contact_id).update(name="Rosa Delgado")
    Inbox.objects.filter(pk=thread.inbox_id).update(has_quiet_hours=True)
    move_to(clock, 22)
    return thread


def send(agent: Agent, thread: Thread, *, is_live: bool = True, **fields: Any) -> Any:
    form = {"body": "We can come", "form_key": uuid.uuid4(), **fields}
    headers = HTMX if is_live else {}
    return client_of(agent).post(f"/threads/{thread.pk}/messages/", form, headers=headers)


def start(agent: Agent, inbox: Inbox, **fields: Any) -> Any:
    form = {"inbox": inbox.pk, "to": ROSA, "body": "We can come", "form_key": uuid.uuid4()}
    return client_of(agent).post("/start/", form | fields)


def texts_of(agent: Agent) -> int:
    return Message.objects.filter(author=agent, kind=Message.Kind.OUTBOUND).count()


def morning_in(answer: Any) -> str:
    """Return the value of the button that schedules the text."""
    found = re.search(r'name="later"\s+value="(\d+)"', answer.content.decode())
    assert found, read_words(answer)
    return found[1]


def next_morning() -> datetime:
    tomorrow = timezone.now().astimezone(DENVER) + timedelta(days=1)
    return tomorrow.replace(hour=8, minute=0, second=0, microsecond=0)


def test_the_composer_asks_once(cast: Cast, rosa: Thread) -> None:
    key = uuid.uuid4()
    answer = send(cast.ana, rosa, form_key=key)
    assert answer.status_code == 409
    words = read_words(answer)
    assert QUESTION in words
    assert "Quiet hours are from 9:00 PM to 8:00 AM, their time." in words
    assert "more than one time zone" not in words
    assert "Send anyway" in words
    assert texts_of(cast.ana) == 0
    for _ in range(2):
        assert send(cast.ana, rosa, form_key=key, quiet_ok="true").status_code == 200
    assert texts_of(cast.ana) == 1


def test_the_text_can_wait_for_their_morning(cast: Cast, rosa: Thread) -> None:
    key = uuid.uuid4()
    answer = send(cast.ana, rosa, form_key=key)
    assert "Schedule for 8:00 AM their time" in read_words(answer)
    answer = send(cast.ana, rosa, form_key=key, later=morning_in(answer))
    assert answer.status_code == 200
    text = ScheduledText.objects.get()
    assert (text.body, text.send_at) == ("We can come", next_morning())
    assert texts_of(cast.ana) == 0


def test_without_scripts_the_question_holds_the_whole_text(cast: Cast, rosa: Thread) -> None:
    answer = send(cast.ana, rosa, is_live=False, done="true")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert '<input type="hidden" name="body" value="We can come"' in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)" auto', page))
    assert fields["quiet_ok"] == "true"
    answer = client_of(cast.ana).post(f"/threads/{rosa.pk}/messages/", fields)
    assert answer.status_code == 302
    assert texts_of(cast.ana) == 1
    rosa.refresh_from_db()
    assert rosa.status == Thread.Status.DONE


def test_without_scripts_it_can_wait_too(cast: Cast, rosa: Thread) -> None:
    answer = send(cast.ana, rosa, is_live=False)
    page = answer.content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)" auto', page))
    fields["later"] = morning_in(answer)
    assert client_of(cast.ana).post(f"/threads/{rosa.pk}/messages/", fields).status_code == 302
    assert ScheduledText.objects.get().send_at == next_morning()


@pytest.mark.parametrize(
    "fields", [{"is_internal": "true"}, {"body": "@ben can you call her?"}], ids=["eye", "mention"]
)
def test_internal_messages_are_free(cast: Cast, rosa: Thread, fields: dict[str, Any]) -> None:
    assert send(cast.ana, rosa, **fields).status_code == 200


def test_an_answer_within_the_hour_is_free(cast: Cast, rosa: Thread, clock: Clock) -> None:
    cast.text_in("Are you still there?", sender=ROSA)
    clock.advance(timedelta(minutes=59))
    assert send(cast.ana, rosa).status_code == 200
    clock.advance(timedelta(minutes=2))
    assert send(cast.ana, rosa).status_code == 409


@pytest.mark.parametrize(("hour", "status"), [(20, 200), (21, 409), (7, 409), (8, 200)])
def test_by_day_nobody_asks(
    cast: Cast, rosa: Thread, clock: Clock, hour: int, status: int
) -> None:
    move_to(clock, hour)
    assert send(cast.ana, rosa).status_code == status


def test_other_inboxes_do_not_ask(cast: Cast, rosa: Thread) -> None:
    Inbox.objects.update(has_quiet_hours=False)
    assert send(cast.ana, rosa).status_code == 200


def test_a_corrected_time_zone_counts(cast: Cast, rosa: Thread) -> None:
    Contact.objects.filter(pk=rosa.contact_id).update(time_zone="Asia/Tokyo")
    assert send(cast.ana, rosa).status_code == 200


def test_nobody_asks_where_the_zone_is_unknown(cast: Cast, rosa: Thread) -> None:
    thread = cast.thread(sender="+18005550100")
    assert send(cast.ana, thread).status_code == 200


def test_where_zones_disagree_it_may_be_late(cast: Cast, rosa: Thread, clock: Clock) -> None:
    thread = cast.thread(sender="+12085550100")
    move_to(clock, 21, zone=ZoneInfo("America/Boise"))
    answer = send(cast.ana, thread)
    words = read_words(answer)
    assert "It may be 9:12 PM for (208) 555-0100 (Boise)" in words
    assert "Their number could be in more than one time zone. Quiet hours are" in words
    assert "Schedule for 8:00 AM in Los Angeles" in words


def test_a_text_that_could_be_taken_back_is_asked_about_too(cast: Cast, rosa: Thread) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(undo_seconds=5)
    assert send(cast.ana, rosa).status_code == 409
    assert not ScheduledText.objects.exists()
    assert send(cast.ana, rosa, quiet_ok="true").status_code == 200
    assert ScheduledText.objects.get().is_undoable


def test_two_questions_come_one_after_the_other(cast: Cast, rosa: Thread) -> None:
    body = "Hi {first name}"
    assert "is not filled in" in read_words(send(cast.ana, rosa, body=body))
    answer = send(cast.ana, rosa, body=body, has_read_placeholders="true")
    assert QUESTION in read_words(answer)
    assert 'name="has_read_placeholders" value="true"' in answer.content.decode()


def schedule(agent: Agent, thread: Thread, hour: str, **fields: Any) -> Any:
    day = timezone.now().astimezone(DENVER).date() + timedelta(days=2)
    at: dict[str, Any] = {"later": "at", "at": f"{day}T{hour}", "zone": "America/Denver"}
    return send(agent, thread, **{**at, **fields})


def test_scheduling_asks_about_the_hour_at_which_the_text_leaves(cast: Cast, rosa: Thread) -> None:
    assert schedule(cast.ana, rosa, "09:30").status_code == 200
    answer = schedule(cast.ana, rosa, "06:30")
    assert answer.status_code == 409
    words = read_words(answer)
    assert "It will be 6:30 AM for Rosa Delgado (Denver) then" in words
    assert "Schedule anyway" in words
    assert 'name="later" value="at"' in answer.content.decode()
    assert schedule(cast.ana, rosa, "06:30", quiet_ok="true").status_code == 200
    assert ScheduledText.objects.count() == 2


def test_changing_a_scheduled_text_asks_only_about_another_time(cast: Cast, rosa: Thread) -> None:
    schedule(cast.ana, rosa, "06:30", quiet_ok="true")
    text = ScheduledText.objects.get()
    here = f"/later/{text.pk}/"
    local = text.send_at.astimezone(DENVER)
    form = {"body": "New words", "known": text.seq, "zone": "America/Denver"}
    client = client_of(cast.ana)
    assert client.post(here, form | {"at": f"{local:%Y-%m-%dT%H:%M}"}).status_code == 302
    text.refresh_from_db()
    form |= {"known": text.seq, "at": f"{local:%Y-%m-%d}T05:00"}
    answer = client.post(here, form)
    assert "It will be 5:00 AM for Rosa Delgado" in read_words(answer)
    assert client.post(here, form | {"later": morning_in(answer)}).status_code == 302
    text.refresh_from_db()
    assert f"{text.send_at.astimezone(DENVER):%H:%M}" == "08:00"


def test_sending_a_scheduled_text_now_asks(cast: Cast, rosa: Thread) -> None:
    schedule(cast.ana, rosa, "09:30")
    text = ScheduledText.objects.get()
    client, here = client_of(cast.ana), f"/later/{text.pk}/send/"
    answer = client.post(here, headers=HTMX)
    assert (answer.status_code, QUESTION in answer.content.decode()) == (422, True)
    assert client.post(here)["Location"] == f"/later/{text.pk}/"
    form = {"body": text.body, "known": text.seq}
    answer = client.post(here, form)
    assert QUESTION in read_words(answer)
    assert texts_of(cast.ana) == 0
    assert client.post(here, form | {"quiet_ok": "true"}).status_code == 302
    assert texts_of(cast.ana) == 1


@pytest.fixture
def failed(cast: Cast, rosa: Thread) -> Message:
    """Return a text that was sent by day, failed, and stands there at 10:12 PM."""
    send(cast.ana, rosa, quiet_ok="true")
    message = Message.objects.get(author=cast.ana)
    with transaction.atomic():
        seq = counters.next_inbox_seq(message.inbox_id)
        change_message(message, seq, state="failed", reason="Their phone was off.")
    return message


def retry(agent: Agent, message: Message, *, is_live: bool = True, **fields: str) -> Any:
    headers = HTMX if is_live else {}
    return client_of(agent).post(f"/messages/{message.pk}/retry/", fields, headers=headers)


def state_of(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


def test_retrying_a_failed_text_asks_in_the_open_page(cast: Cast, failed: Message) -> None:
    answer = retry(cast.ben, failed)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert QUESTION in read_words(answer)
    assert "Their phone was off." in page
    # Newer than what the page shows, and older than the next change.
    assert f'data-seq="{failed.seq}-1"' in page
    assert re.search(r'name="quiet_ok" value="true"\s*>Retry anyway<', page)
    assert state_of(failed) == "failed"
    assert QUESTION not in read_words(retry(cast.ben, failed, quiet_ok="true"))
    assert state_of(failed) == "queued"


def test_retrying_a_failed_text_asks_without_scripts(cast: Cast, failed: Message) -> None:
    answer = retry(cast.ben, failed, is_live=False)
    assert answer.status_code == 409
    assert QUESTION in read_words(answer)
    assert re.search(r'name="quiet_ok" value="true"\s*>Retry anyway<', answer.content.decode())
    assert state_of(failed) == "failed"
    answer = retry(cast.ben, failed, is_live=False, quiet_ok="true")
    assert answer["Location"] == f"/threads/{failed.thread_id}/"
    assert state_of(failed) == "queued"


def test_a_failed_text_can_wait_for_their_morning(cast: Cast, failed: Message) -> None:
    change_state(thread=failed.thread, agent=cast.ben, draft_body="About the invoice")
    answer = retry(cast.ben, failed)
    assert "Schedule for 8:00 AM their time" in read_words(answer)
    later = morning_in(answer)
    for _ in range(2):
        answer = retry(cast.ben, failed, later=later)
        assert answer.status_code == 200
    [text] = ScheduledText.objects.all()
    assert (text.author, text.body, text.send_at) == (cast.ben, "We can come", next_morning())
    assert f'id="later-{text.pk}"' in answer.content.decode()
    assert "Seen by Ben" in read_words(answer)
    assert state_of(failed) == "failed"
    # What somebody was writing meanwhile stays.
    assert ThreadState.objects.get(agent=cast.ben).draft_body == "About the invoice"


def test_a_failed_text_can_wait_without_scripts(cast: Cast, failed: Message, clock: Clock) -> None:
    later = morning_in(retry(cast.ben, failed, is_live=False))
    answer = retry(cast.ben, failed, is_live=False, later=later)
    assert answer["Location"] == f"/threads/{failed.thread_id}/"
    assert ScheduledText.objects.get().send_at == next_morning()
    clock.advance(timedelta(days=1))
    refused = retry(cast.ben, failed, later=later)
    assert (refused.status_code, refused.content) == (
        422, b"That time has passed. Choose a later one.",
    )  # fmt: skip


def test_a_failed_text_waits_with_its_files(cast: Cast, failed: Message) -> None:
    [file] = upload_files(client_of(cast.ana), failed.thread, make_picture())
    Attachment.objects.filter(pk=file.pk).update(message=failed)
    later = morning_in(retry(cast.ben, failed))
    for _ in range(2):
        retry(cast.ben, failed, later=later)
    text = ScheduledText.objects.get()
    [copy] = Attachment.objects.exclude(pk=file.pk)
    assert (copy.scheduled_text, copy.name, copy.size) == (text, "file-0", file.size)
    assert copy.stored_name != file.stored_name
    default_storage.delete(file.stored_name)
    Message.objects.filter(pk=failed.pk).update(unseen_failure="failed")
    assert retry(cast.ben, failed, later=later).status_code == 422
    assert ScheduledText.objects.count() == 1


def test_what_was_sent_meanwhile_is_not_scheduled_too(cast: Cast, failed: Message) -> None:
    later = morning_in(retry(cast.ben, failed))
    retry(cast.ana, failed, quiet_ok="true")
    assert "Queued" in read_words(retry(cast.ben, failed, later=later))
    assert not ScheduledText.objects.exists()


def test_retrying_by_day_or_within_the_hour_asks_nothing(
    cast: Cast, failed: Message, clock: Clock
) -> None:
    cast.text_in("Still up", sender=ROSA)
    retry(cast.ben, failed)
    assert state_of(failed) == "queued"
    Message.objects.filter(pk=failed.pk).update(state="failed")
    move_to(clock, 12)
    retry(cast.ben, failed)
    assert state_of(failed) == "queued"


def test_an_action_that_is_told_nothing_asks(cast: Cast, rosa: Thread) -> None:
    given: Any = {"thread": rosa, "author": cast.ana, "form_key": uuid.uuid4()}
    for act in (write_message, write_or_hold):
        with pytest.raises(Unfilled):
            act(**given, body="Hi {first name}")
        with pytest.raises(InQuietHours):
            act(**given, body="Hi")


def test_a_first_text_is_asked_about(cast: Cast, clock: Clock) -> None:
    Inbox.objects.update(has_quiet_hours=True)
    move_to(clock, 22)
    answer = start(cast.ana, cast.front_desk)
    assert answer.status_code == 409
    words = read_words(answer)
    assert "It's 10:12 PM for (303) 555-0149 (Denver)" in words
    assert "We can come" in words
    assert not Thread.objects.exists()
    answer = start(cast.ana, cast.front_desk, quiet_ok="true")
    assert (answer.status_code, texts_of(cast.ana)) == (302, 1)


def test_a_first_text_can_wait_for_their_morning(cast: Cast, clock: Clock) -> None:
    Inbox.objects.update(has_quiet_hours=True)
    move_to(clock, 22)
    key = uuid.uuid4()
    later = morning_in(start(cast.ana, cast.front_desk, form_key=key))
    start(cast.ana, cast.front_desk, form_key=key, later=later)
    answer = start(cast.ana, cast.front_desk, form_key=key, later=later)
    assert answer.status_code == 302
    text = ScheduledText.objects.get()
    assert (text.send_at, texts_of(cast.ana)) == (next_morning(), 0)
    assert answer["Location"] == f"/threads/{text.thread_id}/"
    [toast] = get_messages(answer.wsgi_request)
    assert str(toast).startswith("Scheduled for <time")
    clock.advance(timedelta(days=1))
    answer = start(cast.ana, cast.front_desk, later=later)
    assert "That time has passed" in read_words(answer)
