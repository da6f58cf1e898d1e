"""A number of ours moves to another account of ours, or stays where it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from messaging.accounts.connecting import connect_numbers
from messaging.accounts.disconnecting import disconnect_number
from messaging.accounts.offered import list_offered_numbers
from messaging.accounts.watching import check_due_numbers, check_number
from messaging.carriers import numbers
from messaging.carriers.twilio_numbers import TwilioDirectory
from messaging.models import CarrierAccount, Message, Number, NumberConnection
from tests.cast import FRONT_DESK, Cast, client_of
from tests.clock import Clock, clock
from tests.markup import read_words
from tests.messaging.accounts.conftest import CREDENTIALS
from tests.messaging.accounts.numbers_of_account import THEIRS, choose, connect, connected
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.carriers.number_far_ends.twilio import TOKEN, TwilioNumbers
from tests.messaging.stepped_worker import run_jobs

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

State = NumberConnection.State


@pytest.fixture
def second(account: CarrierAccount) -> CarrierAccount:
    """Return another account of ours, which the carrier says has the number."""
    made = CarrierAccount.objects.create(carrier="twilio", name="The new one")
    made.set_credentials(CREDENTIALS)
    made.save()
    return made


@pytest.fixture
def number(cast: Cast) -> Number:
    return Number.objects.get(address=FRONT_DESK)


def numbers_page(cast: Cast, account: CarrierAccount) -> str:
    url = reverse("admin:messaging_carrieraccount_numbers", args=[account.pk])
    return read_words(client_of(cast.admin).get(url))


@pytest.mark.django_db(transaction=True)
def test_a_number_goes_with_its_inbox_to_the_account_in_which_it_is_connected(
    cast: Cast, number: Number, second: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK)
    post_webhook(second, text_fields("Already by the new one", to=FRONT_DESK), token=TOKEN)
    assert not Message.objects.exists()
    chosen = choose(second, FRONT_DESK)
    row = list_offered_numbers(second).by_address[FRONT_DESK]
    assert (row.is_choosable, row.is_preselected) == (True, False)
    words = f"Tick it to move it here from the account {number.account}; its inbox stays."
    assert words in numbers_page(cast, second)
    [outcome] = connect_numbers(account=second, chosen=chosen, agent=None)
    assert outcome.result == "done"
    number.refresh_from_db()
    assert number.account == second
    run_jobs()
    assert Message.objects.get().inbox_id == number.inbox_id, "what came before is not lost"


def test_a_number_that_is_connected_in_one_account_is_not_taken_by_another(
    cast: Cast,
    number: Number,
    account: CarrierAccount,
    second: CarrierAccount,
    far_end: TwilioNumbers,
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    connected(account, FRONT_DESK)
    changes = len(far_end.changes)
    chosen = choose(second, FRONT_DESK)
    row = list_offered_numbers(second).by_address[FRONT_DESK]
    assert (row.is_choosable, row.is_connected, row.tag) == (False, False, "With another account")
    assert f"connected with the account {account}. Give it back" in numbers_page(cast, second)
    [outcome] = connect_numbers(account=second, chosen=chosen, agent=None)
    assert outcome.result == "trouble"
    assert "Give it back there first" in outcome.words
    assert len(far_end.changes) == changes
    connection = NumberConnection.objects.get()
    assert (connection.account, connection.state) == (account, State.OURS)
    assert Number.objects.get(pk=number.pk).account == account


def gone(account: CarrierAccount, far_end: TwilioNumbers) -> NumberConnection:
    """Connect a number that leaves the account afterwards, and is in the other one again."""
    far_end.add(FRONT_DESK, url="https://at-the-old-one.example.org/")
    row = connected(account, FRONT_DESK)
    far_end.numbers.clear()
    row = check_number(connection=row)
    assert row.state == State.GONE
    far_end.add(FRONT_DESK, url=THEIRS)
    return row


def test_a_ported_number_forgets_what_was_there_in_the_account_that_had_it(
    number: Number, account: CarrierAccount, second: CarrierAccount, far_end: TwilioNumbers
) -> None:
    row = gone(account, far_end)
    [outcome] = connect(second, FRONT_DESK)
    assert outcome.result == "done"
    row.refresh_from_db()
    assert (row.account, row.state) == (second, State.OURS)
    assert Number.objects.get(pk=number.pk).account == second
    happened = [(one.kind, one.words) for one in row.events.all()]
    assert happened[:2] == [
        ("connected", ""),
        ("left", "The number is in the account The new one now."),
    ]
    disconnect_number(connection=row, agent=None)
    assert far_end.url_of(FRONT_DESK) == THEIRS


def test_a_move_that_the_carrier_refuses_leaves_everything_as_it_was(
    number: Number, account: CarrierAccount, second: CarrierAccount, far_end: TwilioNumbers
) -> None:
    row = gone(account, far_end)
    before = row.get_steps()
    far_end.fail("status", status=400)
    [outcome] = connect(second, FRONT_DESK)
    assert outcome.result == "trouble"
    row.refresh_from_db()
    assert (row.account, row.state, row.get_steps()) == (account, State.GONE, before)
    assert Number.objects.get(pk=number.pk).account == account


def test_a_move_that_broke_off_is_complete_once_the_texts_come_here(
    number: Number,
    account: CarrierAccount,
    second: CarrierAccount,
    far_end: TwilioNumbers,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply = TwilioDirectory.apply

    def stop(directory: TwilioDirectory, step: numbers.Step) -> None:
        apply(directory, step)
        raise SystemExit

    row = gone(account, far_end)
    chosen = choose(second, FRONT_DESK)
    with monkeypatch.context() as patch:
        patch.setattr(TwilioDirectory, "apply", stop)
        with pytest.raises(SystemExit):
            connect_numbers(account=second, chosen=chosen, agent=None)
    clock.advance(timedelta(minutes=6))
    check_due_numbers()
    row.refresh_from_db()
    assert (row.account, row.state) == (second, State.OURS)
    assert Number.objects.get(pk=number.pk).account == second


def test_another_account_chosen_by_hand_is_not_watched_by_the_one_before(
    cast: Cast,
    number: Number,
    account: CarrierAccount,
    second: CarrierAccount,
    far_end: TwilioNumbers,
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    row = connected(account, FRONT_DESK)
    changes = len(far_end.changes)
    url = reverse("admin:messaging_number_change", args=[number.pk])
    form = {"account": second.pk, "inbox": number.inbox_id, "segments_per_second": ""}
    assert client_of(cast.admin).post(url, form).status_code == 302
    row.refresh_from_db()
    assert (row.account, row.state, row.get_steps()) == (account, State.DISCONNECTED, [])
    assert len(far_end.changes) == changes
    assert "doesn't watch this number" in read_words(client_of(cast.admin).get(url))
    assert connect(second, FRONT_DESK)[0].is_good


def test_a_number_is_not_said_to_be_received_by_the_account_of_another_connection(
    cast: Cast,
    number: Number,
    account: CarrierAccount,
    second: CarrierAccount,
    far_end: TwilioNumbers,
) -> None:
    far_end.add(FRONT_DESK)
    connected(account, FRONT_DESK)
    Number.objects.filter(pk=number.pk).update(account=second)
    client = client_of(cast.admin)
    page = client.get(reverse("admin:messaging_number_change", args=[number.pk]))
    assert "doesn't watch this number" in read_words(page)
    listed = read_words(client.get(reverse("admin:messaging_number_changelist")))
    assert "Receiving" not in listed.partition("(202) 555-0110")[2].partition("</tr>")[0]
    choose(second, FRONT_DESK)
    assert list_offered_numbers(second).by_address[FRONT_DESK].is_choosable
