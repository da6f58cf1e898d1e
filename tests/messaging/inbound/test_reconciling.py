"""Find texts whose webhook never came; they join their thread at their time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from messaging.carriers import results
from messaging.conversations import history
from messaging.inbound import reconciling
from messaging.models import (
    CarrierAccount,
    Comparison,
    Message,
    Notification,
    Number,
    OptOut,
)
from messaging.tasks import compare_numbers
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, SECRETS, Cast, client_of
from tests.clock import Clock, clock
from tests.far_end_client import FarEnd, far_end
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.stepped_worker import carrier
from threads.models import Thread, ThreadState

__all__ = ["carrier", "clock", "far_end"]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def number(cast: Cast, carrier: FarEnd) -> Number:
    """Return Front Desk's number, ours for a week; no other number is compared."""
    Number.objects.update(created_at=timezone.now() - timedelta(days=7))
    Number.objects.exclude(address=FRONT_DESK).delete()
    return Number.objects.get()


def text_without_webhook(
    far_end: FarEnd, text: str, ago: timedelta, *, sender: str = CUSTOMER, sid: str = ""
) -> datetime:
    """List a text to Front Desk at the far end whose webhook never came; return its time."""
    at = (timezone.now() - ago).replace(microsecond=0)
    far_end.text_in_unseen(sid or f"SM-{text}", sender, FRONT_DESK, text, at)
    return at


def make_older(message: Message, ago: timedelta) -> Message:
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - ago)
    return message


def bodies_shown(cast: Cast, thread: Thread) -> list[str]:
    return [entry.message.body for entry in history.history_page(thread, cast.ana).entries]


def test_a_late_text_joins_its_thread_at_its_time_and_is_marked_as_late(
    cast: Cast, carrier: FarEnd, number: Number
) -> None:
    thread = make_older(cast.text_in("Are you open?"), 3 * HOUR).thread
    make_older(cast.answer(thread, "Yes."), HOUR)
    at = text_without_webhook(carrier, "Hello?", 2 * HOUR)
    compare_numbers(timestamp=0)
    assert bodies_shown(cast, thread) == ["Are you open?", "Hello?", "Yes."]
    late = Message.objects.get(body="Hello?")
    assert (late.is_late, late.shown_at, late.kind) == (True, at, "inbound")
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert page.count("Arrived late") == 1
    assert page.index("Are you open?") < page.index("Arrived late") < page.index("Yes.")
    assert f'data-key="{late.sort_key}"' in page


def test_a_late_text_notifies_like_a_new_one(cast: Cast, carrier: FarEnd, number: Number) -> None:
    thread = make_older(cast.text_in("Are you open?"), 3 * HOUR).thread
    answer = make_older(cast.answer(thread, "Yes."), HOUR)
    client_of(cast.ana).get(f"/threads/{thread.pk}/")
    text_without_webhook(carrier, "Hello?", 2 * HOUR)
    reconciling.compare_number(number)
    late = Message.objects.get(body="Hello?")
    thread.refresh_from_db()
    assert (thread.last_message_id, thread.last_excerpt) == (late.pk, "Hello?")
    assert thread.needs_reply
    assert thread.last_at == late.created_at > timezone.now() - MINUTE, (
        "it lifts its thread, as nobody knows of it"
    )
    notified = Notification.objects.filter(message=late).values_list("agent__username", flat=True)
    assert set(notified) == {"ana", "ben", "cho"}
    assert late.pk > answer.pk
    assert late.seq == thread.seq
    client_of(cast.ana).get(f"/threads/{thread.pk}/")
    state = ThreadState.objects.get(agent=cast.ana, thread=thread)
    assert (state.last_read_id, state.read_count) == (late.pk, thread.message_count)


def test_the_late_first_text_of_a_contact_makes_their_thread(
    cast: Cast, carrier: FarEnd, number: Number
) -> None:
    text_without_webhook(carrier, "Second", HOUR)
    text_without_webhook(carrier, "First", 2 * HOUR)
    assert reconciling.compare_number(number) == 2
    thread = Thread.objects.get()
    assert bodies_shown(cast, thread) == ["First", "Second"]
    cast.text_in("Third")
    assert bodies_shown(cast, thread) == ["First", "Second", "Third"]


def test_late_texts_are_in_the_order_of_their_times_not_of_finding_them(
    cast: Cast, carrier: FarEnd, number: Number, clock: Clock
) -> None:
    thread = make_older(cast.text_in("Are you open?"), 5 * HOUR).thread
    text_without_webhook(carrier, "Later", HOUR)
    reconciling.compare_number(number)
    text_without_webhook(carrier, "Earlier", HOUR + MINUTE)
    clock.advance(reconciling.INTERVAL)
    assert reconciling.compare_number(number) == 1
    assert bodies_shown(cast, thread) == ["Are you open?", "Earlier", "Later"]


