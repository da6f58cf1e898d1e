"""Judge an ID token (OpenID Connect Core 1.0, §3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

CLOCK_TOLERANCE = 60  # seconds
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


class BadToken(Exception):
    """The token says nothing that can be believed. Its text says why, without its content."""


class WrongClock(BadToken):
    """The token is too old, or from the future."""


def read_id_token(
    token: str, *, keys: Mapping[str, Any], issuer: str, client_id: str, nonce: str
) -> dict[str, Any]:
    """Return the claims of a token that was signed for us, by the issuer, in answer to our nonce.

    `keys` is the issuer's JSON Web Key Set. Raise BadToken.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token, keys),
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=CLOCK_TOLERANCE,
            options={"require": REQUIRED},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise WrongClock("it is too old, or from the future") from error
    except (jwt.PyJWTError, ValueError) as error:
        raise BadToken(f"it fails a check ({type(error).__name__})") from error
    if claims.get("azp", client_id) != client_id:
        raise BadToken("it was made for another client")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise BadToken("it answers another request")
    return claims


def _key_of(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """Return the key that the token names; the only key where it names none."""
    given = jwt.PyJWKSet.from_dict(dict(keys)).keys
    key_id = jwt.get_unverified_header(token).get("kid")
    able = [key for key in given if key.key_id == key_id] if key_id else given
    if len(able) != 1:
        raise BadToken("its key isn't one of the issuer's")
    return able[0]
