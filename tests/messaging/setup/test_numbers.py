"""Numbers are chosen from the carrier's own list, and connected only by the button."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inboxes.models import Inbox
from messaging.accounts.offered import MOST_CHOSEN
from messaging.models import CarrierAccount, Number, NumberConnection
from messaging.setup.checklist import read_checklist
from tests.markup import read_words
from tests.messaging.setup.conftest import TwilioAccount, typed

FREE, OTHER, ELSEWHERE, SILENT = "+12025550110", "+12025550120", "+13035550140", "+18005550199"
THEIRS = "https://crm.example.net/sms"
NUMBERS = "/setup/numbers/"


@pytest.fixture
def connected(ada: Client, far_end: TwilioAccount) -> Client:
    """Return the browser after the carrier accepted the credentials."""
    far_end.add(FREE)
    far_end.add(OTHER)
    far_end.add(ELSEWHERE, url=THEIRS, can_mms=False)
    far_end.add(SILENT, state="missing")
    assert ada.post("/setup/carrier/twilio/", typed()).status_code == 302
    return ada


def plans(client: Client, *addresses: str) -> dict[str, list[str]]:
    """Return what the page sends when these numbers are ticked."""
    rows = [shown["row"] for shown in client.get(NUMBERS).context["rows"]]
    return {
        "number": [f"{row.address} {row.plan_token}" for row in rows if row.address in addresses]
    }


def test_free_numbers_are_ticked_others_say_why_not(
    connected: Client, far_end: TwilioAccount
) -> None:
    page = connected.get(NUMBERS)
    assert {shown["row"].address for shown in page.context["rows"] if shown["is_ticked"]} == {
        FREE,
        OTHER,
    }
    words = read_words(page)
    assert "Texts now go to crm.example.net. Tick it to bring them here." in words
    assert "Use 2 numbers" in words
    assert "What changes at Twilio" in words
    assert "https://texts.example.com/webhooks/twilio/" in words
    assert far_end.changes == []


def test_the_ticked_numbers_are_connected_and_get_an_inbox_each(
    connected: Client, far_end: TwilioAccount
) -> None:
    answer = connected.post(NUMBERS, plans(connected, FREE, OTHER))
    assert answer["Location"] == "/setup/inbox/"
    account = CarrierAccount.objects.get()
    for address in (FREE, OTHER):
        assert far_end.url_of(address) == account.webhook_url
    assert far_end.url_of(ELSEWHERE) == THEIRS
    found = dict(Number.objects.values_list("address", "inbox__name"))
    assert set(found) == {FREE, OTHER}
    assert "Front Desk" in found.values()
    assert read_checklist().find("numbers").about == "2 numbers"
    # Nobody is a member yet, which the list says.
    assert not read_checklist().find("inbox").is_done


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ({"kind": "status", "status": 401}, "doesn't accept"),
        ({"kind": "status", "status": 403}, "Twilio"),
        ({"kind": "status", "status": 429}, "asks us to wait"),
        ({"kind": "refused"}, "Twilio"),
    ],
)
def test_trouble_in_the_middle_is_said_and_the_rest_can_be_done_later(
    connected: Client, far_end: TwilioAccount, failure: dict[str, Any], words: str
) -> None:
    sent = plans(connected, FREE, OTHER)
    far_end.fail(on="change", skip=1, **failure)
    answer = connected.post(NUMBERS, sent)
    assert answer.status_code == 422
    assert words in read_words(answer)
    [done] = Number.objects.values_list("address", flat=True)
    [left] = {FREE, OTHER} - {done}
    assert far_end.url_of(left) == ""
    # Those that were done stay so; the other one is still ticked.
    again = connected.get(NUMBERS)
    assert {s["row"].address for s in again.context["rows"] if s["is_ticked"]} == {left}
    assert connected.post(NUMBERS, plans(connected, left)).status_code == 302
    assert set(Number.objects.values_list("address", flat=True)) == {FREE, OTHER}


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_list_that_cannot_be_read_is_said_and_read_later(
    ada: Client, far_end: TwilioAccount, status: int
) -> None:
    far_end.add(FREE)
    ada.post("/setup/carrier/twilio/", typed())
    far_end.fail("status", on="read", status=status)
    page = ada.get(NUMBERS)
    assert page.context["trouble"]
    assert 'role="alert"' in read_words(page)
    answer = ada.post("/setup/numbers/look/")
    assert answer.status_code == 302
    assert "Use 1 number" in read_words(ada.get(NUMBERS))


def test_a_connected_number_whose_inbox_was_never_made_gets_one(
    connected: Client, far_end: TwilioAccount
) -> None:
    """The program was stopped between the carrier's answer and our record."""
    connected.post(NUMBERS, plans(connected, FREE))
    Number.objects.all().delete()
    Inbox.objects.all().delete()
    page = connected.get(NUMBERS)
    assert "Connected" in read_words(page)
    assert FREE not in {s["row"].address for s in page.context["rows"] if s["row"].is_choosable}
    assert connected.post(NUMBERS, {}).status_code == 302
    assert Number.objects.get().address == FREE
    assert NumberConnection.objects.get().address == FREE


