"""What a carrier signed without its body may be sent once only."""

from __future__ import annotations

import hashlib

from messaging.carriers import events
from messaging.models import CarrierAccount, UsedNonce

MAX_LENGTH = 128


def use_nonce(*, account: CarrierAccount, nonce: str, request: events.RawRequest) -> bool:
    """Bind the nonce to this request's body; False when it is bound to another one already.

    The same request again is no forgery: carriers repeat what we did not answer.
    """
    if len(nonce) > MAX_LENGTH:
        return False
    digest = hashlib.sha256(request.body).hexdigest()
    row = UsedNonce(account=account, nonce=nonce, digest=digest)
    UsedNonce.objects.bulk_create([row], ignore_conflicts=True)
    return UsedNonce.objects.filter(account=account, nonce=nonce, digest=digest).exists()
