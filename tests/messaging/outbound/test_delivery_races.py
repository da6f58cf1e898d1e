"""Let other workers take over, or the database go fail, during a call to the carrier."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from inboxes.counters import next_inbox_seq
from messaging.carriers import results
from messaging.carriers.twilio import Twilio
from messaging.models import Attempt, Message
from messaging.outbound import delivery, receipts
from messaging.outbound.sending import retry_message
from tests.cast import Cast, client_of
from tests.databases import sessions_waiting_for_locks
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import (
    assert_never_doubled,
    attempt_states,
    carrier,
    due_jobs,
    end_waits,
    message_states,
    run_jobs,
    texts_at,
)

__all__ = ["carrier", "far_end"]


def claim_and_abandon(cast: Cast) -> tuple[Attempt, Message]:
    """Return an attempt that a second worker set to unknown while the first still calls the
    carrier, and the next message of its thread."""
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    attempt = delivery._claim_next_attempt(thread)
    assert attempt is not None
    assert attempt.message == first
    delivery._mark_abandoned_attempts(thread)
    assert message_states(first, second) == ["unknown", "queued"]
    return attempt, second


@pytest.mark.parametrize(
    ("answer", "settled"),
    [
        (results.Accepted("SM1"), "sent"),
        (results.Rejected("21211", "bad_address", "no"), "failed"),
        (results.OptedOut("21610", "no"), "failed"),
        (results.AuthFailed("no"), "failed"),
        (results.RateLimited(1.0), "failed"),
        (results.NotSent("no connection"), "failed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_worker_presumed_dead_still_settles_its_attempt_and_nothing_is_queued_again(
    cast: Cast, answer: results.SendResult, settled: str
) -> None:
    attempt, _ = claim_and_abandon(cast)
    assert delivery.write_outcome(attempt, answer) is False
    assert (message_states(attempt.message), attempt_states(attempt.message)) == (
        [settled],
        [settled],
    )
    message = Message.objects.get(pk=attempt.message_id)
    assert bool(message.reason) is (settled == "failed")
    assert message.next_try_at is None


def test_an_unknown_attempt_that_was_not_sent_after_all_says_so(cast: Cast) -> None:
    attempt, _ = claim_and_abandon(cast)
    delivery.write_outcome(attempt, results.NotSent("no connection"))
    assert Message.objects.get(pk=attempt.message_id).reason == delivery.NOT_SENT_REASON


def test_a_late_answer_leaves_a_retry_alone(cast: Cast) -> None:
    attempt, _ = claim_and_abandon(cast)
    retry_message(message=attempt.message)
    delivery.write_outcome(attempt, results.RateLimited(1.0))
    assert (message_states(attempt.message), attempt_states(attempt.message)) == (
        ["queued"],
        ["failed"],
    )


@pytest.mark.parametrize(
    "answer",
    [results.Accepted("SM1"), results.RateLimited(9.0), results.Rejected("1", "other", "")],
)
def test_an_outcome_written_twice_is_written_once(cast: Cast, answer: results.SendResult) -> None:
    thread = cast.thread()
    message = cast.answer(thread, "Hello")
    attempt = delivery._claim_next_attempt(thread)
    assert attempt is not None
    assert delivery.write_outcome(attempt, answer) is True
    before = Message.objects.filter(pk=message.pk).values("state", "tries", "next_try_at").get()
    assert delivery.write_outcome(attempt, answer) is False
    after = Message.objects.filter(pk=message.pk).values("state", "tries", "next_try_at").get()
    assert before == after
    assert attempt_states(message) == [
        before["state"] if before["state"] != "queued" else "failed"
    ]


def test_while_one_worker_calls_the_carrier_another_claims_nothing_of_the_thread(
    cast: Cast,
) -> None:
    thread = cast.thread()
    cast.answer(thread, "First")
    cast.answer(thread, "Second")
    assert delivery._claim_next_attempt(thread) is not None
    assert delivery._claim_next_attempt(thread) is None
    assert Attempt.objects.count() == 1


def test_a_slow_worker_stops_after_another_took_over_and_nothing_is_doubled(
    carrier: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    send = Twilio.send
    calls: list[str] = []

    def taken_over(self: Twilio, outgoing: Any, *arguments: Any) -> Any:
        calls.append(outgoing.body)
        result = send(self, outgoing, *arguments)
        if outgoing.body == "First":
            run_in_thread(lambda: delivery.deliver_thread(thread.pk))
        return result

    monkeypatch.setattr(Twilio, "send", taken_over)
    before = len(due_jobs())
    delivery.deliver_thread(thread.pk)
    assert calls == ["First", "Second"]
    assert message_states(first, second) == ["sent", "sent"]
    assert len(due_jobs()) == before + 1
    run_jobs()
    assert texts_at(carrier) == ["First", "Second"]
    assert_never_doubled(carrier)


def run_in_thread(function: Any) -> None:
    """Run a function as a second worker would, on a connection of its own."""
    errors: list[BaseException] = []

    def run_and_close() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    thread = threading.Thread(target=run_and_close)
    thread.start()
    thread.join(20)
    assert not errors
    assert not thread.is_alive()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a counter: so many first tries to record an accepted outcome find no database."""
    left = [0]
    settle = receipts.settle_attempt

    def settle_or_not(*arguments: Any, **named: Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        settle(*arguments, **named)

    monkeypatch.setattr(receipts, "settle_attempt", settle_or_not)
    monkeypatch.setattr(delivery, "WRITE_WAITS", (0.01,) * 3)
    return left


def test_the_answer_is_written_when_the_database_comes_back(
    carrier: FarEnd, cast: Cast, database_away: list[int]
) -> None:
    database_away[0] = 3
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    run_jobs()
    assert message_states(first, second) == ["sent", "sent"]
    assert texts_at(carrier) == ["First", "Second"]


def test_an_answer_that_could_not_be_recorded_leaves_the_text_unknown_and_unrepeated(
    carrier: FarEnd, cast: Cast, database_away: list[int]
) -> None:
    database_away[0] = 4
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    for _ in range(2):
        run_jobs()
        end_waits()
    assert message_states(first, second) == ["unknown", "sent"]
    assert texts_at(carrier) == ["First", "Second"]


def test_recording_gives_up_with_the_databases_own_error(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = cast.thread()
    cast.answer(thread, "Hello")
    attempt = delivery._claim_next_attempt(thread)
    assert attempt is not None

    def fail(*arguments: Any) -> bool:
        raise OperationalError("away")

    monkeypatch.setattr(delivery, "WRITE_WAITS", ())
    monkeypatch.setattr(delivery, "write_outcome", fail)
    with pytest.raises(OperationalError):
        delivery._write_outcome_persistently(attempt, results.Accepted("SM1"))


def test_a_double_click_makes_one_message_and_one_attempt(carrier: FarEnd, cast: Cast) -> None:
    thread = cast.thread()
    form = {"body": "Once", "form_key": str(uuid.uuid4())}
    browsers = [client_of(cast.ana), client_of(cast.ana)]
    answers: list[int] = []

    def post_form(browser: Client) -> None:
        answers.append(browser.post(f"/threads/{thread.pk}/messages/", form).status_code)
        connection.close()

    threads = [threading.Thread(target=post_form, args=[browser]) for browser in browsers]
    with transaction.atomic():
        next_inbox_seq(thread.inbox_id)
        for click in threads:
            click.start()
        wait_until_blocked(2)
    for click in threads:
        click.join(10)
    assert answers == [302, 302]
    message = Message.objects.get(kind="outbound")
    run_jobs()
    assert (attempt_states(message), texts_at(carrier)) == (["sent"], ["Once"])


def wait_until_blocked(sessions: int) -> None:
    """Wait until so many sessions wait for a lock, so that the requests run at once."""
    deadline = time.monotonic() + 10
    while sessions_waiting_for_locks() != sessions:
        assert time.monotonic() < deadline, "the requests did not run at once"
        time.sleep(0.02)
