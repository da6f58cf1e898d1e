"""Log in to Bandwidth's API: OAuth 2.0 with client credentials (RFC 6749 §4.4).

Follows Bandwidth's "Credential management" and "API user migration". A token is kept in this
process until shortly before it ends. The user names and passwords of the older API users, which
Bandwidth ends on December 2, 2026, are still sent for accounts that have no client ID yet.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import httpx
from django.conf import settings

from messaging.carriers import http, results

API_HOST = "api.bandwidth.com"
NOT_STORED = "the client ID or its secret is not stored"
EARLY = 60.0  # Seconds before its end from which on a token is renewed
SHORTEST, USUAL, LONGEST = 120.0, 3600.0, 86400.0  # Seconds that a token may be kept

Refusal = results.AuthFailed | results.RateLimited | results.NotSent

_tokens: dict[str, tuple[str, float]] = {}


def url(host: str, path: str) -> str:
    """Return an address of the API at BANDWIDTH_API_URL, or at one of Bandwidth's hosts."""
    return str(getattr(settings, "BANDWIDTH_API_URL", f"https://{host}")).rstrip("/") + path


def authorize(credentials: Mapping[str, str], client: httpx.Client) -> str | Refusal:
    """Return the value of the Authorization header, for which a token may have to be fetched."""
    if not credentials.get("client_id") or not credentials.get("client_secret"):
        return _basic(credentials)
    token, ends_at = _tokens.get(_key(credentials), ("", 0.0))
    if token and time.monotonic() < ends_at - EARLY:
        return f"Bearer {token}"
    return _fetch_token(credentials, client)


def remember(credentials: Mapping[str, str], token: str, seconds: float = USUAL) -> None:
    """Keep a token for these credentials, in this process only."""
    seconds = min(max(seconds, SHORTEST), LONGEST)
    _tokens[_key(credentials)] = (token, time.monotonic() + seconds)


def forget(credentials: Mapping[str, str]) -> None:
    """Drop the token of these credentials, as when Bandwidth no longer accepts it."""
    _tokens.pop(_key(credentials), None)


def _fetch_token(credentials: Mapping[str, str], client: httpx.Client) -> str | Refusal:
    login = (credentials["client_id"], credentials["client_secret"])
    try:
        response = client.post(
            url(API_HOST, "/api/v1/oauth2/token"),
            data={"grant_type": "client_credentials"},
            headers={"authorization": http.basic_auth(*login)},
            follow_redirects=False,
        )
    except httpx.RequestError as error:
        return results.NotSent(f"no login at Bandwidth ({type(error).__name__})")
    answer = http.json_object(response)
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if response.status_code == 200 and isinstance(token, str) and _is_token(token):
        remember(credentials, token, seconds if isinstance(seconds, int | float) else USUAL)
        return f"Bearer {token}"
    if response.status_code in (400, 401, 403):
        return results.AuthFailed("Bandwidth does not accept the client ID and its secret")
    if response.status_code == 429:
        return results.RateLimited(http.retry_after(response))
    return results.NotSent(f"no login at Bandwidth, which answered {response.status_code}")


def _is_token(token: str) -> bool:
    return token.isascii() and token.isprintable() and 0 < len(token) <= 8192


def _basic(credentials: Mapping[str, str]) -> str | Refusal:
    login = (credentials.get("api_user", ""), credentials.get("api_password", ""))
    return http.basic_auth(*login) if all(login) else results.AuthFailed(NOT_STORED)


def _key(credentials: Mapping[str, str]) -> str:
    named = f"{credentials.get('client_id')}\n{credentials.get('client_secret')}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
