"""Bandwidth's numbers: locations that share an application, XML, passwords that are never told."""

from __future__ import annotations

import httpx
import pytest
from pytest_django import Settings

from messaging.accounts.credentials import complete_credentials
from messaging.accounts.offered import list_offered_numbers
from messaging.carriers import (
    bandwidth_applications,
    bandwidth_login,
    bandwidth_xml,
    events,
    get_carrier,
    http,
    numbers,
    results,
)
from messaging.carriers.numbers import Step
from messaging.models import CarrierAccount
from tests.messaging.accounts.numbers_of_account import choose, connect, connected
from tests.messaging.carriers.number_far_ends.bandwidth import BandwidthNumbers, read_xml
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.test_numbers import (
    CREDENTIALS,
    ONE,
    OURS,
    THEIRS,
    THREE,
    TOLL_FREE,
    TWO,
    Account,
)

OUR_PASSWORD = "the-callback-password"


@pytest.fixture
def account() -> Account:
    return Account("bandwidth", BandwidthNumbers())


@pytest.fixture
def far_end(account: Account) -> BandwidthNumbers:
    assert isinstance(account.far_end, BandwidthNumbers)
    return account.far_end


def values(step: Step) -> dict[str, tuple[str, str]]:
    return {one.name: (one.now, one.will_be) for one in step.fields}


