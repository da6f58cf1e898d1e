"""Try other spellings of a webhook's address that an administrator may have given to a carrier.

Partyline takes them all (`webhook_paths`), but a proxy in front may redirect or change some, and a
carrier follows no redirect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from messaging.accounts import probes
from messaging.carriers import events, http, parsing
from messaging.models import CarrierAccount

TIMEOUT = 3.0  # Seconds for each step of a call
LARGEST_ANSWER = 65_536


@dataclass(frozen=True, slots=True)
class Spelling:
    """Hold one way to call the webhook, and its name in a list of several."""

    words: str
    url: str
    method: str = "POST"


def list_spellings(account: CarrierAccount) -> Iterator[Spelling]:
    """Yield the other spellings of the account's address, and of one for receipts."""
    url, public = account.webhook_url, urlsplit(settings.PUBLIC_URL)
    yield Spelling("without its last slash", url.rstrip("/"))
    yield Spelling("with a slash doubled", url.replace("/webhooks/", "/webhooks//"))
    usual, capital = (
        f"/webhooks/{name}/" for name in (account.carrier, account.carrier.capitalize())
    )
    yield Spelling("with the carrier in capitals", url.replace(usual, capital))
    yield Spelling("for receipts", f"{url}self-test/")
    yield Spelling("for receipts without the last slash", f"{url}self-test")
    if account.adapter.takes_get:
        yield Spelling("by GET", f"{url}?self-test=1", "GET")
    if public.scheme == "https" and not public.port:
        yield Spelling("by http", parsing.with_origin(url, "http", public.netloc))


def try_spelling(
    account: CarrierAccount, credentials: Mapping[str, str], spelling: Spelling
) -> str:
    """Return what becomes of a call at this spelling, as the end of a sentence; "" if it gets in
    unchanged."""
    sent = events.RawRequest(spelling.method, parsing.path_of(spelling.url), {}, b"")
    if spelling.method == "POST":
        sent = account.adapter.sign_test(credentials, spelling.url) or sent
    headers = {**sent.headers, probes.HEADER: probes.make_token(account)}
    try:
        with (
            http.new_client(TIMEOUT) as client,
            client.stream(
                spelling.method, spelling.url, content=sent.body, headers=headers
            ) as answer,
        ):
            body = read_start(answer)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return "nothing answers"
    if answer.is_redirect:
        return "it is redirected, which carriers do not follow"
    seen = probes.read_answer(read_json(body)) if answer.status_code == 200 else None
    if seen is None:
        return f"something in front of Partyline answers {answer.status_code}"
    return (
        "" if seen["path"] == sent.path else "the proxy changes the path, which signatures cover"
    )


def read_start(answer: httpx.Response) -> bytes:
    """Return the beginning of a body, which may be anybody's and endless."""
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            break
    return body


def read_json(body: bytes) -> object:
    """Return the body as JSON, None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
