"""Post Twilio's webhooks, signed by Twilio's own SDK."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from messaging.models import CarrierAccount
from tests.cast import CUSTOMER, FRONT_DESK, SECRETS

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def text_fields(
    body: str, *, sid: str = "SM-in-1", sender: str = CUSTOMER, to: str = FRONT_DESK
) -> dict[str, str]:
    return {
        "MessageSid": sid,
        "SmsStatus": "received",
        "From": sender,
        "To": to,
        "Body": body,
        "NumMedia": "0",
    }


def receipt_fields(sid: str, status: str, **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": status, **more}


def post_webhook(
    account: CarrierAccount,
    fields: dict[str, str],
    *,
    token: str = SECRETS["auth_token"],
    attempt_token: str = "",
    raise_exceptions: bool = True,
) -> Any:
    """POST the signed fields to the account's webhook."""
    path = account.webhook_path + (f"{attempt_token}/" if attempt_token else "")
    signature = RequestValidator(token).compute_signature(settings.PUBLIC_URL + path, fields)
    return Client(raise_request_exception=raise_exceptions).post(
        path,
        urlencode(fields),
        content_type=FORM,
        headers={"X-Twilio-Signature": signature},
    )