def test_our_application_gets_our_address_before_the_location_gets_our_application(
    account: Account, far_end: BandwidthNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    application, location = account.plan(ONE)
    assert values(application)["InboundCallbackUrl"] == ("", OURS)
    assert values(location) == {"HttpMessagingV2AppId": ("app-1", "app-ours")}
    assert (location.others, location.other_count) == ((TWO,), 1)
    account.connect(ONE)
    stored = far_end.applications["app-ours"]
    name = bandwidth_applications.login_name("callbacks", OUR_PASSWORD)
    login = {"UserId": name, "Password": OUR_PASSWORD}
    assert stored == {
        "ServiceType": "Messaging-V2",
        "AppName": "Texts",
        "InboundCallbackUrl": OURS,
        "OutboundCallbackUrl": OURS,
        "InboundCallbackCreds": login,
        "OutboundCallbackCreds": login,
        "RequestedCallbackTypes": {
            "CallbackType": ["message-delivered", "message-failed", "message-sending"]
        },
    }


def test_the_numbers_of_all_locations_of_our_application_are_counted(
    account: Account, far_end: BandwidthNumbers
) -> None:
    far_end.locations[("483", "500200")] = "app-ours"
    far_end.locations[("482", "500018")] = "app-ours"
    for address in (ONE, TWO):
        far_end.add(address)
    far_end.numbers[THREE] = {"place": ("483", "500200"), "sms": True, "state": "good"}
    [step] = account.plan(ONE)
    assert (step.title, step.others, step.other_count) == ("Application Texts", (TWO,), 2)


def test_our_password_is_in_no_step_and_goes_to_nobody_else(
    account: Account, far_end: BandwidthNumbers
) -> None:
    before = {"UserId": "theirs", "Password": "their-password"}
    far_end.add(ONE)
    far_end.locations[("482", "500018")] = "app-ours"
    far_end.applications["app-ours"] |= {
        "InboundCallbackUrl": THEIRS,
        "InboundCallbackCreds": before,
    }
    [step] = account.connect(ONE)
    ours = bandwidth_applications.login_name("callbacks", OUR_PASSWORD)
    assert values(step)["InboundCallbackCreds"] == ("theirs", ours)
    assert OUR_PASSWORD not in str(step.as_values())
    assert isinstance(account.open().apply(step.reversed()), numbers.Applied)
    now = far_end.applications["app-ours"]
    assert (now["InboundCallbackUrl"], now["InboundCallbackCreds"]["UserId"]) == (THEIRS, "theirs")
    assert now["InboundCallbackCreds"]["Password"] not in (OUR_PASSWORD, "their-password", "")
    assert "OutboundCallbackCreds" not in now


def test_a_location_that_had_no_application_has_none_again(
    account: Account, far_end: BandwidthNumbers
) -> None:
    far_end.add(ONE)
    *_, location = account.connect(ONE)
    assert isinstance(account.open().apply(location.reversed()), numbers.Applied)
    assert far_end.locations[("482", "500018")] == ""
    assert (
        far_end.changes[-1]
        .body.decode()
        .endswith("<ApplicationsSettings>REMOVE</ApplicationsSettings>")
    )


def test_a_location_without_pictures_has_numbers_for_text_only(account: Account) -> None:
    account.far_end.add(ONE, can_mms=False)
    found = account.find(ONE)
    assert (found.can_sms, found.can_mms) == (True, False)


def test_ten_digits_of_the_older_version_are_a_number(
    account: Account, far_end: BandwidthNumbers
) -> None:
    far_end.numbers["2025550110"] = {"place": ("482", "500018"), "sms": True, "state": "good"}
    assert account.find(ONE).carrier_id == "2025550110"
    account.connect(ONE)
    assert far_end.url_of("2025550110") == OURS


def test_a_number_of_another_account_is_not_there(
    account: Account, far_end: BandwidthNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE)
    details = far_end._details(ONE)
    others = details.body.replace(b"<AccountId>9900000<", b"<AccountId>1<")
    monkeypatch.setattr(far_end, "_details", lambda _: type(details)(200, others, details.headers))
    assert account.open().read_number(ONE, ONE) == numbers.NotThere()


@pytest.mark.parametrize(("address", "role"), [(ONE, "tendlc"), (TOLL_FREE, "tollFree")])
def test_a_role_that_the_credential_lacks_for_registrations_is_told(
    account: Account, address: str, role: str
) -> None:
    account.far_end.add(address)
    account.far_end.fail("status", on="read", status=403, path=role)
    page = account.open().read_page()
    assert isinstance(page, numbers.Page)
    assert [one.registration for one in page.numbers] == [None]
    assert len(page.gaps) == 1


@pytest.mark.parametrize(("path", "role"), [("sites", "Configuration"), ("/tns", "Numbers")])
def test_a_role_that_the_credential_lacks_for_the_list_is_named(
    account: Account, path: str, role: str
) -> None:
    account.far_end.add(ONE)
    account.far_end.fail("status", on="read", status=403, path=path)
    answer = account.open().read_page()
    assert isinstance(answer, results.Forbidden)
    assert answer.permission == role


def test_a_number_without_a_campaign_is_not_registered(
    account: Account, far_end: BandwidthNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE)
    answer = far_end._answer_registrations

    def without_campaign(*given: object) -> object:
        told = answer(*given)  # type: ignore[arg-type]
        return type(told)(200, told.body.replace(b'"campaignId"', b'"other"'), told.headers)

    monkeypatch.setattr(far_end, "_answer_registrations", without_campaign)
    registration = account.find(ONE).registration
    assert registration is not None
    assert registration.tag == "Not registered"


def test_the_login_is_made_when_the_token_is_gone(
    account: Account, far_end: BandwidthNumbers
) -> None:
    far_end.add(ONE)
    bandwidth_login.forget(CREDENTIALS["bandwidth"])
    assert account.find(ONE).address == ONE
    assert far_end.requests[0].path == "/api/v1/oauth2/token"
    assert len([one for one in far_end.requests if "oauth2" in one.path]) == 1


def test_a_login_that_fails_is_the_accounts_trouble(account: Account) -> None:
    bandwidth_login.forget(CREDENTIALS["bandwidth"])
    account.far_end.fail("status", on="read", status=500)
    assert isinstance(account.open().read_page(), results.CannotTell)
    account.far_end.fail("status", on="read", status=401)
    assert isinstance(account.open().read_page(), results.AuthFailed)


# XML


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        "<a>" * 100_000,
        "<a>" * 50_000 + "</a>" * 50_000,
        '<?xml version="1.0" encoding="none"?><a/>',
        "<a",
        "",
        "not XML",
    ],
)
def test_xml_that_is_hostile_or_none_says_nothing(body: str) -> None:
    response = httpx.Response(200, text=body, headers={"content-type": "application/xml"})
    assert bandwidth_xml.read_answer(response) == {}


# After the examples of Bandwidth's description of its API
ONE_APPLICATION = "<Application><ApplicationId>2cfcb382</ApplicationId></Application>"
ANOTHER = (
    "<Application><ApplicationId>0cb0112b</ApplicationId><!--DEPRECATED-->"
    "<ServiceType>Messaging-V2</ServiceType></Application>"
)