def test_texts_that_we_have_already_change_nothing(
    cast: Cast, carrier: FarEnd, number: Number, clock: Clock
) -> None:
    at = text_without_webhook(carrier, "Hello?", HOUR, sid="SM-in-1")
    post_webhook(cast.account, text_fields("Hello?"))
    message = Message.objects.get()
    assert reconciling.compare_number(number) == 0
    cast.front_desk.refresh_from_db()
    assert (cast.front_desk.seq, message.is_late) == (message.seq, False)

    carrier.text_in_unseen("SM-in-2", CUSTOMER, FRONT_DESK, "Again", at)
    assert reconciling.compare_number(number) == 1
    assert post_webhook(cast.account, text_fields("Again", sid="SM-in-2")).status_code == 200
    assert Message.objects.filter(body="Again").count() == 1, "its webhook came after all"


def test_texts_whose_webhook_may_still_come_are_left_alone(
    cast: Cast, carrier: FarEnd, number: Number, clock: Clock
) -> None:
    text_without_webhook(carrier, "Just now", timedelta(seconds=30))
    assert reconciling.compare_number(number) == 0
    clock.advance(reconciling.INTERVAL)
    assert reconciling.compare_number(number) == 1


def test_texts_from_before_the_number_was_ours_are_left_alone(
    cast: Cast, carrier: FarEnd, number: Number
) -> None:
    Number.objects.update(created_at=timezone.now() - HOUR)
    text_without_webhook(carrier, "To whom?", 2 * HOUR)
    assert reconciling.compare_numbers() == 0
    assert not Message.objects.exists()


def test_after_an_interruption_the_comparison_goes_back_as_far(
    cast: Cast, carrier: FarEnd, number: Number, clock: Clock
) -> None:
    reconciling.compare_number(number)
    upto = Comparison.objects.get().upto
    assert upto is not None
    clock.advance(timedelta(days=2))
    text_without_webhook(carrier, "While we were away", timedelta(hours=40))
    assert reconciling.compare_number(number) == 1
    comparison = Comparison.objects.get()
    assert comparison.found_count == 1
    assert comparison.upto is not None
    assert comparison.upto > upto


def test_a_span_that_the_carrier_did_not_answer_for_is_compared_next_time(
    cast: Cast, carrier: FarEnd, number: Number, clock: Clock
) -> None:
    reconciling.compare_number(number)
    upto = Comparison.objects.get().upto
    carrier.answer_questions_with(500)
    clock.advance(reconciling.INTERVAL)
    assert reconciling.compare_number(number) == 0
    comparison = Comparison.objects.get()
    assert (comparison.upto, comparison.trouble) == (upto, "Twilio answered 500")
    carrier.answer_questions_with(200)
    reconciling.compare_number(number)
    assert Comparison.objects.get().trouble == ""