def test_nothing_is_set_to_an_address_that_the_carrier_cannot_reach(
    connected: Client, far_end: TwilioAccount, settings: Any
) -> None:
    sent = plans(connected, FREE)
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "http://127.0.0.1:8000", "127.0.0.1"
    page = read_words(connected.get(NUMBERS))
    assert "can’t reach this Partyline at http://127.0.0.1:8000" in page
    connected.post(NUMBERS, sent)
    assert far_end.changes == []
    assert not Number.objects.exists()


def test_five_thousand_numbers_come_in_pages_and_are_found_by_digits(
    ada: Client, far_end: TwilioAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in range(5000):
        far_end.add(f"+1202{4560000 + count}")
    ada.post("/setup/carrier/twilio/", typed())
    page = ada.get(NUMBERS)
    words = read_words(page)
    while "Read the rest" in words:  # a slow machine reads them in several goes
        ada.post("/setup/numbers/look/", {"rest": "1"})
        words = read_words(ada.get(NUMBERS))
    assert "Page 1 of 100" in words
    assert page.context["ticked_count"] == 0
    found = ada.get(NUMBERS, {"q": "456 4321"})
    assert [shown["row"].address for shown in found.context["rows"]] == ["+12024564321"]
    second = ada.get(NUMBERS, {"page": "2"})
    assert len(second.context["rows"]) == 50
    for odd in ("0", "x", "999999999999999999999", "-1"):
        assert ada.get(NUMBERS, {"page": odd}).status_code == 200
    everything = [f"+1202{4560000 + count} x" for count in range(MOST_CHOSEN + 1)]
    refused = ada.post(NUMBERS, {"number": everything})
    assert "Choose up to 20 numbers at once" in read_words(refused)
    assert far_end.changes == []


def test_nonsense_is_chosen_of_nothing(connected: Client, far_end: TwilioAccount) -> None:
    for odd in ("", "x", "+19995550000 abc", f"{FREE} 0000000000000000", "\0 \0", "é"):
        assert connected.post(NUMBERS, {"number": odd}).status_code == 422
    assert far_end.changes == []
    for odd in ("x", "999999", "", "\0"):
        assert connected.get(NUMBERS, {"account": odd}).status_code == 404


def test_a_number_is_entered_by_hand_where_the_carrier_cannot_be_asked(ada: Client) -> None:
    account = CarrierAccount(carrier="bandwidth", name="Bandwidth")
    account.set_credentials({"account_id": "1234567"})
    account.save()
    page = read_words(ada.get("/setup/numbers/by-hand/", {"account": account.pk}))
    assert account.webhook_url in page
    assert f'data-copy="{account.webhook_url}"' in page
    path = f"/setup/numbers/by-hand/?account={account.pk}"
    for odd in ("", "Front Desk", "123", "+1"):
        answer = ada.post(path, {"address": odd})
        assert answer.status_code == (302 if odd == "123" else 422)
    Number.objects.all().delete()
    Inbox.objects.all().delete()
    assert ada.post(path, {"address": "(202) 456-1111"}).status_code == 302
    assert Number.objects.get().address == "+12024561111"
    assert ada.post(path, {"address": "(202) 456-1111"}).status_code == 302
    assert Number.objects.count() == 1


def test_a_number_of_another_account_is_not_taken_from_it(
    ada: Client, far_end: TwilioAccount
) -> None:
    far_end.add(FREE)
    other = CarrierAccount.objects.create(carrier="plivo", name="Plivo of before")
    inbox = Inbox.objects.create(name="Old")
    Number.objects.create(address=FREE, account=other, inbox=inbox)
    ada.post("/setup/carrier/twilio/", typed())
    account = CarrierAccount.objects.get(carrier="twilio")
    answer = ada.post(f"/setup/numbers/by-hand/?account={account.pk}", {"address": FREE})
    assert "It belongs to Plivo of before already." in read_words(answer)
    assert Number.objects.get().account == other
