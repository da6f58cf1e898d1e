"""Counts of failures that an older process left wrong are brought right by one command."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from inboxes import counters
from inboxes.models import Inbox
from messaging.models import Message, Notification
from messaging.outbound.automatic import CONFIRMATION
from messaging.stream import recounting
from messaging.stream.recounting import recount_failures
from messaging.stream.writing import change_message
from tests.cast import Cast
from threads.models import Thread

SENDERS = [f"+1202555021{index}" for index in range(3)]


def fail(message: Message, state: str = "failed") -> Message:
    with transaction.atomic():
        seq = counters.next_inbox_seq(message.inbox_id)
        change_message(message, seq, state=state)
    return message


def counts(cast: Cast) -> tuple[int, int]:
    cast.front_desk.refresh_from_db()
    return cast.front_desk.failed_count, cast.front_desk.unknown_count


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_text_that_an_older_process_sent_again_counts_no_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(recounting, "BATCH", batch)
    sent, failed, unknown = (cast.answer(cast.thread(sender=one), "Yes") for one in SENDERS)
    fail(sent)
    fail(failed)
    fail(unknown, "unknown")
    assert recount_failures() == 0
    Message.objects.filter(pk=sent.pk).update(state="sent")  # by an older process
    before = cast.front_desk.seq
    assert recount_failures() == 2, "its thread and its inbox"
    listed = Thread.objects.failing().order_by("pk")
    assert list(listed) == [failed.thread, unknown.thread]
    assert counts(cast) == (1, 1)
    assert cast.front_desk.seq > before, "open pages follow"
    assert Thread.objects.get(pk=sent.thread_id).seq > before
    unread = Notification.objects.filter(agent=cast.ana, reason="failed").unread()
    assert [one.message_id for one in unread] == [failed.pk]
    assert recount_failures() == 0


def test_counts_that_drifted_are_counted_anew(cast: Cast) -> None:
    message = fail(cast.answer(cast.thread(), "Yes"))
    Thread.objects.update(failed_count=3, unknown_count=1)
    Inbox.objects.update(failed_count=2, unknown_count=1)
    assert recount_failures() == 4, "the thread and three inboxes"
    thread = Thread.objects.get(pk=message.thread_id)
    assert (thread.failed_count, thread.unknown_count) == (1, 0)
    assert counts(cast) == (1, 0)


def test_a_confirmation_that_an_older_version_counted_counts_no_more(cast: Cast) -> None:
    cast.text_in("Please stop")
    confirmation = Message.objects.get(body=CONFIRMATION)
    Message.objects.filter(pk=confirmation.pk).update(state="failed", unseen_failure="failed")
    Thread.objects.update(failed_count=1)
    Inbox.objects.filter(pk=cast.front_desk.pk).update(failed_count=1)
    assert recount_failures() == 2
    assert counts(cast) == (0, 0)


def test_the_command_says_how_many_counts_were_wrong(cast: Cast) -> None:
    fail(cast.answer(cast.thread(), "Yes"))
    Message.objects.filter(kind="outbound").update(state="delivered")
    out = StringIO()
    call_command("recount_failures", stdout=out)
    assert out.getvalue() == "2 threads and inboxes had other counts.\n"