@pytest.mark.parametrize(
    ("listed", "ids"),
    [
        (ONE_APPLICATION + ANOTHER, ["2cfcb382", "0cb0112b"]),
        (ONE_APPLICATION, ["2cfcb382"]),
        ("", []),
    ],
)
def test_a_list_of_none_one_or_several_is_read_alike(listed: str, ids: list[str]) -> None:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    root = "ApplicationProvisioningResponse"
    body = f"{head}<{root}><ApplicationList>{listed}</ApplicationList></{root}>"
    answer = bandwidth_xml.read_answer(httpx.Response(200, text=body))
    found = bandwidth_xml.each(bandwidth_xml.part(answer, root, "ApplicationList"), "Application")
    assert [bandwidth_xml.text(one, "ApplicationId") for one in found] == ids


def test_an_error_is_read_with_its_number_and_words() -> None:
    body = (
        "<AssociatedSipPeersResponse><ResponseStatus><ErrorCode>13629</ErrorCode>"
        "<Description>Application with id 'x' not found</Description></ResponseStatus>"
        "</AssociatedSipPeersResponse>"
    )
    answer = bandwidth_xml.read_answer(httpx.Response(404, text=body))
    assert bandwidth_xml.read_error(answer) == ("13629", "Application with id 'x' not found")


def test_what_is_written_is_escaped_and_can_be_read_again() -> None:
    value = {"InboundCallbackUrl": "https://a.example/?a=1&b=<2>", "Types": {"Type": ["x", "y"]}}
    assert read_xml(bandwidth_xml.write("Application", value).encode()) == value


# Credentials that nobody need type


@pytest.fixture
def stored(far_end: BandwidthNumbers, db: None, monkeypatch: pytest.MonkeyPatch) -> CarrierAccount:
    monkeypatch.setattr("messaging.carriers.http.new_client", lambda: client_of(far_end))
    account = CarrierAccount.objects.create(carrier="bandwidth", name="Bandwidth")
    typed = ("account_id", "client_id", "client_secret")
    account.set_credentials({name: CREDENTIALS["bandwidth"][name] for name in typed})
    account.save()
    return account


def test_the_only_messaging_application_is_found_and_the_callbacks_login_made_up(
    stored: CarrierAccount,
) -> None:
    complete_credentials(account=stored)
    stored.refresh_from_db()
    credentials = stored.get_credentials()
    assert credentials["application_id"] == "app-ours"
    assert credentials["callback_user"] == "partyline"
    assert len(credentials["callback_password"]) >= 40
    before = credentials["callback_password"]
    complete_credentials(account=stored)
    assert stored.get_credentials()["callback_password"] == before


@pytest.mark.parametrize("is_carried_by_the_user", [True, False])
def test_another_callback_password_is_set_at_bandwidth_and_seen_to_be_due(
    stored: CarrierAccount,
    far_end: BandwidthNumbers,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    is_carried_by_the_user: bool,
) -> None:
    settings.PUBLIC_URL = "https://texts.example.com"
    monkeypatch.setattr("messaging.carriers.http.new_client", lambda _: client_of(far_end))
    stored.set_credentials(CREDENTIALS["bandwidth"])
    stored.save()
    far_end.add(ONE)
    connected(stored, ONE)
    choose(stored, ONE)
    assert not list_offered_numbers(stored).by_address[ONE].is_choosable
    stored.set_credentials(CREDENTIALS["bandwidth"] | {"callback_password": "another-password"})
    stored.save()
    row = list_offered_numbers(stored).by_address[ONE]
    assert (row.needs_again, row.is_choosable, row.is_preselected) == (True, True, False)
    assert connect(stored, ONE)[0].result == "done"
    login = far_end.applications["app-ours"]["InboundCallbackCreds"]
    assert login["Password"] == "another-password"
    # Bandwidth sends what it was given; somebody may have entered the plain name by hand.
    name = login["UserId"] if is_carried_by_the_user else "callbacks"
    headers = {"authorization": http.basic_auth(name, "another-password")}
    call = events.RawRequest("POST", "/", headers, b"[]")
    get_carrier("bandwidth").verify(call, stored.get_credentials(), "")


def test_of_several_applications_none_is_guessed(
    stored: CarrierAccount, far_end: BandwidthNumbers
) -> None:
    far_end.applications["app-2"] = {"AppName": "Other"}
    complete_credentials(account=stored)
    assert "application_id" not in stored.get_credentials()
    opened = get_carrier("bandwidth").open_directory(stored.get_credentials(), client_of(far_end))
    assert isinstance(opened, results.AuthFailed)
