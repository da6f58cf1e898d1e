"""Accept each nonce for one body only, where a carrier's signature does not cover the body."""

from __future__ import annotations

import hashlib

from messaging.carriers import events
from messaging.models import CarrierAccount, UsedNonce

MAX_LENGTH = 128


def use_nonce(*, account: CarrierAccount, nonce: str, request: events.RawRequest) -> bool:
    """Bind the nonce to the request's body; return False if it is bound to another body already.

    The same request again is accepted: carriers repeat what was not answered.
    """
    if len(nonce) > MAX_LENGTH:
        return False
    digest = hashlib.sha256(request.body).hexdigest()
    row = UsedNonce(account=account, nonce=nonce, digest=digest)
    UsedNonce.objects.bulk_create([row], ignore_conflicts=True)
    return UsedNonce.objects.filter(account=account, nonce=nonce, digest=digest).exists()
