"""Read the address of a webhook, in every spelling that a carrier may have been given.

The usual one is `/webhooks/<carrier>/<account token>/`, for receipts with the attempt's token
behind it. Others miss the last slash, double a slash, write the carrier in capitals, or have more
behind. A signature covers the address as it was given, so the path is kept as it was called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django.http import HttpRequest

from messaging.carriers import events, parsing

PREFIX = re.compile(r"/+webhooks/", re.IGNORECASE)
PATTERN = (
    r"^(?:/*)[Ww][Ee][Bb][Hh][Oo][Oo][Kk][Ss]/+(?P<carrier>[^/]+)/+(?P<account_token>[^/]+)"
    r"(?:/+(?P<attempt_token>[^/]+))?(?:/.*)?$"
)
_WHOLE = re.compile(PATTERN, re.DOTALL)
# What may be copied along with an address.
AROUND = " \t\r\n.,;\"'<>"


@dataclass(frozen=True, slots=True)
class WebhookPath:
    """Hold what a webhook's path names."""

    carrier: str
    account_token: str
    attempt_token: str | None

    @classmethod
    def of(cls, carrier: str, account_token: str, attempt_token: str | None) -> WebhookPath:
        """Clean the parts of a path."""
        parts = (carrier, account_token, attempt_token or "")
        name, account, attempt = (parsing.clean_text(part).strip(AROUND) for part in parts)
        return cls(name.lower(), account, attempt or None)


def is_webhook(path: str) -> bool:
    """Return True if a request's path is a webhook's, in any spelling."""
    return PREFIX.match(path) is not None


def attempt_token_in(path: str) -> str | None:
    """Return the attempt's token in a webhook's path, if there is one."""
    found = _WHOLE.match(path.partition("?")[0])
    return None if found is None else WebhookPath.of(**found.groupdict()).attempt_token


def called_path(request: HttpRequest) -> str:
    """Return path and query as they were called, before anything was decoded."""
    scope = getattr(request, "scope", None) or {}
    raw: bytes = scope.get("raw_path") or b""
    if not raw:
        # Django writes a second slash at the beginning as %2F, so that it names no host.
        return re.sub(r"^/%2F", "//", request.get_full_path())
    query: bytes = scope.get("query_string") or b""
    return (raw + b"?" * bool(query) + query).decode("latin-1")


def as_form(request: events.RawRequest) -> events.RawRequest:
    """Return a verified GET as the POST that it would have been, its query as a form."""
    path, _, query = request.path.partition("?")
    headers = {**request.headers, "content-type": parsing.FORM}
    return replace(
        request, method="POST", path=path, headers=headers, body=query.encode("latin-1")
    )
