"""Fail texts that waited too long instead of sending them late; an agent decides."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from messaging import tasks
from messaging.models import Message
from messaging.outbound import delivery, pacing
from messaging.outbound.sending import retry_message
from tests.cast import Cast, client_of
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import carrier, message_states, run_jobs, texts_at

__all__ = ["carrier", "far_end"]


def make_older(message: Message, hours: float) -> None:
    Message.objects.filter(pk=message.pk).update(
        created_at=timezone.now() - timedelta(hours=hours)
    )


def test_a_text_that_waited_too_long_fails_and_a_younger_one_behind_it_goes(
    carrier: FarEnd, cast: Cast
) -> None:
    thread = cast.thread()
    old, young = cast.answer(thread, "See you at noon"), cast.answer(thread, "Or tomorrow?")
    make_older(old, 4.1)
    run_jobs()
    assert texts_at(carrier) == ["Or tomorrow?"]
    assert message_states(old, young) == ["failed", "sent"]
    old.refresh_from_db()
    assert old.reason.startswith("This text waited for more than 4 hours and wasn't sent")
    assert not old.attempts.exists()


def test_an_expired_text_is_sent_by_a_retry(carrier: FarEnd, cast: Cast) -> None:
    message = cast.answer(cast.thread(), "See you at noon")
    make_older(message, 30)
    delivery.deliver_thread(message.thread_id)
    page = client_of(cast.ana).get(f"/threads/{message.thread_id}/").content.decode()
    assert f"/messages/{message.pk}/retry/" in page
    assert "may be out of date" in page
    retry_message(message=message)
    run_jobs()
    assert message_states(message) == ["sent"]


def test_a_text_expires_even_if_no_job_delivers_its_thread(cast: Cast) -> None:
    thread = cast.thread()
    old, young = cast.answer(thread, "See you at noon"), cast.answer(thread, "Or tomorrow?")
    make_older(old, 5)
    make_older(young, 3.9)
    seq = Message.objects.get(pk=old.pk).seq
    tasks.expire_texts.func(timestamp=0)
    assert message_states(old, young) == ["failed", "queued"]
    old.refresh_from_db()
    assert old.seq > seq, "open pages would not hear of it"


def test_a_text_that_a_carrier_may_have_never_expires(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "See you at noon")
    assert delivery._claim_next_attempt(message.thread) is not None
    make_older(message, 50)
    assert pacing.expire_texts() == 0
    assert message_states(message) == ["sending"]
