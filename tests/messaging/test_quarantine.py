"""What is the carrier's, but makes no sense here: kept raw, shown, and tried again on request."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from inboxes.models import Inbox
from messaging.models import Message, Number, Webhook
from tests.cast import Cast, client_of
from tests.messaging.carrier_calls import call, text_fields

ELSEWHERE = "+12025550119"
CHANGELIST = "admin:messaging_webhook_changelist"


def replay(cast: Cast, webhook: Webhook) -> Any:
    deed = {"action": "replay", "_selected_action": [webhook.pk]}
    return client_of(cast.admin).post(reverse(CHANGELIST), deed, follow=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"To": ELSEWHERE}, "a number that we do not have"),
        ({"MessageSid": ""}, "MessageSid is missing"),
        ({"From": " "}, "From is missing"),
        ({"Body": "a\x00b"}, "NUL"),
        ({"NumMedia": "many"}, "NumMedia"),
        ({"From": "9" * 65}, "longer than"),
    ],
)
def test_what_cannot_be_used_is_taken_and_kept(
    cast: Cast, changes: dict[str, str], reason: str
) -> None:
    fields = text_fields("Hello?") | changes
    assert call(cast.account, fields).status_code == 200
    assert not Message.objects.exists()
    webhook = Webhook.objects.quarantined().get()
    assert reason in webhook.reason
    assert b"Hello" in bytes(webhook.body) or "Body" in changes
    page = client_of(cast.admin).get(reverse(CHANGELIST)).content.decode()
    assert reason in page


def test_it_is_kept_once_however_often_it_comes(cast: Cast) -> None:
    for _ in range(3):
        assert call(cast.account, text_fields("Hello?", to=ELSEWHERE)).status_code == 200
    assert Webhook.objects.quarantined().count() == 1


def test_no_signature_and_no_secret_is_kept(cast: Cast) -> None:
    call(cast.account, text_fields("Hello?", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    assert "content-type" in webhook.headers
    assert not [name for name in webhook.headers if "signature" in name or "auth" in name]


def test_it_is_stored_once_its_number_is_known(cast: Cast) -> None:
    call(cast.account, text_fields("Better late", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    assert "0 understood this time, 1 still not" in replay(cast, webhook).content.decode()
    assert Webhook.objects.quarantined().count() == 1

    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    assert "1 understood this time, 0 still not" in replay(cast, webhook).content.decode()
    message = Message.objects.get()
    assert (message.body, message.inbox) == ("Better late", inbox)
    assert not Webhook.objects.quarantined().exists()
    assert "Better late" not in client_of(cast.admin).get(reverse(CHANGELIST)).content.decode()


def test_tried_again_after_the_carrier_repeated_it_stores_nothing_twice(cast: Cast) -> None:
    call(cast.account, text_fields("Hello?", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    call(cast.account, text_fields("Hello?", to=ELSEWHERE))
    replay(cast, webhook)
    assert Message.objects.count() == 1


def test_the_quarantine_shows_the_raw_body_and_cannot_be_edited(cast: Cast) -> None:
    call(cast.account, text_fields("<script>alert(1)</script>", to=ELSEWHERE))
    admin = client_of(cast.admin)
    address = reverse("admin:messaging_webhook_change", args=[Webhook.objects.get().pk])
    page = admin.get(address).content.decode()
    assert "%3Cscript%3Ealert" in page
    assert admin.post(address, {"reason": "none"}).status_code == 403
    assert admin.get(reverse("admin:messaging_webhook_add")).status_code == 403


def test_only_administrators_see_the_quarantine(cast: Cast) -> None:
    call(cast.account, text_fields("Hello?", to=ELSEWHERE))
    response = client_of(cast.ana).get(reverse(CHANGELIST))
    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]