def test_each_number_is_compared_in_turn_if_its_account_is_active(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    Number.objects.exclude(address__in=[FRONT_DESK, DISPATCH]).delete()
    for _ in range(2):
        reconciling.compare_numbers()
    compared = [entry["query"]["To"] for entry in carrier.ledger("question")]
    assert sorted(compared) == [FRONT_DESK, DISPATCH]
    CarrierAccount.objects.update(is_active=False)
    clock.advance(reconciling.INTERVAL)
    reconciling.compare_numbers()
    assert len(carrier.ledger("question")) == 2


def test_one_number_that_fails_does_not_hold_up_the_others(
    cast: Cast,
    carrier: FarEnd,
    number: Number,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = Number.objects.create(
        address=DISPATCH, account=cast.account, inbox=cast.dispatch, segments_per_second=1000
    )
    for index, one in enumerate([number, other]):
        tried_at = timezone.now() - HOUR + index * MINUTE
        Comparison.objects.create(number=one, tried_at=tried_at, trouble="not yet")
    fetch = reconciling._fetch_list

    def fetch_or_fail(compared: Number, since: datetime) -> object:
        if compared == number:
            raise LookupError
        return fetch(compared, since)

    monkeypatch.setattr(reconciling, "_fetch_list", fetch_or_fail)
    monkeypatch.setattr(reconciling, "ROUND_SIZE", 1)
    for _ in range(2):
        reconciling.compare_numbers()
    troubles = Comparison.objects.order_by("number").values_list("number", "trouble")
    assert list(troubles) == [(number.pk, reconciling.BROKEN_OFF), (other.pk, "")]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == f"The texts to number {number.pk} could not be compared."


def test_a_database_error_is_left_to_the_jobs_retry(
    cast: Cast, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(reconciling, "_fetch_list", break_down)
    with pytest.raises(OperationalError):
        reconciling.compare_numbers()


def test_a_span_is_compared_again_until_its_list_is_complete(
    cast: Cast, number: Number, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = []
    answers = [True, False, False, True]

    def list_texts(_: Number, since: datetime) -> results.Listed:
        spans.append(since)
        return results.Listed((), is_all=answers[len(spans) - 1])

    monkeypatch.setattr(reconciling, "_fetch_list", list_texts)
    troubles = []
    for _ in answers:
        reconciling.compare_number(number)
        troubles.append(bool(Comparison.objects.get().trouble))
        clock.advance(HOUR)
    assert troubles == [False, True, True, False]
    assert spans[1] == spans[2] == spans[3], "the oldest texts are missing"


def test_the_first_span_too_is_compared_until_its_list_is_complete(
    cast: Cast, number: Number, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = []

    def list_texts(_: Number, since: datetime) -> results.Listed:
        spans.append(since)
        return results.Listed((), is_all=False)

    monkeypatch.setattr(reconciling, "_fetch_list", list_texts)
    for _ in range(3):
        reconciling.compare_number(number)
        clock.advance(HOUR)
    assert spans[1] == spans[2] <= spans[0]


def test_an_account_that_is_entered_anew_stores_nothing_twice(
    cast: Cast, carrier: FarEnd, number: Number
) -> None:
    text_without_webhook(carrier, "Hello?", HOUR)
    assert reconciling.compare_number(number) == 1
    anew = CarrierAccount(carrier="twilio", name="Twilio again")
    anew.set_credentials(SECRETS)
    anew.save()
    number.account = anew
    number.save()
    assert reconciling.compare_number(number) == 0
    assert Message.objects.filter(body="Hello?").count() == 1


def test_lists_that_cost_money_are_fetched_once_a_day(cast: Cast) -> None:
    now = timezone.now()
    for number in Number.objects.all():
        Comparison.objects.create(number=number, tried_at=now - reconciling.INTERVAL)
    assert reconciling._due_numbers(now).count() == 3
    CarrierAccount.objects.update(carrier="vonage")
    assert reconciling._due_numbers(now).count() == 0
    assert reconciling._due_numbers(now + timedelta(days=1)).count() == 3


@pytest.mark.parametrize(
    ("texts", "is_out"),
    [
        ([("STOP", 2)], True),
        ([("STOP", 3), ("START", 2)], False),
        ([("START", 3), ("STOP", 2)], True),
    ],
)
def test_late_keywords_are_applied_in_their_order(
    cast: Cast, carrier: FarEnd, number: Number, texts: list[tuple[str, int]], is_out: bool
) -> None:
    for text, hours in texts:
        text_without_webhook(carrier, text, hours * HOUR)
    reconciling.compare_number(number)
    assert OptOut.objects.filter(address=CUSTOMER, ended_at=None).exists() is is_out


@pytest.mark.parametrize(("before", "lost"), [(["STOP"], "START"), (["STOP", "START"], "STOP")])
def test_a_late_keyword_does_not_undo_a_later_one(
    cast: Cast, carrier: FarEnd, number: Number, before: list[str], lost: str
) -> None:
    for text in before:
        cast.text_in(text)
    text_without_webhook(carrier, lost, HOUR, sid="SM-lost")
    assert reconciling.compare_number(number) == 1
    is_out = OptOut.objects.filter(address=CUSTOMER, ended_at=None).exists()
    assert is_out is (before[-1] == "STOP")


def test_late_texts_are_on_the_page_of_history_where_they_belong(
    cast: Cast, carrier: FarEnd, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    thread = cast.thread()
    for index in range(4):
        cast.text_in(f"text {index}")
    for back, message in enumerate(Message.objects.order_by("-pk"), 1):
        make_older(message, back * HOUR)
    text_without_webhook(carrier, "between 1 and 2", 2 * HOUR + 30 * MINUTE)
    text_without_webhook(carrier, "before all", 9 * HOUR)
    assert reconciling.compare_number(number) == 2
    pages, before = [], None
    while True:
        page = history.history_page(thread, cast.ana, before)
        pages.append([entry.message.body for entry in page.entries])
        if page.older_url is None:
            break
        before = int(page.older_url.rsplit("=", 1)[1])
    assert pages == [
        ["text 2", "text 3"],
        ["text 0", "text 1", "between 1 and 2"],
        ["before all", "Is anybody there?"],
    ]
    late = Message.objects.get(body="before all")
    opened = client_of(cast.ana).get(f"/threads/{thread.pk}/?at={late.pk}").content.decode()
    assert opened.index("before all") < opened.index("Is anybody there?")


def test_the_database_allows_only_inbound_texts_with_a_time_to_be_late(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes.")
    for changes in ({"after_id": 0}, {"after_id": 0, "carrier_sent_at": timezone.now()}):
        with pytest.raises(IntegrityError, match="late_message"), transaction.atomic():
            Message.objects.filter(pk=message.pk).update(**changes)
