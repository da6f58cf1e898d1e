"""From an empty installation with a carrier's account to the first text that is answered."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from messaging.models import CarrierAccount, Message, Number
from messaging.setup.checklist import read_checklist
from tests.markup import read_words
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.setup.conftest import ADA, SECRETS, TwilioAccount, open_with_key, typed
from tests.messaging.stepped_worker import run_jobs

NUMBER, CUSTOMER = "+12025550110", "+13035550177"


@pytest.mark.django_db(transaction=True)
def test_a_carriers_number_is_connected_and_its_first_text_is_answered(
    far_end: TwilioAccount,
) -> None:
    far_end.add(NUMBER)
    ada = open_with_key()
    ada.post("/setup/administrator/", ADA)
    numbers = ada.post("/setup/carrier/twilio/", typed())["Location"]
    row = ada.get(numbers).context["rows"][0]["row"]
    inbox = ada.post(numbers, {"number": f"{row.address} {row.plan_token}"})["Location"]
    form = ada.get(inbox).context["forms"][0]
    name, joins = form["name"].html_name, form["joins"].html_name
    assert ada.post(inbox, {name: "Front Desk", joins: "on"}).status_code == 302
    assert "text <strong>(202) 555-0110</strong>" in read_words(ada.get("/setup/done/"))

    account = CarrierAccount.objects.get()
    assert far_end.url_of(NUMBER) == account.webhook_url
    fields = text_fields("Is it ready?", sender=CUSTOMER, to=NUMBER)
    assert post_webhook(account, fields, token=SECRETS["auth_token"]).status_code == 200
    thread = Message.objects.get().thread
    assert "Is it ready?" in read_words(ada.get(f"/threads/{thread.pk}/"))
    sent = {"body": "Yes, come by!", "form_key": str(uuid.uuid4())}
    assert ada.post(f"/threads/{thread.pk}/messages/", sent).status_code == 302
    run_jobs()
    assert [text["Body"] for text in far_end.texts] == ["Yes, come by!"]
    assert far_end.texts[0]["From"] == NUMBER
    assert Message.objects.get(kind="outbound").state == "sent"
    assert [step.name for step in read_checklist().missing] == ["colleagues"]


@pytest.mark.django_db(transaction=True)
def test_a_text_that_comes_before_the_inbox_is_named_is_not_lost(far_end: TwilioAccount) -> None:
    far_end.add(NUMBER)
    ada: Client = open_with_key()
    ada.post("/setup/administrator/", ADA)
    numbers = ada.post("/setup/carrier/twilio/", typed())["Location"]
    row = ada.get(numbers).context["rows"][0]["row"]
    ada.post(numbers, {"number": f"{row.address} {row.plan_token}"})
    account = CarrierAccount.objects.get()
    fields = text_fields("Early", sender=CUSTOMER, to=NUMBER)
    assert post_webhook(account, fields, token=SECRETS["auth_token"]).status_code == 200
    assert Message.objects.get().inbox == Number.objects.get().inbox
