"""Turn an agent's text into one message and one job."""

import uuid

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.models import Message, Number
from messaging.outbound.sending import SendingRefused, write_message
from tests.cast import Cast


def test_a_text_is_queued_together_with_its_job(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    assert (message.kind, message.state, message.author) == ("outbound", "queued", cast.ana)
    job = ProcrastinateJob.objects.get(task_name="deliver_thread")
    assert job.args == {"thread_id": message.thread_id}
    assert job.lock == f"thread-{message.thread_id}"


def test_the_same_form_sent_twice_makes_one_message(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    sent = [
        write_message(thread=thread, author=cast.ana, body="Once", form_key=key) for _ in range(2)
    ]
    assert sent[0] == sent[1]
    assert Message.objects.filter(kind="outbound").count() == 1
    assert ProcrastinateJob.objects.filter(task_name="deliver_thread").count() == 1


def test_a_number_routed_elsewhere_refuses_its_old_threads(cast: Cast) -> None:
    thread = cast.thread()
    Number.objects.filter(inbox=cast.front_desk).delete()
    with pytest.raises(SendingRefused, match="no longer belongs to this inbox"):
        cast.answer(thread, "Still there?")
    assert not ProcrastinateJob.objects.exists()


def test_an_alphanumeric_sender_cannot_be_answered(cast: Cast) -> None:
    thread = cast.thread(sender="PARCELBOX")
    with pytest.raises(SendingRefused, match="a sender name, not a number"):
        cast.answer(thread, "Thanks!")
