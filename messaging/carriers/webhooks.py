"""Pieces that webhook adapters share: reading forms and text strictly, comparing digests."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_to_bytes

from messaging.carriers.base import Unparsable

MAX_FIELDS = 1000
ID_LIMIT = 64
ADDRESS_LIMIT = 64

Pairs = list[tuple[bytes, bytes]]


class TooManyFields(ValueError):
    """A form with more fields than any carrier sends."""


def form_pairs(body: bytes) -> Pairs:
    """Split an x-www-form-urlencoded body into raw key and value bytes, blanks kept.

    Bytes, not text: a signature covers what was sent, whether or not it is valid
    UTF-8. Raises TooManyFields, because this runs before the sender is known.
    """
    if body.count(b"&") >= MAX_FIELDS:
        raise TooManyFields
    pairs = []
    for part in body.split(b"&"):
        if part:
            key, _, value = part.partition(b"=")
            pairs.append((_unquote(key), _unquote(value)))
    return pairs


def _unquote(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def media_type(headers: Mapping[str, str]) -> tuple[str, str]:
    """Content type and declared charset, both lower case; empty when not given."""
    kind, *parameters = headers.get("content-type", "").split(";")
    charset = ""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
    return kind.strip().lower(), charset


def digest_is_any(given: str, expected: Iterable[str]) -> bool:
    """Compare in constant time with every candidate, without stopping at a match."""
    raw = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(raw, candidate.encode()) for candidate in expected]
    return any(matches)


def readable(label: str, value: str, limit: int | None = None) -> str:
    """Return `value` if PostgreSQL can store it and it is not too long, else raise Unparsable."""
    if "\x00" in value:
        raise Unparsable(f"{label} contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unparsable(f"{label} contains half of a surrogate pair") from None
    if limit is not None and len(value) > limit:
        raise Unparsable(f"{label} is longer than {limit} characters")
    return value


def required(label: str, value: str, limit: int) -> str:
    """As `readable`, and refuse an empty or blank value."""
    if not value.strip():
        raise Unparsable(f"{label} is missing")
    return readable(label, value, limit)
