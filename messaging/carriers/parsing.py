"""Webhook bodies, read strictly: secrets, digests, forms, JSON, text, lists."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes, urlsplit

from messaging.carriers import events

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
ID_LIMIT = 64
ADDRESS_LIMIT = 64
URL_LIMIT = 2048
TYPE_LIMIT = 128
LONGEST_SHORT_CODE = 8

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


def path_of(url: str) -> str:
    """Path and query of a URL, as a request for it names them."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def host_of(url: str) -> str:
    """The host that a URL names, in lower case; empty when it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def valid_secrets(credentials: Mapping[str, str], name: str, label: str) -> list[str]:
    """The secret, and the one before it while it is rotated; never an empty one.

    Raises VerificationError when the secret itself is not stored: nothing is accepted then.
    """
    current = credentials.get(name, "")
    if not current:
        raise events.VerificationError(f"no {label} is stored for this account")
    previous = credentials.get(f"previous_{name}", "")
    return [current, previous] if previous else [current]


def digest_is_any(given: str, expected: Iterable[str]) -> bool:
    """Compare in constant time with every candidate, without stopping at a match."""
    raw = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(raw, candidate.encode()) for candidate in expected]
    return any(matches)


def readable(label: str, value: str, limit: int | None = None) -> str:
    """Return `value` if PostgreSQL can store it and it is not too long, else raise Unparsable."""
    if "\x00" in value:
        raise events.Unparsable(f"{label} contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise events.Unparsable(f"{label} contains half of a surrogate pair") from None
    if limit is not None and len(value) > limit:
        raise events.Unparsable(f"{label} is longer than {limit} characters")
    return value


def required(label: str, value: str, limit: int) -> str:
    """As `readable`, and refuse an empty or blank value."""
    if not value.strip():
        raise events.Unparsable(f"{label} is missing")
    return readable(label, value, limit)


def with_plus(address: str) -> str:
    """E.164 from a carrier that leaves out its plus sign; a short code or a name as it is."""
    is_long = address.isascii() and address.isdigit() and len(address) > LONGEST_SHORT_CODE
    return f"+{address}" if is_long else address


def form_fields(request: events.RawRequest) -> dict[str, str]:
    """A form's fields as text. Raises Unparsable for anything but a clean UTF-8 form."""
    kind, charset = media_type(request.headers)
    if kind != FORM:
        raise events.Unparsable("the body is not a form")
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise events.Unparsable("the form declares a charset other than UTF-8")
    try:
        pairs = form_pairs(request.body)
    except TooManyFields:
        raise events.Unparsable("the form has too many fields") from None
    fields: dict[str, str] = {}
    for raw_key, raw_value in pairs:
        try:
            key, value = raw_key.decode(), raw_value.decode()
        except UnicodeDecodeError:
            raise events.Unparsable("a field is not valid UTF-8") from None
        if fields.setdefault(key, value) != value:
            raise events.Unparsable("a field is given twice with different values")
    return fields


def json_body(request: events.RawRequest) -> object:
    """The body as JSON, whatever its declared type. Raises Unparsable."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise events.Unparsable("the body is not JSON") from None


def mapping(label: str, value: object) -> Mapping[str, object]:
    """`value` as a JSON object. Raises Unparsable for anything else."""
    if not isinstance(value, dict):
        raise events.Unparsable(f"{label} is not a JSON object")
    return value


def string(event: Mapping[str, object], key: str) -> str:
    """The string under `key`; empty when it is missing or null. Raises Unparsable."""
    value = event.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise events.Unparsable(f"{key} is not a string")
    return value


def moment(label: str, value: str) -> datetime | None:
    """An ISO 8601 time, UTC where it names no zone; None for an empty one. Raises Unparsable."""
    try:
        at = datetime.fromisoformat(value) if value else None
        return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise events.Unparsable(f"{label} is not a time") from None


def items(label: str, value: object) -> list[object]:
    """`value` as a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise events.Unparsable(f"{label} is not a list")
    return value


def objects(label: str, value: object) -> list[Mapping[str, object]]:
    """`value` as a list of JSON objects; null is an empty one."""
    return [mapping(f"one of {label}", item) for item in items(label, value)]
