"""Accept carriers' webhooks, and refuse everybody else's."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.core.handlers.asgi import ASGIRequest
from django.db import OperationalError, connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from messaging.inbound import views
from messaging.models import CarrierAccount, Message, Webhook
from tests.cast import Cast, client_of
from tests.messaging.carrier_calls import FORM, post_webhook, text_fields


def test_a_signed_text_is_stored_and_acknowledged(cast: Cast) -> None:
    response = post_webhook(cast.account, text_fields("Hello?"))
    assert (response.status_code, response.content) == (200, b"<Response/>")
    assert response["Content-Type"] == "text/xml"
    message = Message.objects.get()
    assert (message.body, message.kind, message.inbox) == ("Hello?", "inbound", cast.front_desk)
    assert bytes(Webhook.objects.get().body) == urlencode(text_fields("Hello?")).encode()


@pytest.mark.parametrize(
    "path", ["/webhooks/twilio/no-such-token/", "/webhooks/twilio/no-such-token/attempt/"]
)
def test_an_unknown_account_token_is_answered_404(cast: Cast, path: str) -> None:
    assert Client().post(path, "x", content_type=FORM).status_code == 404
    assert not Webhook.objects.exists()


def test_a_token_belongs_to_its_carrier_and_to_an_active_account(cast: Cast) -> None:
    path = cast.account.webhook_path
    assert Client().post(path.replace("twilio", "simulator")).status_code == 404
    CarrierAccount.objects.update(is_active=False)
    assert post_webhook(cast.account, text_fields("Hello?")).status_code == 404


def test_an_account_of_an_unknown_carrier_is_answered_404(
    cast: Cast,
) -> None:
    CarrierAccount.objects.update(carrier="forgotten")
    cast.account.refresh_from_db()
    path = cast.account.webhook_path
    for address in (path, f"{path}attempt/"):
        assert Client().post(address, "x", content_type=FORM).status_code == 404


@pytest.mark.parametrize("signature", [None, "", "bm9uc2Vuc2U=", "ünsinn"])
def test_a_bad_or_missing_signature_is_refused_and_counted(
    cast: Cast, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    for _ in range(2):
        response = Client().post(
            cast.account.webhook_path,
            urlencode(text_fields("Forged")),
            content_type=FORM,
            headers=headers,
        )
        assert response.status_code == 403
    assert not Message.objects.exists()
    assert not Webhook.objects.exists()
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == 2
    assert cast.account.last_rejected_at is not None
    assert "signature" in cast.account.last_rejection


def test_a_changed_body_does_not_match_its_signature(cast: Cast) -> None:
    assert (
        post_webhook(cast.account, text_fields("Hello?"), token="another secret").status_code
        == 403
    )
    assert not Message.objects.exists()


def test_administrators_see_the_rejections(cast: Cast) -> None:
    Client().post(cast.account.webhook_path, "x=1", content_type=FORM)
    admin = client_of(cast.admin)
    address = reverse("admin:messaging_carrieraccount_change", args=[cast.account.pk])
    page = admin.get(address).content.decode()
    assert "the signature header is missing" in page
    row = admin.get(reverse("admin:messaging_carrieraccount_changelist")).content.decode()
    assert "<small>the signature header is missing</small>" in row


def test_a_secret_that_cannot_be_decrypted_makes_the_carrier_try_again(
    cast: Cast, settings: Settings
) -> None:
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    assert post_webhook(cast.account, text_fields("Hello?")).status_code == 503
    assert not Message.objects.exists()
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == 1

    admin = client_of(cast.admin)
    changelist = admin.get(reverse("admin:messaging_carrieraccount_changelist")).content.decode()
    assert "its secrets can&#x27;t be decrypted with FIELD_KEYS: enter them again" in changelist
    address = reverse("admin:messaging_carrieraccount_change", args=[cast.account.pk])
    assert "Not stored yet." in admin.get(address).content.decode()
    fields = {
        "name": cast.account.name,
        "is_active": "on",
        "credential_account_sid": "AC1",
        "credential_auth_token": "entered-again",
    }
    assert admin.post(address, fields).status_code == 302
    answer = post_webhook(cast.account, text_fields("Hello?"), token="entered-again")
    assert answer.status_code == 200


def test_a_body_over_the_limit_is_refused(cast: Cast, settings: Settings) -> None:
    settings.WEBHOOK_BODY_LIMIT = 1024
    assert post_webhook(cast.account, text_fields("x" * 900)).status_code != 413
    assert post_webhook(cast.account, text_fields("x" * 1024)).status_code == 413
    assert not Message.objects.filter(body__startswith="x" * 1000).exists()


def test_a_body_that_hides_its_length_is_refused_too(cast: Cast, settings: Settings) -> None:
    settings.WEBHOOK_BODY_LIMIT = 1024
    scope = {
        "type": "http",
        "method": "POST",
        "path": cast.account.webhook_path,
        "query_string": b"",
        "headers": [(b"content-type", FORM.encode())],  # chunked: no length is given
    }
    request = ASGIRequest(scope, BytesIO(b"x" * 2000))
    response = views.receive_webhook_request(request, "twilio", cast.account.token)
    assert response.status_code == 413


@pytest.mark.django_db(transaction=True)
def test_without_the_database_a_carrier_is_asked_to_try_again(cast: Cast) -> None:
    connection = connections["default"]
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "a_database_that_is_away"
    try:
        with pytest.raises(OperationalError):
            connection.ensure_connection()
        response = post_webhook(cast.account, text_fields("Hello?"))
    finally:
        connection.settings_dict["NAME"] = name
        connection.close()
    assert response.status_code == 503
    assert post_webhook(cast.account, text_fields("Hello?")).status_code == 200
    assert Message.objects.count() == 1


def test_only_a_webhook_hides_a_broken_database(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_error(*_: object, **__: object) -> None:
        raise OperationalError("terminating connection due to administrator command")

    monkeypatch.setattr(views, "receive_webhook", raise_error)
    assert post_webhook(cast.account, text_fields("Hello?")).status_code == 503
    monkeypatch.setattr("messaging.conversations.views.lists.list_of", raise_error)
    with pytest.raises(OperationalError):
        client_of(cast.ana).get("/")
