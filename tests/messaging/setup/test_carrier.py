"""The carrier is asked at once; what it doesn't accept is not stored."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inboxes.models import Inbox
from messaging.carriers import CARRIERS
from messaging.models import CarrierAccount, Number
from messaging.setup.checklist import USING_SIMULATOR, read_checklist
from tests.markup import read_words
from tests.messaging.setup.conftest import SECRETS, TwilioAccount

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
            assert (f'name="{field.name}"' in fields) is is_asked
            assert not is_asked or field.help_text in fields
    assert ada.get("/setup/carrier/pigeons/").status_code == 404


def test_right_credentials_are_stored_encrypted_and_the_numbers_come_next(
    ada: Client, far_end: TwilioAccount
) -> None:
    answer = ada.post(TWILIO, SECRETS)
    account = CarrierAccount.objects.get()
    assert answer["Location"] == f"/setup/numbers/?account={account.pk}"
    assert account.get_credentials() == SECRETS
    assert SECRETS["auth_token"] not in account.encrypted_credentials
    assert "Twilio answered in 0.0 s." in read_words(ada.get(answer["Location"]))
    assert read_checklist().find("carrier").about == "Twilio"


def test_new_credentials_of_the_same_carrier_replace_the_old_ones(
    ada: Client, far_end: TwilioAccount
) -> None:
    ada.post(TWILIO, SECRETS)
    far_end.token = "another-token"
    ada.post(TWILIO, SECRETS | {"auth_token": "another-token"})
    assert CarrierAccount.objects.get().get_credentials()["auth_token"] == "another-token"


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
    answer = ada.post(TWILIO, SECRETS)
    page = read_words(answer)
    assert answer.status_code == 422
    assert words in page
    assert f'value="{SECRETS["account_sid"]}"' in page
    assert SECRETS["auth_token"] not in page
    assert not CarrierAccount.objects.exists()
    # The next try goes on.
    assert ada.post(TWILIO, SECRETS).status_code == 302


@pytest.mark.parametrize("change", [{"account_sid": ""}, {"auth_token": "pas\u200bted"}])
def test_what_is_missing_or_holds_invisible_characters_is_not_sent(
    ada: Client, far_end: TwilioAccount, change: dict[str, str]
) -> None:
    assert ada.post(TWILIO, SECRETS | change).status_code == 422
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
    ada.post(TWILIO, SECRETS)
    page = ada.get("/setup/numbers/")
    ticked = page.context["rows"][0]["row"]
    answer = ada.post("/setup/numbers/", {"number": f"{ticked.address} {ticked.plan_token}"})
    assert answer.status_code == 302
    number = Number.objects.select_related("inbox").get()
    assert (number.address, number.inbox.name) == ("+12024561111", "Front Desk")
    assert ada.get("/simulator/").status_code == 404
    assert read_checklist().find("carrier").is_done
