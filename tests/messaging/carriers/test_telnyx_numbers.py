"""Telnyx's numbers: messaging profiles that numbers share, short codes, and its own SDK."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
import telnyx
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from messaging.accounts.credentials import complete_credentials
from messaging.carriers import get_carrier, numbers, results
from messaging.carriers.numbers import Step
from messaging.models import CarrierAccount
from tests.cast import Cast
from tests.cast import client_of as signed_in
from tests.messaging.carriers.number_far_ends.base import Request
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.telnyx import PUBLIC_KEY, TelnyxNumbers
from tests.messaging.carriers.test_numbers import ONE, OURS, THEIRS, THREE, TOLL_FREE, TWO, Account


@pytest.fixture
def account() -> Account:
    return Account("telnyx", TelnyxNumbers())


@pytest.fixture
def far_end(account: Account) -> TelnyxNumbers:
    assert isinstance(account.far_end, TelnyxNumbers)
    return account.far_end


def values(steps: tuple[Step, ...]) -> list[list[tuple[str, str, str]]]:
    return [[(one.name, one.now, one.will_be) for one in step.fields] for step in steps]


def test_the_webhook_of_a_profile_with_one_number_is_set(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    assert values(account.plan(ONE)) == [[("webhook_url", THEIRS, OURS)]]


def test_a_profile_in_use_by_others_is_left_alone_and_the_number_gets_one_of_ours(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.profiles[next(iter(far_end.profiles))]["whitelisted_destinations"] = ["US", "MX"]
    route = account.find(ONE).route
    assert route is not None
    assert (route.others, route.other_count) == ((TWO,), 1)
    made, assigned = account.plan(ONE)
    assert ("whitelisted_destinations", "", "US,MX") in values((made,))[0]
    assert [one.name for one in assigned.fields] == ["messaging_profile_id"]
    account.connect(ONE)
    assert (far_end.url_of(ONE), far_end.url_of(TWO)) == (OURS, THEIRS)


def test_a_profile_without_a_webhook_is_used_and_its_other_numbers_are_named(
    account: Account, far_end: TelnyxNumbers
) -> None:
    profile = far_end.make_profile({"name": "Front desk"})
    for address in (ONE, TWO, THREE):
        far_end.add(address)
        far_end._by_address(address)["messaging_profile_id"] = profile
    [step] = account.plan(ONE)
    assert step.title == "Messaging profile Front desk"
    assert (set(step.others), step.other_count) == ({TWO, THREE}, 2)


def test_a_second_number_joins_the_profile_that_was_made(
    account: Account, far_end: TelnyxNumbers
) -> None:
    for address in (ONE, TWO):
        far_end.add(address)
        account.connect(address)
    assert len(far_end.profiles) == 1
    assert far_end.url_of(TWO) == OURS


def test_a_profile_that_was_made_without_an_answer_is_not_made_twice(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE)
    far_end.fail("reset")
    account.apply(account.plan(ONE))
    account.connect(ONE)
    assert len(far_end.profiles) == 1


def test_a_profile_of_the_older_version_is_changed_and_a_failover_taken_out(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=OURS)
    [profile] = far_end.profiles.values()
    profile |= {"webhook_api_version": "1", "webhook_failover_url": THEIRS}
    steps = account.connect(ONE)
    assert values(steps) == [
        [("webhook_api_version", "1", "2"), ("webhook_failover_url", THEIRS, "")]
    ]
    assert profile["webhook_failover_url"] is None


def test_a_disabled_profile_is_told(account: Account, far_end: TelnyxNumbers) -> None:
    far_end.add(ONE, url=THEIRS)
    next(iter(far_end.profiles.values()))["enabled"] = False
    route = account.find(ONE).route
    assert route is not None
    assert (route.words, route.host) == ("Its messaging profile is disabled", "")
    assert not route.leads_to(THEIRS)


def test_a_disabled_profile_with_our_webhook_receives_nothing_and_is_enabled(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=OURS)
    profile = next(iter(far_end.profiles.values()))
    profile["enabled"] = False
    route = account.find(ONE).route
    assert route is not None
    assert not route.leads_to(OURS)
    assert values(account.connect(ONE)) == [[("enabled", "false", "true")]]
    assert profile["enabled"] is True
    route = account.find(ONE).route
    assert route is not None
    assert route.leads_to(OURS)


def test_a_number_whose_profile_was_deleted_is_there_and_gets_one_of_ours(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.profiles.clear()
    for read in (account.find(ONE), account.read(ONE, next(iter(far_end.numbers)))):
        assert read.route is not None
        assert read.route.words == "Its messaging profile was deleted"
    account.connect(ONE)
    assert far_end.url_of(ONE) == OURS


def test_a_profile_that_is_deleted_meanwhile_does_not_make_its_number_disappear(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.fail("status", on="read", status=404, path="/phone_numbers", skip=1)
    assert account.read(ONE, next(iter(far_end.numbers))).address == ONE
    far_end.fail("status", on="read", status=404, path="/short_codes")
    assert account.find(ONE).address == ONE


def test_a_short_code_is_offered_and_connected(account: Account, far_end: TelnyxNumbers) -> None:
    far_end.add("90210")
    found = account.find("90210")
    assert (found.kind, found.can_sms, found.registration) == ("short_code", True, None)
    account.connect("90210")
    assert far_end.url_of("90210") == OURS
    assert far_end.changes[-1].path.startswith("/v2/short_codes/")


@pytest.mark.parametrize("address", [ONE, TOLL_FREE])
def test_registrations_that_may_not_be_read_are_left_out_and_told(
    account: Account, address: str
) -> None:
    path = "tollfree" if address == TOLL_FREE else "10dlc"
    account.far_end.add(address)
    account.far_end.fail("status", on="read", status=403, path=path)
    page = account.open().read_page()
    assert isinstance(page, numbers.Page)
    assert [one.registration for one in page.numbers] == [None]
    assert len(page.gaps) == 1
    assert "could not be read from Telnyx" in page.gaps[0]


def test_a_refused_key_while_registrations_are_read_is_no_gap(account: Account) -> None:
    account.far_end.add(ONE)
    account.far_end.fail("status", on="read", status=401, path="10dlc")
    assert isinstance(account.open().read_page(), results.AuthFailed)


def test_a_number_that_was_rejected_before_it_was_verified_is_verified(
    account: Account, far_end: TelnyxNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(TOLL_FREE, state="good")
    far_end.registered = {TOLL_FREE: "good", TOLL_FREE + " ": "refused"}
    registration = account.find(TOLL_FREE).registration
    assert registration is not None
    assert registration.tag == "Verified"


# The requests, beside those that Telnyx's own SDK makes of the same


def by_sdk(far_end: TelnyxNumbers, call: Callable[[telnyx.Telnyx], object]) -> Request:
    before = len(far_end.requests)
    client = client_of(far_end)
    call(telnyx.Telnyx(api_key="KEY0", http_client=client, max_retries=0))
    return far_end.requests[before]


def shape(request: Request) -> tuple[object, ...]:
    """Return what of a request the API looks at."""
    body = json.loads(request.body) if request.body else None
    return (request.method, request.path, request.query, body, request.headers["authorization"])


def test_the_requests_are_those_of_telnyxs_own_sdk(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.add(TOLL_FREE)
    account.connect(ONE)
    profile_id = far_end._by_address(ONE)["messaging_profile_id"]
    number_id = account.find(ONE).carrier_id
    ours = [shape(request) for request in far_end.requests]

    def make(client: telnyx.Telnyx) -> object:
        return client.messaging_profiles.create(
            name="Partyline",
            whitelisted_destinations=["US"],
            webhook_url=OURS,
            webhook_api_version="2",
        )

    theirs = [
        lambda c: c.phone_numbers.messaging.list(page_number=1, page_size=250),
        lambda c: c.short_codes.list(page_number=1, page_size=250),
        lambda c: c.messaging_profiles.list(page_number=1, page_size=250),
        lambda c: c.messaging_profiles.retrieve(profile_id),
        lambda c: c.messaging_profiles.list_phone_numbers(
            profile_id, page_number=1, page_size=250
        ),
        lambda c: c.phone_numbers.messaging.update(number_id, messaging_profile_id=profile_id),
        lambda c: c.messaging_10dlc.phone_number_campaigns.list(page=1, records_per_page=500),
        lambda c: c.messaging_tollfree.verification.requests.list(page=1, page_size=500),
        make,
    ]
    for call in theirs:
        assert shape(by_sdk(far_end, call)) in ours


def test_the_rest_of_the_requests_are_the_sdks_too(
    account: Account, far_end: TelnyxNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add("90210")
    [step] = account.connect(ONE)
    account.connect("90210")
    account.read(ONE, account.find(ONE).carrier_id)
    number_id, code_id = account.find(ONE).carrier_id, account.find("90210").carrier_id
    profile_id = far_end._by_address("90210")["messaging_profile_id"]
    ours = [shape(request) for request in far_end.requests]
    theirs = [
        lambda c: c.messaging_profiles.update(step.resource_id, webhook_url=OURS),
        lambda c: c.phone_numbers.messaging.retrieve(number_id),
        lambda c: c.short_codes.update(code_id, messaging_profile_id=profile_id),
    ]
    for call in theirs:
        assert shape(by_sdk(far_end, call)) in ours


# The public key


def test_the_public_key_is_read_with_the_api_key(
    far_end: TelnyxNumbers, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.carriers.http.new_client", lambda: client_of(far_end))
    account = CarrierAccount.objects.create(carrier="telnyx", name="Telnyx")
    account.set_credentials({"api_key": "KEY0"})
    account.save()
    complete_credentials(account=account)
    account.refresh_from_db()
    assert account.get_credentials() == {"api_key": "KEY0", "public_key": PUBLIC_KEY}


def test_a_public_key_that_is_stored_is_never_replaced(
    far_end: TelnyxNumbers, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.carriers.http.new_client", lambda: client_of(far_end))
    account = CarrierAccount.objects.create(carrier="telnyx", name="Telnyx")
    account.set_credentials({"api_key": "KEY0", "public_key": "typed"})
    account.save()
    complete_credentials(account=account)
    account.refresh_from_db()
    assert account.get_credentials()["public_key"] == "typed"
    assert far_end.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), results.AuthFailed),
        (httpx.Response(404), results.CannotTell),
        (httpx.Response(200, json={"data": {"public": "no key"}}), results.CannotTell),
        (httpx.Response(200, json={"data": {}}), results.CannotTell),
    ],
)
def test_a_public_key_that_cannot_be_read_is_not_made_up(
    answer: httpx.Response, kind: type
) -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    found = get_carrier("telnyx").find_credentials({"api_key": "KEY0"}, client)
    assert isinstance(found, kind)


def test_in_the_administration_the_api_key_is_all_that_is_typed(
    cast: Cast,
    far_end: TelnyxNumbers,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr("messaging.carriers.http.new_client", lambda: client_of(far_end))
    account = CarrierAccount.objects.create(carrier="telnyx", name="Telnyx")
    page = reverse("admin:messaging_carrieraccount_change", args=[account.pk])
    told = {"name": "Telnyx", "is_active": "on", "credential_api_key": "KEY0"}
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(cast.admin).post(page, told)
    account.refresh_from_db()
    assert account.get_credentials() == {"api_key": "KEY0", "public_key": PUBLIC_KEY}
