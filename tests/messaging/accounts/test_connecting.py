"""Choosing numbers of an account: their webhook is set to ours, or nothing is changed."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from inboxes.models import Inbox
from messaging.accounts.adding import add_number
from messaging.accounts.connecting import connect_numbers
from messaging.accounts.disconnecting import describe_undoing, disconnect_number
from messaging.accounts.offered import list_offered_numbers, read_offered_numbers
from messaging.accounts.watching import check_due_numbers, check_number, set_back
from messaging.carriers import numbers, results
from messaging.carriers.twilio_numbers import TwilioDirectory
from messaging.models import CarrierAccount, ConnectionEvent, Message, NumberConnection
from tests.cast import FRONT_DESK, Cast
from tests.clock import Clock, clock
from tests.messaging.accounts.numbers_of_account import THEIRS, choose, connect, connected
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.carriers.number_far_ends.base import Answer, Request
from tests.messaging.carriers.number_far_ends.twilio import TOKEN, TwilioNumbers
from tests.messaging.stepped_worker import run_jobs

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = FRONT_DESK, "+12025550120", "+13035550140"
State = NumberConnection.State


def kinds(row: NumberConnection) -> list[str]:
    return [str(one.kind) for one in row.events.all()]


def test_the_numbers_of_the_account_say_where_their_texts_go(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    far_end.add(TWO, url=account.webhook_url)
    far_end.add(THREE, url=THEIRS, can_mms=False)
    far_end.add("+18005550199", state="missing")
    assert read_offered_numbers(account=account) is None
    offered = list_offered_numbers(account)
    rows = offered.by_address
    assert [rows[one].tag for one in (ONE, TWO, THREE)] == [
        "Free",
        "Comes here",
        "In use elsewhere",
    ]
    assert rows[THREE].goes_to == "Texts now go to hooks.example.net."
    assert (rows[ONE].can, rows[THREE].can) == ("Text and pictures", "Text only")
    free = [row.address for row in offered.rows if row.is_preselected]
    assert free == [ONE], "neither one in use elsewhere, nor one that may not send"
    assert offered.is_complete
    assert rows[ONE].number is not None
    assert [row.address for row in offered.search("303 555")] == [THREE]
    assert far_end.changes == []


def test_leafing_through_the_list_asks_the_carrier_nothing(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    read_offered_numbers(account=account)
    asked = len(far_end.requests)
    list_offered_numbers(account).search("2025")
    assert len(far_end.requests) == asked


def test_a_connected_number_brings_its_texts_here_and_says_who_did_it(
    cast: Cast, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    [outcome] = connect(account, ONE, agent=cast.admin)
    assert outcome.result == "done"
    assert far_end.url_of(ONE) == account.webhook_url
    row = NumberConnection.objects.get()
    assert (row.state, row.connected_by) == (State.OURS, cast.admin)
    assert kinds(row) == ["connected"]
    assert [one.form for one in far_end.changes] == [{"SmsUrl": account.webhook_url}]
    assert "hooks.example.net" not in row.encrypted_steps


def test_only_the_chosen_number_is_changed(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    far_end.add(TWO, url=THEIRS)
    connect(account, ONE)
    assert far_end.url_of(TWO) == THEIRS


def test_a_number_that_is_ours_already_is_watched_without_a_change(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=account.webhook_url)
    [outcome] = connect(account, ONE)
    assert outcome.result == "nothing_to_do"
    assert far_end.changes == []
    assert NumberConnection.objects.get().state == State.OURS


def test_what_was_changed_since_it_was_shown_is_not_overwritten(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    chosen = choose(account, ONE)
    far_end.change_elsewhere(ONE, THEIRS)
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "otherwise"
    assert far_end.changes == []
    assert not NumberConnection.objects.exists()


def test_a_messaging_service_is_changed_with_the_names_of_all_its_numbers(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    chosen = choose(account, ONE)
    row = list_offered_numbers(account).by_address[ONE]
    [step] = row.steps
    assert (step.others, step.other_count) == ((TWO,), 1)
    assert "by the messaging service" in row.goes_to
    assert not row.is_preselected
    connect_numbers(account=account, chosen=chosen, agent=None)
    assert far_end.url_of(TWO) == account.webhook_url


def test_giving_a_number_back_sets_what_was_there_before(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    row = connected(account, ONE)
    [undoing] = describe_undoing(row)
    assert [(one.now, one.will_be) for one in undoing.fields] == [(account.webhook_url, THEIRS)]
    assert disconnect_number(connection=row, agent=None).result == "done"
    assert far_end.url_of(ONE) == THEIRS
    row.refresh_from_db()
    assert (row.state, row.next_check_at) == (State.DISCONNECTED, None)
    assert kinds(row) == ["disconnected", "connected"]


def test_giving_back_leaves_alone_what_somebody_changed_since(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    row = connected(account, ONE)
    far_end.change_elsewhere(ONE, "https://third.example.org/")
    disconnect_number(connection=row, agent=None)
    assert far_end.url_of(ONE) == "https://third.example.org/"
    row.refresh_from_db()
    assert kinds(row)[0] == "left"


def test_an_application_gets_its_number_back(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url="https://unused.example.org/")
    application = far_end.make_application(THEIRS, far_end.sid_of(ONE))
    row = connected(account, ONE)
    assert far_end.url_of(ONE) == account.webhook_url
    assert far_end.applications[application]["sms_url"] == THEIRS
    disconnect_number(connection=row, agent=None)
    number = far_end.numbers[far_end.sid_of(ONE)]
    assert number["sms_application_sid"] == application
    assert number["sms_url"] == "https://unused.example.org/"


def test_a_service_is_given_back_with_the_last_of_its_numbers(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    first, second = connected(account, ONE), connected(account, TWO)
    assert describe_undoing(first) == []
    disconnect_number(connection=first, agent=None)
    assert far_end.url_of(TWO) == account.webhook_url
    disconnect_number(connection=second, agent=None)
    assert far_end.url_of(TWO) == THEIRS


def test_a_service_is_given_back_when_the_other_number_has_left_the_account(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    first, second = connected(account, ONE), connected(account, TWO)
    NumberConnection.objects.filter(pk=second.pk).update(state=State.GONE)
    assert describe_undoing(first) != []
    disconnect_number(connection=first, agent=None)
    assert far_end.url_of(ONE) == THEIRS


def test_a_number_that_was_set_back_still_remembers_what_was_there_first(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    row = connected(account, ONE)
    far_end.change_elsewhere(ONE, "https://third.example.org/")
    row = check_number(connection=row)
    assert row.state == State.CHANGED
    assert set_back(connection=row, agent=None).result == "done"
    row.refresh_from_db()
    disconnect_number(connection=row, agent=None)
    assert far_end.url_of(ONE) == THEIRS


FAILURES: list[tuple[dict[str, Any], type, str]] = [
    ({"kind": "status", "status": 401}, results.AuthFailed, "stored secrets"),
    ({"kind": "status", "status": 403}, results.Forbidden, "changing phone numbers"),
    (
        {"kind": "status", "status": 429, "headers": {"retry-after": "30"}},
        results.RateLimited,
        "wait for 30 seconds",
    ),
    ({"kind": "status", "status": 400}, results.Refused, "refused"),
    ({"kind": "refused"}, results.CannotTell, "can't be asked"),
    ({"kind": "reset_untaken"}, results.CannotTell, "can't be asked"),
    ({"kind": "status", "status": 500}, results.CannotTell, "Nothing was changed"),
]


@pytest.mark.parametrize(("failure", "trouble", "words"), FAILURES)
def test_whatever_the_carrier_answers_nothing_is_half_done(
    account: CarrierAccount,
    far_end: TwilioNumbers,
    failure: dict[str, Any],
    trouble: type,
    words: str,
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.fail(**failure)
    [outcome] = connect(account, ONE)
    assert (outcome.result, type(outcome.trouble)) == ("trouble", trouble)
    assert words in outcome.words
    assert far_end.url_of(ONE) == THEIRS
    assert not NumberConnection.objects.exists()
    [again] = connect(account, ONE)
    assert again.result == "done"


@pytest.mark.parametrize("kind", ["reset", "garbled"])
def test_a_change_that_was_made_without_an_answer_is_seen(
    account: CarrierAccount, far_end: TwilioNumbers, kind: Any
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.fail(kind)
    [outcome] = connect(account, ONE)
    assert outcome.result == "done"
    assert far_end.url_of(ONE) == account.webhook_url
    disconnect_number(connection=NumberConnection.objects.get(), agent=None)
    assert far_end.url_of(ONE) == THEIRS


def test_a_carrier_that_falls_silent_after_the_change_leaves_it_to_be_finished(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    far_end.fail("reset")
    far_end.fail("silence", on="read", path="IncomingPhoneNumbers/PN", skip=1)
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "unknown"
    row = NumberConnection.objects.get()
    assert (row.state, row.is_claimed(timezone.now())) == (State.CONNECTING, False)
    assert row.next_check_at is not None
    shown = list_offered_numbers(account).by_address[ONE]
    assert (shown.tag, shown.is_connected, shown.is_choosable) == ("Not finished", False, True)
    row = check_number(connection=row)
    assert row.state == State.OURS
    disconnect_number(connection=row, agent=None)
    assert far_end.url_of(ONE) == THEIRS


def test_trouble_that_is_the_accounts_is_not_tried_on_every_number(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    for address in (ONE, TWO, THREE):
        far_end.add(address)
    far_end.fail("status", status=429, skip=1)
    outcomes = connect(account, ONE, TWO, THREE)
    assert [one.result for one in outcomes] == ["done", "trouble", "left"]
    assert len(far_end.changes) == 2


def test_all_calls_of_a_click_end_before_the_proxy_gives_up(
    account: CarrierAccount, far_end: TwilioNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    far_end.requests.clear()
    started = time.monotonic()
    answered = far_end.answer

    def answer_late(request: Request) -> Answer:
        monkeypatch.setattr(time, "monotonic", lambda: started + 25)
        return answered(request)

    monkeypatch.setattr(far_end, "answer", answer_late)
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "trouble"
    assert "no time left" in outcome.words
    assert "Nothing was changed" in outcome.words
    assert len(far_end.requests) == 1


def test_a_number_that_left_the_account_is_said_to_be_gone(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    chosen = choose(account, ONE)
    far_end.numbers.clear()
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "trouble"
    assert "doesn't know this number" in outcome.words


def test_what_broke_off_is_taken_up_by_choosing_the_number_again(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    NumberConnection.objects.create(
        account=account, address=ONE, carrier_id=far_end.sid_of(ONE), state=State.CONNECTING
    )
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "done"
    assert NumberConnection.objects.get().state == State.OURS


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost", "https://[::1]"])
def test_nothing_is_set_to_an_address_that_no_carrier_can_reach(
    account: CarrierAccount, far_end: TwilioNumbers, settings: Settings, address: str
) -> None:
    far_end.add(ONE, url=THEIRS)
    row = connected(account, ONE)
    far_end.change_elsewhere(ONE, THEIRS)
    changes = len(far_end.changes)
    settings.PUBLIC_URL = address
    outcomes = [*connect(account, ONE), set_back(connection=row, agent=None)]
    for outcome in outcomes:
        assert outcome.result == "trouble"
        assert f"can't reach this Partyline at {address}" in outcome.words
    assert len(far_end.changes) == changes


def test_two_administrators_do_not_change_one_number_at_once(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    chosen = choose(account, ONE)
    connect(account, ONE)
    NumberConnection.objects.update(claimed_at=timezone.now())
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "busy"
    NumberConnection.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))
    [outcome] = connect_numbers(account=account, chosen={ONE: ""}, agent=None)
    assert outcome.is_good, "a claim of somebody who was interrupted runs out"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_connects(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(ONE)
    chosen = choose(account, ONE)
    found: list[str] = []
    together = threading.Barrier(2)

    def click() -> None:
        together.wait()
        found.extend(
            one.result for one in connect_numbers(account=account, chosen=chosen, agent=None)
        )
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(found)[-1:] != ["trouble"]
    assert "done" in found
    assert len(far_end.changes) == 1
    assert NumberConnection.objects.get().state == State.OURS
    assert ConnectionEvent.objects.count() <= 2


def test_an_account_with_5000_numbers_is_read_in_pieces(
    account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    for at in range(5000):
        far_end.add(f"+1604{at:07}")
    assert read_offered_numbers(account=account, seconds=0) is None
    first = list_offered_numbers(account)
    assert (len(first.rows), first.is_complete) == (1000, False)
    far_end.fail("status", on="read", status=503)
    assert isinstance(read_offered_numbers(account=account, again=False), results.CannotTell)
    assert len(list_offered_numbers(account).rows) == 1000, "what was read is kept"
    assert read_offered_numbers(account=account, again=False) is None
    whole = list_offered_numbers(account)
    assert (len(whole.rows), whole.is_complete) == (5000, True)
    assert len(far_end.requests) < 30


@pytest.mark.django_db(transaction=True)
def test_texts_that_came_before_their_number_had_an_inbox_are_replayed(
    cast: Cast, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(TWO)
    connect(account, TWO)
    fields = text_fields("Anybody there?", to=TWO)
    assert post_webhook(account, fields, token=TOKEN).status_code == 200
    inbox = Inbox.objects.create(name="Sales")
    number = add_number(account=account, address=TWO, inbox=inbox)
    run_jobs()
    assert Message.objects.get().inbox_id == number.inbox_id


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_server_that_stops_in_the_middle_leaves_what_can_be_finished_or_undone(
    account: CarrierAccount,
    far_end: TwilioNumbers,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    is_taken: bool,
) -> None:
    apply = TwilioDirectory.apply

    def stop(directory: TwilioDirectory, step: numbers.Step) -> None:
        if is_taken:
            apply(directory, step)
        raise SystemExit

    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    with monkeypatch.context() as patch:
        patch.setattr(TwilioDirectory, "apply", stop)
        with pytest.raises(SystemExit):
            connect_numbers(account=account, chosen=chosen, agent=None)
    row = NumberConnection.objects.get()
    assert row.state == State.CONNECTING
    assert connect_numbers(account=account, chosen=chosen, agent=None)[0].result == "busy"
    clock.advance(timedelta(minutes=6))
    check_due_numbers()
    row.refresh_from_db()
    assert row.state == (State.OURS if is_taken else State.CONNECTING)
    if not is_taken:
        assert row.trouble == "connecting it broke off"
        assert set_back(connection=row, agent=None).result == "done"
        row.refresh_from_db()
    assert far_end.url_of(ONE) == account.webhook_url
    disconnect_number(connection=row, agent=None)
    assert far_end.url_of(ONE) == THEIRS
