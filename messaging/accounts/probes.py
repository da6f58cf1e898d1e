"""The self-test's own request, as the receiving end knows and answers it.

A mark that only this installation can make, good for a minute, stands in a header. Whoever bears
it is told how the request looked when it came here; nothing is stored and nothing counted.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, JsonResponse

from messaging.carriers import events
from messaging.encryption import UndecryptableError
from messaging.models import CarrierAccount

HEADER = "x-partyline-self-test"
GOOD_FOR = 60
"""Seconds."""

_signer = TimestampSigner(salt="messaging.probes")


def mark(account: CarrierAccount) -> str:
    """The header's value."""
    return _signer.sign(f"{account.pk}.{secrets.token_urlsafe(9)}")


def is_probe(request: events.RawRequest, account: CarrierAccount) -> bool:
    """Whether it is our own self-test of this account."""
    given = request.headers.get(HEADER, "")
    if not given:
        return False
    try:
        return _signer.unsign(given, max_age=GOOD_FOR).split(".")[0] == str(account.pk)
    except BadSignature:
        return False


def answer(request: HttpRequest, raw: events.RawRequest, account: CarrierAccount) -> JsonResponse:
    """How it looks here, and whether a carrier's would be let in."""
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


def read(answered: object) -> dict[str, Any] | None:
    """What `answer` says; None for anything else."""
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
        return "its stored secret cannot be decrypted"
    return ""
