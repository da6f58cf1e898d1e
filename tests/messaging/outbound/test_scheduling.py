"""Schedule texts: who may schedule which, when they are sent, and what holds them."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging import tasks
from messaging.conversations.drafts import FormWasSent, update_draft
from messaging.models import Message, Notification, Number, OptOut, ScheduledText
from messaging.outbound import opt_outs
from messaging.outbound.scheduling import (
    AlreadyEnded,
    ChangedMeanwhile,
    change_scheduled_text,
    delete_ended_texts,
    delete_scheduled_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import FormAlreadyUsed, SendingRefused, write_message
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.messaging.scheduled_texts import HOUR, make_due, schedule_in
from threads.models import ThreadState


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
    return list(rows.values_list("message__body", flat=True))


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
    fields: dict[str, Any] = {"thread": thread, "author": cast.ana, "body": "Your car is ready"}
    text = schedule_in(cast, thread, form_key=key)
    with pytest.raises(FormAlreadyUsed, match="already scheduled"):
        write_message(form_key=key, **fields)
    delete_scheduled_text(text=text)
    write_message(form_key=key, **fields)
    sent = uuid.uuid4()
    write_message(form_key=sent, **fields)
    with pytest.raises(FormAlreadyUsed, match="already sent"):
        schedule_in(cast, thread, form_key=sent)


def test_an_agent_who_is_told_so_may_send_it_once_more(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    schedule_in(cast, thread, form_key=key)
    page = client_of(cast.ana)
    url, form = f"/threads/{thread.pk}/messages/", {"body": "Your car is ready", "form_key": key}
    answer = page.post(url, form)
    assert answer.status_code == 422
    assert "already scheduled" in answer.text
    [again] = re.findall(r'name="form_key" value="([^"]+)"', answer.text)
    assert again != str(key)
    assert page.post(url, form | {"form_key": again}).status_code == 302
    assert Message.objects.filter(kind="outbound").count() == 1


def test_scheduling_empties_the_draft_and_a_late_save_does_not_restore_it(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    draft: dict[str, Any] = {"thread": thread, "agent": cast.ana, "is_internal": False}
    update_draft(body="Your car", form_key=key, **draft)
    schedule_in(cast, thread, form_key=key)
    assert ThreadState.objects.get(agent=cast.ana, thread=thread).draft_body == ""
    with pytest.raises(FormWasSent):
        update_draft(body="Your car is ready", form_key=key, **draft)


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
    assert words.startswith("@ana Your scheduled text wasn't sent.")
    assert "opted out of texts" in words
    assert Notification.objects.get(agent=cast.ana, message__is_automatic=True).reason == "mention"


def test_a_colleague_who_replied_first_is_named_as_they_write_themselves(cast: Cast) -> None:
    cast.ben.display_name = "Theyab They"
    cast.ben.save()
    text = schedule_in(cast, cast.thread())
    cast.answer(text.thread, "It is ready", author=cast.ben)
    send_due(make_due(text))
    [words] = automatic_notifications(cast.ana)
    assert "because Theyab They replied first." in words


def test_a_customer_who_replied_first_is_no_name(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    cast.text_in("I have sold the car")
    send_due(make_due(text))
    [words] = automatic_notifications(cast.ana)
    assert "because they replied first." in words


def test_it_is_not_sent_from_a_number_that_moved_to_another_inbox(cast: Cast) -> None:
    text = make_due(schedule_in(cast, cast.thread(), is_regardless=True))
    other = Inbox.objects.create(name="Elsewhere")
    Number.objects.filter(address=FRONT_DESK).update(inbox=other)
    assert "no longer belongs to this inbox" in held_reason(send_due(text))


def test_it_is_not_sent_if_the_contact_wrote_meanwhile(cast: Cast) -> None:
    thread = cast.thread()
    text, regardless = schedule_in(cast, thread), schedule_in(cast, thread, is_regardless=True)
    cast.text_in("I have sold the car")
    assert "replied first" in held_reason(send_due(make_due(text)))
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
    assert held_reason(send_due(text)) == "Ana Ruiz, who scheduled it, is no longer in this inbox."
    assert automatic_notifications(cast.ana) == []
    [words] = automatic_notifications(cast.ben)
    assert "Ana Ruiz, who scheduled it" in words
    assert "@" not in words
    page = client_of(cast.ben).get(f"/threads/{text.thread_id}/").content.decode()
    assert "Ana Ruiz, who scheduled it" in page


def test_after_a_long_outage_it_is_held_and_after_a_short_one_it_is_sent_late(
    cast: Cast, settings: Settings
) -> None:
    settings.TEXT_EXPIRY_HOURS = 2
    thread = cast.thread()
    long, short = schedule_in(cast, thread), schedule_in(cast, thread)
    assert "wasn't running at the scheduled time" in held_reason(
        send_due(make_due(long, 2.1 * HOUR))
    )
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
