"""Parse webhook bodies strictly: secrets, digests, forms, JSON, text, lists."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes, urlsplit

from messaging.carriers import events

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
ID_LIMIT = 64
ADDRESS_LIMIT = 64
URL_LIMIT = 4096
TYPE_LIMIT = 128
MAX_MEDIA = 20
MAX_OTHERS = 50
LONGEST_SHORT_CODE = 8
CODE_LIMIT = 64
WORDS_LIMIT = 300
# Control characters (category Cc) without tab and line feed, and those that begin another line.
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
OTHER_BREAK = re.compile(r"[\x0b\x0c\x85]")

Pairs = list[tuple[bytes, bytes]]


class TooManyFields(ValueError):
    """Say that a form has more fields than any carrier sends."""


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
    """Return content type and declared charset, both lower case; empty if not given."""
    kind, *parameters = headers.get("content-type", "").split(";")
    charset = ""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
    return kind.strip().lower(), charset


def path_of(url: str) -> str:
    """Return path and query of a URL, as a request for it names them."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def with_both_schemes(url: str) -> Iterator[str]:
    """Return the URL, and the same by http or https: the carrier may have been given either.

    One with a port has no such other.
    """
    yield url
    parts = urlsplit(url)
    if not parts.port:
        other = "http" if parts.scheme == "https" else "https"
        yield with_origin(url, other, parts.netloc)


def with_origin(url: str, scheme: str, host: str) -> str:
    """Return the URL at another scheme and host, the rest to the letter."""
    _, _, rest = url.partition("://")
    return f"{scheme}://{host}{rest[len(urlsplit(url).netloc) :]}"


def host_of(url: str) -> str:
    """Return the host that a URL names, in lower case; empty if it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def valid_secrets(credentials: Mapping[str, str], name: str, label: str) -> list[str]:
    """Return the secret, and the previous one while it is being changed; never an empty one.

    Raise VerificationError if the secret itself is not stored: nothing is accepted then.
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


def clean_text(value: str) -> str:
    """Return `value` without control characters, which nobody sees and PostgreSQL partly refuses.

    Line breaks and tabs stay. Both halves of a surrogate pair become their character, one alone
    U+FFFD.
    """
    whole = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return CONTROL.sub("", OTHER_BREAK.sub("\n", whole))


def clean_field(label: str, value: str, limit: int | None = None) -> str:
    """Return `value` as `clean_text` does. Raise Unparsable if it is too long then."""
    cleaned = clean_text(value)
    if limit is not None and len(cleaned) > limit:
        raise events.Unparsable(f"{label} is longer than {limit} characters")
    return cleaned


def clean_required(label: str, value: str, limit: int) -> str:
    """Return `value` as `clean_field` does, and refuse an empty or blank one."""
    cleaned = clean_field(label, value, limit)
    if not cleaned.strip():
        raise events.Unparsable(f"{label} is missing")
    return cleaned


def listed(value: object) -> list[object]:
    """Return what a carrier lists, for what a text can do without: a string is a list of one, and
    anything else is empty."""
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else []


def other_addresses(found: Iterable[object]) -> tuple[str, ...]:
    """Return the addresses among what a carrier lists as a group's other recipients."""
    cleaned = (clean_text(one).strip() for one in found if isinstance(one, str))
    usable = [with_plus(one) for one in cleaned if one and len(one) <= ADDRESS_LIMIT]
    return tuple(usable[:MAX_OTHERS])


def media_url(value: object) -> str:
    """Return where a picture is; "" if the carrier announced one and gives no usable address."""
    url = clean_text(value).strip() if isinstance(value, str) else ""
    try:
        urlsplit(url)
    except ValueError:
        return ""
    return url if len(url) <= URL_LIMIT else ""


def with_missing_media(
    found: tuple[events.InboundMedia, ...], announced: int
) -> tuple[events.InboundMedia, ...]:
    """Add what the carrier counted but did not list, so that the text can say that it is missing.

    The carrier's count is believed up to `MAX_MEDIA`.
    """
    return found + (events.InboundMedia(""),) * (min(announced, MAX_MEDIA) - len(found))


def carrier_words(*parts: object) -> str:
    """Return what a carrier says of a failure as one line: the strings among `parts`, joined.

    Control and invisible characters are dropped, a part that another one holds is left out, and
    a long line is cut at WORDS_LIMIT. Never raises.
    """
    lines: list[str] = []
    for part in parts:
        line = _one_line(part) if isinstance(part, str) else ""
        if line and not any(line.lower() in known.lower() for known in lines):
            lines = [known for known in lines if known.lower() not in line.lower()] + [line]
    whole = ": ".join(lines)
    return whole if len(whole) <= WORDS_LIMIT else f"{whole[: WORDS_LIMIT - 1].rstrip()}…"


def _one_line(value: str) -> str:
    spaced = "".join(" " if character.isspace() else character for character in value)
    return " ".join("".join(filter(str.isprintable, spaced)).split()).rstrip(":")


def with_plus(address: str) -> str:
    """Add the plus sign that a carrier leaves out of E.164; keep a short code or a name."""
    is_long = address.isascii() and address.isdigit() and len(address) > LONGEST_SHORT_CODE
    return f"+{address}" if is_long else address


def form_fields(request: events.RawRequest) -> dict[str, str]:
    """Return a form's fields as text, U+FFFD for bytes that are no UTF-8. Raise Unparsable."""
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
        key, value = _decode(raw_key), _decode(raw_value)
        if fields.setdefault(key, value) != value:
            raise events.Unparsable("a field is given twice with different values")
    return fields


def _decode(raw: bytes, encoding: str = "utf-8") -> str:
    """Decode leniently; halves of surrogate pairs are kept for `clean_text`."""
    try:
        return raw.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace")


def json_body(request: events.RawRequest) -> object:
    """Return the body as JSON, whatever its declared type. Raise Unparsable.

    Strings may hold control characters as they are, not only as JSON writes them.
    """
    try:
        encoding = json.detect_encoding(request.body)
        return json.loads(_decode(request.body, encoding), strict=False)
    except (ValueError, RecursionError):
        raise events.Unparsable("the body is not JSON") from None


def read_object(label: str, value: object) -> Mapping[str, object]:
    """Return `value` as a JSON object. Raise Unparsable for anything else."""
    if not isinstance(value, dict):
        raise events.Unparsable(f"{label} is not a JSON object")
    return value


def read_string(event: Mapping[str, object], key: str) -> str:
    """Return the string under `key`; empty if it is missing or null. Raise Unparsable."""
    value = event.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise events.Unparsable(f"{key} is not a string")
    return value


def read_time(label: str, value: str) -> datetime | None:
    """Return an ISO 8601 time, UTC if it names no zone; None if empty. Raise Unparsable."""
    try:
        at = datetime.fromisoformat(value) if value else None
        return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise events.Unparsable(f"{label} is not a time") from None


def read_list(label: str, value: object) -> list[object]:
    """Return `value` as a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise events.Unparsable(f"{label} is not a list")
    return value


def read_objects(label: str, value: object) -> list[Mapping[str, object]]:
    """Return `value` as a list of JSON objects; null is an empty one."""
    return [read_object(f"one of {label}", item) for item in read_list(label, value)]
