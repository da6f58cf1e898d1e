"""Hold texts for the seconds of Undo send: they leave once, or never if they were taken back."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.actions import remove_member
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound import opt_outs
from messaging.outbound.scheduling import (
    AlreadyEnded,
    delete_scheduled_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import FormAlreadyUsed, Overtaken, SendingRefused
from messaging.outbound.starting import start_or_hold
from messaging.outbound.undo_send import Draft, take_back, write_or_hold
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.messaging.attachments.picture_bytes import make_picture
from tests.messaging.attachments.sending_files import (
    RecordingCarrier,
    recording_carrier,
    upload_files,
)
from tests.messaging.scheduled_texts import make_due, schedule_in
from threads.actions import save_draft
from threads.lists import inbox_list
from threads.models import Thread, ThreadState

__all__ = ["recording_carrier"]

ROUNDS = 24


@pytest.fixture(autouse=True)
def _anas_seconds(cast: Cast) -> None:
    cast.ana.undo_seconds = 5
    cast.ana.save()


def hold(cast: Cast, thread: Thread, body: str = "On my way", **more: Any) -> ScheduledText:
    fields: dict[str, Any] = {"author": cast.ana, "form_key": uuid.uuid4()}
    held = write_or_hold(thread=thread, body=body, **(fields | more))
    assert isinstance(held, ScheduledText)
    return held


def texts_out() -> list[str]:
    return list(
        Message.objects.filter(kind="outbound").order_by("pk").values_list("body", flat=True)
    )


def draft_of(cast: Cast, thread: Thread) -> tuple[str, bool]:
    state = ThreadState.objects.get(agent=cast.ana, thread=thread)
    return state.draft_body, state.draft_is_internal


def test_a_text_waits_for_its_authors_seconds_and_then_leaves(cast: Cast) -> None:
    thread = cast.thread()
    save_draft(thread=thread, agent=cast.ana, body="On my way", is_internal=False)
    begun = timezone.now()
    text = hold(cast, thread)
    assert timedelta(seconds=5) <= text.send_at - begun < timedelta(seconds=6)
    assert draft_of(cast, thread) == ("", False)
    assert not send_if_due(text=text)
    assert texts_out() == []
    job = ProcrastinateJob.objects.get(task_name="send_text_when_due")
    assert (job.args, job.scheduled_at) == ({"text_id": text.pk}, text.send_at)
    cast.text_in("Never mind")
    assert send_if_due(text=make_due(text)), "others' texts don't hold it"
    assert not send_if_due(text=text)
    assert texts_out() == ["On my way"]
    assert Message.objects.get(kind="outbound").author == cast.ana


def test_agents_who_did_not_ask_for_it_send_at_once_and_internal_messages_never_wait(
    cast: Cast,
) -> None:
    thread, key = cast.thread(), uuid.uuid4
    bens = write_or_hold(thread=thread, author=cast.ben, body="Hi", form_key=key())
    note = write_or_hold(
        thread=thread, author=cast.ana, body="Hm", form_key=key(), is_internal=True
    )
    mention = write_or_hold(thread=thread, author=cast.ana, body="@ben?", form_key=key())
    assert [one.kind for one in (bens, note, mention) if isinstance(one, Message)] == [
        "outbound",
        "internal",
        "internal",
    ]


def test_a_text_that_was_taken_back_never_leaves_and_is_in_the_box_again(cast: Cast) -> None:
    text = hold(cast, cast.thread())
    assert take_back(text=text, agent=cast.ana) == Draft("On my way", is_internal=False)
    assert draft_of(cast, text.thread) == ("On my way", False)
    make_due(text)
    assert not send_if_due(text=text)
    text.refresh_from_db()
    assert (text.state, text.body) == ("deleted", "")
    with pytest.raises(AlreadyEnded):
        take_back(text=text, agent=cast.ana)
    assert texts_out() == []


def test_what_was_typed_since_is_kept_below_and_stays_internal(cast: Cast) -> None:
    thread = cast.thread()
    first = hold(cast, thread)
    save_draft(thread=thread, agent=cast.ana, body="See you", is_internal=False)
    assert take_back(text=first, agent=cast.ana).body == "On my way\nSee you"
    second = hold(cast, thread)
    typed = Draft("A secret", is_internal=True)
    assert take_back(text=second, agent=cast.ana, typed=typed) == Draft(
        "On my way\nA secret", is_internal=True
    )
    kept = hold(cast, thread)
    same = Draft("On my way", is_internal=False)
    assert take_back(text=kept, agent=cast.ana, typed=same) == same, "its page never heard of it"
    third = hold(cast, thread)
    assert take_back(text=third, agent=cast.ana, typed=Draft(" ", True)) == Draft(
        "On my way", is_internal=False
    )


def test_its_files_come_back_with_it_or_go_with_it(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread = cast.thread()
    [file] = upload_files(client_of(cast.ana), thread, make_picture())
    text = hold(cast, thread, files=[file.pk])
    assert not Attachment.objects.drafted(thread, cast.ana).exists()
    take_back(text=text, agent=cast.ana)
    assert Attachment.objects.drafted(thread, cast.ana).get() == file
    assert client_of(cast.ben).get(f"/attachments/{file.pk}/").status_code == 404
    send_if_due(text=make_due(hold(cast, thread, files=[file.pk])))
    assert Message.objects.get(kind="outbound").picture_count == 1


def test_nobody_but_its_author_takes_it_back_deletes_it_or_hurries_it(cast: Cast) -> None:
    text = hold(cast, cast.thread())
    with pytest.raises(AlreadyEnded):
        take_back(text=text, agent=cast.ben)
    with pytest.raises(AlreadyEnded):
        delete_scheduled_text(text=text)
    with pytest.raises(AlreadyEnded):
        send_scheduled_text_now(text=text, agent=cast.ben)
    text.refresh_from_db()
    assert text.is_leaving


def test_the_same_form_holds_one_text_and_none_after_it_was_taken_back(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    text = hold(cast, thread, form_key=key)
    assert hold(cast, thread, form_key=key) == text
    take_back(text=text, agent=cast.ana)
    with pytest.raises(FormAlreadyUsed, match="took this text back"):
        hold(cast, thread, form_key=key)
    cast.ana.undo_seconds = 0
    with pytest.raises(FormAlreadyUsed, match="took this text back"):
        write_or_hold(thread=thread, author=cast.ana, body="On my way", form_key=key)
    sent_key = uuid.uuid4()
    cast.ana.undo_seconds = 5
    send_if_due(text=make_due(hold(cast, thread, form_key=sent_key)))
    again = write_or_hold(thread=thread, author=cast.ana, body="On my way", form_key=sent_key)
    assert again == Message.objects.get(kind="outbound")
    assert ScheduledText.objects.count() == 2


def test_the_guard_and_refusals_speak_when_send_is_pressed(cast: Cast) -> None:
    thread = cast.thread()
    seen = thread.last_message_id
    cast.text_in("Wait")
    with pytest.raises(Overtaken):
        hold(cast, thread, seen=seen)
    opt_outs.record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    with pytest.raises(SendingRefused, match="opted out"):
        hold(cast, thread)
    assert not ScheduledText.objects.exists()


def test_texts_leave_in_the_order_in_which_they_were_sent(cast: Cast) -> None:
    thread = cast.thread()
    cast.ben.undo_seconds, cast.ana.undo_seconds = 5, 10
    queued = cast.answer(thread, "Before", author=cast.cho)
    first = hold(cast, thread, "First")
    second = hold(cast, thread, "Second", author=cast.ben)
    assert second.send_at >= first.send_at, "ben's shorter seconds don't overtake"
    ScheduledText.objects.update(send_at=timezone.now() - timedelta(seconds=1))
    assert send_if_due(text=second), "whichever job comes first"
    assert texts_out() == [queued.body, "First", "Second"]
    assert not send_if_due(text=first)


@pytest.mark.parametrize("reason", ["opt-out", "no member"])
def test_what_may_not_leave_any_more_is_held_in_plain_words(cast: Cast, reason: str) -> None:
    text = hold(cast, cast.thread())
    if reason == "opt-out":
        opt_outs.record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
        words = "@ana Your text wasn't sent. (202) 555-0177 opted out of texts"
    else:
        remove_member(inbox=cast.front_desk, agent=cast.ana, changed_by=cast.admin)
        words = "A text wasn't sent. Ana Ruiz, who wrote it, is no longer in this inbox."
    assert not send_if_due(text=make_due(text))
    text.refresh_from_db()
    assert (text.state, text.body, text.is_pending) == ("held", "On my way", True)
    assert Message.objects.get(is_automatic=True).body.startswith(words)
    assert Thread.objects.get(pk=text.thread_id).scheduled_count == 1
    page = client_of(cast.ben).get(f"/threads/{text.thread_id}/").content.decode()
    assert f'id="later-{text.pk}"' in page


def test_of_undo_and_leaving_exactly_one_wins(transactional_db: None, cast: Cast) -> None:
    thread = cast.thread()
    winners = []

    def leave(text: ScheduledText, start: Barrier) -> str:
        try:
            start.wait()
            return "left" if send_if_due(text=text) else ""
        finally:
            connections.close_all()

    def undo(text: ScheduledText, start: Barrier) -> str:
        try:
            start.wait()
            take_back(text=text, agent=cast.ana)
        except AlreadyEnded:
            return ""
        else:
            return "undone"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for number in range(ROUNDS):
            text = make_due(hold(cast, thread, f"Text {number}"))
            start = Barrier(4)
            runs = [pool.submit(deed, text, start) for deed in (leave, undo, leave, undo)]
            [winner] = [run.result() for run in runs if run.result()]
            winners.append(winner)
            text.refresh_from_db()
            assert (text.state == "sent") == (winner == "left")
            assert texts_out().count(f"Text {number}") == (winner == "left")
    assert len(winners) == ROUNDS


def status_of(thread: Thread) -> str:
    return Thread.objects.get(pk=thread.pk).status


def test_the_thread_is_done_when_the_text_leaves_and_open_if_it_was_taken_back(cast: Cast) -> None:
    thread = cast.thread()
    taken_back = hold(cast, thread, marks_done=True)
    take_back(text=taken_back, agent=cast.ana)
    assert status_of(thread) == "open"
    text = hold(cast, thread, marks_done=True)
    assert status_of(thread) == "open", "nothing has left"
    send_if_due(text=make_due(text))
    assert status_of(thread) == "done"


def test_a_text_that_comes_in_within_the_seconds_keeps_the_thread_open(cast: Cast) -> None:
    thread = cast.thread()
    text = hold(cast, thread, marks_done=True)
    cast.text_in("One more thing")
    assert send_if_due(text=make_due(text))
    assert status_of(thread) == "open"


def start(cast: Cast) -> ScheduledText:
    """Hold a first text to somebody with whom there is no conversation yet."""
    held = start_or_hold(
        inbox=cast.front_desk,
        author=cast.ana,
        address="+12025550177",
        body="Hello",
        form_key=uuid.uuid4(),
    )
    assert isinstance(held, ScheduledText)
    return held


def test_a_first_text_that_never_leaves_leaves_no_conversation_in_the_lists(cast: Cast) -> None:
    def listed() -> list[int]:
        everybody = (cast.ana, cast.ben)
        return [len(inbox_list(agent, cast.front_desk).rows) for agent in everybody]

    held = start(cast)
    assert listed() == [1, 1]
    take_back(text=held, agent=cast.ana)
    assert draft_of(cast, held.thread) == ("Hello", False)
    assert listed() == [0, 0]
    state = ThreadState.objects.get(agent=cast.ana, thread=held.thread)
    assert state.hidden_upto(None, 0) == 0, "the page with the text in its composer stays"
    later = schedule_in(cast, held.thread)
    assert listed() == [1, 1]
    delete_scheduled_text(text=later)
    assert listed() == [0, 0]
    again = start(cast)
    assert again.thread == held.thread
    assert listed() == [1, 1]
    assert send_if_due(text=make_due(again))
    assert listed() == [1, 1]


def test_texts_of_several_authors_lock_them_in_one_order(cast: Cast) -> None:
    thread = cast.thread()
    cast.cho.undo_seconds = 5
    cast.cho.save()
    first, last = sorted((cast.ana, cast.cho), key=lambda agent: agent.pk)
    texts = [make_due(hold(cast, thread, author=agent)) for agent in (last, first)]
    with CaptureQueriesContext(connection) as queries:
        assert send_if_due(text=texts[1])
    locks = [
        query["sql"]
        for query in queries
        if 'FROM "inboxes_agent"' in query["sql"] and "FOR NO KEY UPDATE" in query["sql"]
    ]
    assert [int(key) for key in re.findall(r"\d+", locks[0])][:2] == [first.pk, last.pk]
