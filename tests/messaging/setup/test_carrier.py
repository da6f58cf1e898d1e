"""The carrier is asked at once; what it doesn't accept is not stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.accounts.same_account import find_same_account
from messaging.carriers import CARRIERS
from messaging.carriers.results import AuthFailed, CannotTell, IdentifyResult, Identity
from messaging.models import CarrierAccount, Number
from messaging.setup.checklist import USING_SIMULATOR, read_checklist
from tests.cast import client_of
from tests.markup import read_words
from tests.messaging.setup.conftest import ADA, SECRETS, TwilioAccount, typed

TWILIO = "/setup/carrier/twilio/"


def test_every_carrier_can_be_chosen_with_its_own_fields_only(ada: Client) -> None:
    page = read_words(ada.get("/setup/carrier/"))
    for name, carrier in CARRIERS.items():
        address = f"/setup/carrier/{name}/"
        if name == "simulator":
            assert address not in page
            assert ada.get(address).status_code == 404
            continue
        assert address in page
        fields = read_words(ada.get(address))
        for field in carrier.credential_fields:
            is_asked = not field.name.startswith("previous_")
            assert (f'name="credential-{field.name}"' in fields) is is_asked
            assert not is_asked or field.help_text in fields
    assert ada.get("/setup/carrier/pigeons/").status_code == 404


def test_right_credentials_are_stored_encrypted_and_the_numbers_come_next(
    ada: Client, far_end: TwilioAccount
) -> None:
    answer = ada.post(TWILIO, typed())
    account = CarrierAccount.objects.get()
    assert answer["Location"] == f"/setup/numbers/?account={account.pk}"
    assert account.get_credentials() == SECRETS
    assert SECRETS["auth_token"] not in account.encrypted_credentials
    assert "Twilio answered in 0.0 s." in read_words(ada.get(answer["Location"]))
    assert read_checklist().find("carrier").about == "Twilio"


def test_a_new_secret_of_the_same_account_replaces_the_old_one(
    ada: Client, far_end: TwilioAccount
) -> None:
    ada.post(TWILIO, typed())
    first = CarrierAccount.objects.get()
    first.set_credentials(SECRETS | {"previous_auth_token": "the-one-before"})
    first.save()
    far_end.token = "another-token"
    assert "is connected already" in read_words(ada.get(TWILIO))
    ada.post(TWILIO, typed(SECRETS | {"auth_token": "another-token"}))
    account = CarrierAccount.objects.get()
    assert account.token == first.token
    assert account.get_credentials() == {
        **SECRETS,
        "auth_token": "another-token",
        "previous_auth_token": "the-one-before",
    }
    trace = LogEntry.objects.filter(object_id=str(account.pk)).order_by("pk")
    assert [entry.change_message for entry in trace] == ["Connected.", "Changed the secrets."]


def test_who_replaces_a_secret_that_is_in_use_confirms_that_it_is_them(
    ada: Client, far_end: TwilioAccount
) -> None:
    ada.post(TWILIO, typed())
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        client = client_of(Agent.objects.get())
    far_end.token = "another-token"
    asked = client.post(TWILIO, typed(SECRETS | {"auth_token": "another-token"}))["Location"]
    assert asked.startswith("/sign-in/confirm/")
    assert CarrierAccount.objects.get().get_credentials() == SECRETS
    back = client.post(asked, {"password": ADA["password"]})["Location"]
    account = CarrierAccount.objects.get()
    assert back == f"/setup/numbers/?account={account.pk}"
    assert account.get_credentials()["auth_token"] == "another-token"


def test_a_second_account_of_the_carrier_leaves_the_first_one_alone(
    ada: Client, far_end: TwilioAccount
) -> None:
    far_end.token = ""
    other = SECRETS | {"account_sid": "AC" + "9" * 32}
    for secrets in (SECRETS, other, other):
        ada.post(TWILIO, typed(secrets))
    first, second = CarrierAccount.objects.order_by("pk")
    assert (first.name, first.get_credentials()) == ("Twilio", SECRETS)
    assert (second.name, second.get_credentials()) == ("Twilio 2", other)


def test_an_account_without_secrets_gets_those_that_are_entered(
    ada: Client, far_end: TwilioAccount
) -> None:
    account = CarrierAccount.objects.create(carrier="twilio", name="Made before")
    ada.post(TWILIO, typed())
    account.refresh_from_db()
    assert account.get_credentials() == SECRETS


@pytest.mark.parametrize(
    ("theirs", "is_same"),
    [
        (Identity("org-1", "Brandt"), True),
        (Identity("org-2", "Other"), False),
        (Identity("", "", "The account has no messaging profile yet."), False),
        (AuthFailed("the key is not right"), False),
        (CannotTell("it does not answer"), False),
    ],
)
def test_where_no_field_names_the_account_the_carrier_says_whose_it_is(
    monkeypatch: pytest.MonkeyPatch, theirs: IdentifyResult, is_same: bool
) -> None:
    telnyx = CARRIERS["telnyx"]
    account = CarrierAccount(carrier="telnyx", name="Telnyx")
    account.set_credentials({"api_key": "KEY1"})
    account.save()
    monkeypatch.setattr(type(telnyx), "identify", lambda *_: theirs)
    found = find_same_account(telnyx, {"api_key": "KEY2"}, Identity("org-1", "Brandt"))
    assert (found == account) is is_same


def test_only_telnyx_has_to_be_asked_whose_an_account_is() -> None:
    for name, carrier in CARRIERS.items():
        names = {field.name for field in carrier.credential_fields}
        assert set(carrier.account_fields) <= names
        assert bool(carrier.account_fields) is (name not in {"telnyx", "simulator"})


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ({"kind": "status", "status": 401}, "Twilio doesn’t accept these"),
        ({"kind": "status", "status": 403}, "Twilio "),
        ({"kind": "status", "status": 429}, "Twilio can’t be asked right now"),
        ({"kind": "status", "status": 500}, "Twilio can’t be asked right now"),
        ({"kind": "silence"}, "Twilio can’t be asked right now"),
        ({"kind": "refused"}, "Twilio can’t be asked right now"),
        ({"kind": "garbled"}, "Twilio can’t be asked right now"),
    ],
)
def test_trouble_is_said_in_words_and_what_is_no_secret_stays(
    ada: Client, far_end: TwilioAccount, failure: dict[str, Any], words: str
) -> None:
    far_end.fail(on="read", **failure)
    answer = ada.post(TWILIO, typed())
    page = read_words(answer)
    assert answer.status_code == 422
    assert words in page
    assert f'value="{SECRETS["account_sid"]}"' in page
    assert SECRETS["auth_token"] not in page
    assert not CarrierAccount.objects.exists()
    # The next try goes on.
    assert ada.post(TWILIO, typed()).status_code == 302


@pytest.mark.parametrize("change", [{"account_sid": ""}, {"auth_token": "pas\u200bted"}])
def test_what_is_missing_or_holds_invisible_characters_is_not_sent(
    ada: Client, far_end: TwilioAccount, change: dict[str, str]
) -> None:
    assert ada.post(TWILIO, typed(SECRETS | change)).status_code == 422
    assert far_end.requests == []
    assert not CarrierAccount.objects.exists()


def test_without_a_carrier_the_simulator_gets_a_secret_and_a_made_up_number(ada: Client) -> None:
    answer = ada.post("/setup/simulator/")
    assert answer["Location"] == "/setup/"
    assert ada.get("/setup/")["Location"] == "/setup/inbox/"
    number = Number.objects.select_related("account", "inbox").get()
    assert (number.address, number.inbox.name) == ("+12025550110", "Front Desk")
    assert (number.account.carrier, number.account.is_active) == ("simulator", True)
    assert len(number.account.get_credentials()["secret"]) >= 43
    ada.post("/setup/simulator/")
    assert (Number.objects.count(), CarrierAccount.objects.count()) == (1, 1)
    assert ada.get("/simulator/").status_code == 200
    assert Client().get("/simulator/").status_code == 404
    checklist = read_checklist()
    assert checklist.find("carrier").todo == USING_SIMULATOR
    assert [step.name for step in checklist.missing] == [
        "carrier",
        "numbers",
        "inbox",
        "colleagues",
    ]


def test_a_taken_made_up_number_is_not_used_again(ada: Client) -> None:
    account = CarrierAccount.objects.create(carrier="simulator", name="Old", is_active=False)
    inbox = Inbox.objects.create(name="Old")
    Number.objects.create(address="+12025550110", account=account, inbox=inbox)
    ada.post("/setup/simulator/")
    assert Number.objects.filter(address="+12025550111").exists()


def test_a_real_number_takes_the_simulators_place_and_ends_it(
    ada: Client, far_end: TwilioAccount
) -> None:
    ada.post("/setup/simulator/")
    far_end.add("+12024561111")
    ada.post(TWILIO, typed())
    page = ada.get("/setup/numbers/")
    ticked = page.context["rows"][0]["row"]
    answer = ada.post("/setup/numbers/", {"number": f"{ticked.address} {ticked.plan_token}"})
    assert answer.status_code == 302
    number = Number.objects.select_related("inbox").get()
    assert (number.address, number.inbox.name) == ("+12024561111", "Front Desk")
    assert ada.get("/simulator/").status_code == 404
    assert read_checklist().find("carrier").is_done
