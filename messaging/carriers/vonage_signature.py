"""Sign and verify Vonage's webhooks: a JWT (RFC 7519, HS256) that covers the body by its hash."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from typing import Any

import jwt
from django.conf import settings
from jwt.types import Options

from messaging.carriers import events, parsing

ALGORITHM = "HS256"

# PyJWT proves the signature alone: the claims are checked here, since Vonage repeats a webhook for
# a day with the same token.
OPTIONS = Options(
    verify_exp=False,
    verify_nbf=False,
    verify_iat=False,
    verify_aud=False,
    verify_iss=False,
    verify_sub=False,
    verify_jti=False,
)

# Seconds. Vonage repeats a webhook for a day and does not say that it signs anew; what is repeated
# is stored once anyway.
OLDEST = 25 * 3600


def sign(body: bytes, api_key: str, secret: str) -> str:
    """Return a token for the body; empty if the secret cannot sign one."""
    claims: dict[str, Any] = {
        "iat": int(time.time()),
        "api_key": api_key,
        "payload_hash": hashlib.sha256(body).hexdigest(),
    }
    try:
        return jwt.encode(claims, secret, algorithm=ALGORITHM)
    except jwt.InvalidKeyError:
        return ""


def check(token: str, body: bytes, api_key: str, secrets: list[str]) -> None:
    """Raise VerificationError unless one of the secrets signed this body for our API key of late.

    No algorithm but HS256 is accepted, whatever the token's header says.
    """
    claims = _read_claims(token, secrets)
    if not parsing.digest_is_any(str(claims.get("api_key", "")), [api_key]):
        raise events.VerificationError("signed for another API key")
    body_hash = hashlib.sha256(body).hexdigest()
    if not parsing.digest_is_any(str(claims.get("payload_hash", "")).lower(), [body_hash]):
        raise events.VerificationError("the body is not the one that was signed")
    _check_age(claims)


def _read_claims(token: str, secrets: list[str]) -> Mapping[str, object]:
    """Return a token's claims, its signature proven. Raises VerificationError."""
    for secret in secrets:
        try:
            claims: dict[str, object] = jwt.decode(
                token, secret, algorithms=[ALGORITHM], options=OPTIONS
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidAlgorithmError:
            raise events.VerificationError("signed by another algorithm than HS256") from None
        except jwt.InvalidKeyError:
            raise events.VerificationError(
                "the stored signature secret is none of Vonage's"
            ) from None
        except (jwt.InvalidTokenError, UnicodeError):
            raise events.VerificationError("the signature is no JSON Web Token") from None
        return claims
    raise events.VerificationError("the signature does not match (check the signature secret)")


def _check_age(claims: Mapping[str, object]) -> None:
    """Raise VerificationError unless `iat` is there and recent, and `exp`, if there, is ahead."""
    now, at, end = time.time(), claims.get("iat"), claims.get("exp", time.time())
    if not (isinstance(at, int | float) and isinstance(end, int | float)):
        raise events.VerificationError("the signature bears no time")
    if not (math.isfinite(at) and math.isfinite(end)):
        raise events.VerificationError("the signature bears no time")
    if at > now + settings.WEBHOOK_TOLERANCE:
        raise events.VerificationError(
            f"signed well, but {int(at - now)} s ahead (check this clock)"
        )
    if at < now - OLDEST or end < now - settings.WEBHOOK_TOLERANCE:
        raise events.VerificationError(
            f"signed well, but {int(now - at)} s old (check this clock)"
        )
