"""Recognise and answer the self-test's own request on its way in.

A header holds a token that only this installation can make, valid for a minute. Whoever sends it
is told how the request looked when it arrived; nothing is stored or counted.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, JsonResponse

from inboxes.encryption import UndecryptableError
from messaging.carriers import events
from messaging.models import CarrierAccount

HEADER = "x-partyline-self-test"
GOOD_FOR = 60  # Seconds

_signer = TimestampSigner(salt="messaging.probes")


def make_token(account: CarrierAccount) -> str:
    """Return the header's value."""
    return _signer.sign(f"{account.pk}.{secrets.token_urlsafe(9)}")


def is_probe(request: events.RawRequest, account: CarrierAccount) -> bool:
    """Return True if the request is our own self-test of this account."""
    given = request.headers.get(HEADER, "")
    if not given:
        return False
    try:
        return _signer.unsign(given, max_age=GOOD_FOR).split(".")[0] == str(account.pk)
    except BadSignature:
        return False


def answer_probe(
    request: HttpRequest, raw: events.RawRequest, account: CarrierAccount
) -> JsonResponse:
    """Describe how the request looks here, and whether a carrier's would be accepted."""
    return JsonResponse(
        {
            "path": raw.path,
            "host": request.headers.get("host", ""),
            "headers": sorted(raw.headers),
            "body": hashlib.sha256(raw.body).hexdigest(),
            "clock": time.time(),
            "rejected": _reason(raw, account),
        }
    )


def read_answer(answered: object) -> dict[str, Any] | None:
    """Return what `answer_probe` described; None for anything else."""
    if not isinstance(answered, dict):
        return None
    kinds = {"path": str, "host": str, "headers": list, "body": str, "rejected": str}
    is_ours = all(isinstance(answered.get(key), kind) for key, kind in kinds.items())
    return answered if is_ours else None


def _reason(raw: events.RawRequest, account: CarrierAccount) -> str:
    try:
        account.adapter.verify(raw, account.get_credentials(), settings.PUBLIC_URL)
    except events.VerificationError as error:
        return error.reason
    except UndecryptableError:
        return "its stored secret can't be decrypted"
    return ""
