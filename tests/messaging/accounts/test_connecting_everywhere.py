"""Choosing, connecting, watching and giving back, at each carrier's far end."""

from __future__ import annotations

import httpx
import pytest
from pytest_django import Settings

from inboxes.models import Agent
from messaging.accounts.connecting import connect_numbers
from messaging.accounts.disconnecting import disconnect_number
from messaging.accounts.offered import list_offered_numbers
from messaging.accounts.watching import check_account, check_number, set_back
from messaging.carriers import http
from messaging.models import CarrierAccount, NumberConnection
from tests.cast import Cast
from tests.messaging.accounts.numbers_of_account import choose, connect, connected
from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.serve import FAR_ENDS
from tests.messaging.carriers.test_numbers import CREDENTIALS, ONE, THEIRS, THREE, TWO

State = NumberConnection.State


@pytest.fixture(params=sorted(FAR_ENDS))
def account(request: pytest.FixtureRequest, cast: Cast, settings: Settings) -> CarrierAccount:
    settings.PUBLIC_URL = "https://texts.example.com"
    made = CarrierAccount.objects.create(carrier=request.param, name="Ours")
    made.set_credentials(dict(CREDENTIALS[request.param]))
    made.save()
    return made


@pytest.fixture
def far_end(account: CarrierAccount, monkeypatch: pytest.MonkeyPatch) -> NumberFarEnd:
    numbers = FAR_ENDS[account.carrier]()

    def new_client(timeout: float | None = None) -> httpx.Client:
        return client_of(numbers)

    monkeypatch.setattr(http, "new_client", new_client)
    return numbers


@pytest.fixture
def administrator(cast: Cast) -> Agent:
    return cast.ana


@pytest.mark.parametrize("url", ["", THEIRS])
@pytest.mark.parametrize("is_shared", [False, True])
def test_what_was_shown_is_what_is_changed(
    account: CarrierAccount, far_end: NumberFarEnd, url: str, is_shared: bool
) -> None:
    far_end.add(ONE, url=url)
    far_end.add(TWO, together_with=ONE if is_shared and url else "")
    chosen = choose(account, ONE)
    assert chosen[ONE]
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "done", outcome
    assert far_end.url_of(ONE) == account.webhook_url
    row = list_offered_numbers(account).by_address[ONE]
    assert row.is_connected


def test_several_numbers_of_one_click_are_all_connected(
    account: CarrierAccount, far_end: NumberFarEnd
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.add(THREE)
    outcomes = connect(account, ONE, TWO, THREE)
    assert [one.is_good or one.result for one in outcomes] == [True, True, True]
    for address in (ONE, TWO, THREE):
        assert far_end.url_of(address) == account.webhook_url


def test_what_was_changed_since_it_was_shown_is_not_overwritten(
    account: CarrierAccount, far_end: NumberFarEnd
) -> None:
    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    far_end.change_elsewhere(ONE, "https://somebody.example.org/")
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    # Bandwidth's location changes its application whatever that one's address is.
    if account.carrier != "bandwidth":
        assert outcome.result == "otherwise"
        assert far_end.url_of(ONE) == "https://somebody.example.org/"


def test_a_connected_number_is_watched_changed_elsewhere_and_set_back(
    account: CarrierAccount, far_end: NumberFarEnd, administrator: Agent
) -> None:
    far_end.add(ONE)
    connection = connected(account, ONE)
    assert check_account(account=account) == 1
    far_end.change_elsewhere(ONE, THEIRS)
    connection = check_number(connection=connection)
    assert connection.state == State.CHANGED
    assert set_back(connection=connection, agent=administrator).is_good
    assert far_end.url_of(ONE) == account.webhook_url
    connection.refresh_from_db()
    assert check_number(connection=connection).state == State.OURS


def test_a_number_is_given_back_as_it_was(
    account: CarrierAccount, far_end: NumberFarEnd, administrator: Agent
) -> None:
    far_end.add(ONE, url=THEIRS)
    connection = connected(account, ONE)
    outcome = disconnect_number(connection=connection, agent=administrator)
    assert outcome.is_good, outcome
    assert far_end.url_of(ONE) == THEIRS


def test_the_first_of_two_that_share_something_is_given_back_without_harm_to_the_other(
    account: CarrierAccount, far_end: NumberFarEnd, administrator: Agent
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    for address in (ONE, TWO):
        connected(account, address)
    for address in (ONE, TWO):
        before = far_end.url_of(TWO)
        connection = NumberConnection.objects.get(address=address)
        assert disconnect_number(connection=connection, agent=administrator).is_good
        if address == ONE:
            assert far_end.url_of(TWO) == before == account.webhook_url
    assert [far_end.url_of(address) for address in (ONE, TWO)] == [THEIRS, THEIRS]


@pytest.mark.parametrize("account", ["bandwidth"], indirect=True)
def test_what_is_half_done_is_not_said_to_be_unchanged(
    account: CarrierAccount, far_end: NumberFarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE, url=THEIRS)
    chosen = choose(account, ONE)
    answered = far_end.answer

    def answer(request: Request) -> Answer:
        """Be out of order from the second change on."""
        return answered(request) if len(far_end.changes) < 2 else far_end.refuse(500, {})

    monkeypatch.setattr(far_end, "answer", answer)
    far_end.fail("refused", skip=1)
    [outcome] = connect_numbers(account=account, chosen=chosen, agent=None)
    assert outcome.result == "unknown"
    assert "It isn't finished: Bandwidth can't be asked just now" in outcome.words
    assert "Nothing was changed" not in outcome.words


@pytest.mark.parametrize("kind", ["reset", "silence"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_connection_that_broke_off_is_taken_up_again(
    account: CarrierAccount, far_end: NumberFarEnd, kind: str, skip: int
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    chosen = choose(account, ONE)
    far_end.fail(kind, skip=skip)  # type: ignore[arg-type]
    connect_numbers(account=account, chosen=chosen, agent=None)
    far_end.failures.clear()
    NumberConnection.objects.update(claimed_at=None)
    [outcome] = connect(account, ONE)
    assert outcome.is_good, outcome
    assert far_end.url_of(ONE) == account.webhook_url
