"""Read what Telnyx says became of a text: receipts, and the errors in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from messaging.carriers import events, parsing, telnyx_inbound
from messaging.carriers.telnyx_errors import ERROR_CLASSES

STATES: dict[str, events.State] = {
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "expired": "failed",
    "sending_failed": "failed",
    "delivery_failed": "failed",
    "delivery_unconfirmed": "unknown",
    # The detail records' words.
    "failed": "failed",
    "gw_reject": "failed",
    "gw_timeout": "failed",
    "dlr_timeout": "unknown",
    "dlr_unconfirmed": "unknown",
}

# A block, by the contact's STOP or by a network; only the words of the error tell which.
BLOCKED = "40300"
STOP = re.compile(r"\bSTOP\b|\bopt(?:ed)?[ -]?out\b|existing block rule", re.IGNORECASE)


def read_receipts(payload: Mapping[str, object]) -> list[events.Event]:
    """Return a receipt for each recipient. Raise Unparsable."""
    telnyx_inbound.check_kind(payload)
    message_id = parsing.clean_required("id", parsing.read_string(payload, "id"), parsing.ID_LIMIT)
    errors = parsing.read_objects("errors", payload.get("errors"))
    token = attempt_in(payload.get("webhook_url"))
    receipts: list[events.Event] = []
    parties = parsing.read_objects("to", payload.get("to"))
    if not parties:
        raise events.Unparsable("to is missing")
    for index, party in enumerate(parties):
        status = parsing.read_string(party, "status")
        if status not in STATES:
            receipts.append(events.Ignored("a status that needs nothing done"))
            continue
        own = [error for error in errors if _points_at(error, index)]
        code, error_class, words = read_error(status, own or errors)
        recipient = telnyx_inbound.read_address("to", party)
        receipts.append(
            events.Receipt(message_id, STATES[status], code, error_class, recipient, token, words)
        )
    return receipts


def _points_at(error: Mapping[str, object], index: int) -> bool:
    """Return True if an error names this one of the recipients, by a JSON pointer (RFC 6901)."""
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return isinstance(pointer, str) and f"{pointer}/".endswith(f"/to/{index}/")


def read_error(status: str, errors: object) -> tuple[str, events.ErrorClass | Literal[""], str]:
    """Return the first error's code, its class and its words, if the status is a failure."""
    state = STATES.get(status, "sent")
    if state not in ("failed", "unknown"):
        return "", "", ""
    given = first_code(errors)
    code = (
        parsing.clean_field("code", str(given), parsing.CODE_LIMIT)
        if isinstance(given, str | int)
        else ""
    )
    words = parsing.carrier_words(*words_of(errors))
    if state == "unknown":
        return code, "ambiguous", words
    default: events.ErrorClass = "expired" if status == "expired" else "other"
    return code, class_by_words(errors) or ERROR_CLASSES.get(code, default), words


def words_of(errors: object) -> tuple[object, ...]:
    """Return title and detail of the first error."""
    first = errors[0] if isinstance(errors, list) and errors else None
    return (first.get("title"), first.get("detail")) if isinstance(first, dict) else ()


def class_by_words(errors: object) -> events.ErrorClass | None:
    """Return "opted_out" for BLOCKED if its title or detail says STOP; None for other codes.

    The same code also says "Carrier rejected", which is no opt-out.
    """
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict) or str(first.get("code")) != BLOCKED:
        return None
    words = f"{first.get('title')} {first.get('detail')}"
    return "opted_out" if STOP.search(words) else None


def first_code(errors: object) -> object:
    """Return the code of the first error, whether errors are objects or bare codes."""
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("code") if isinstance(first, dict) else first


def attempt_in(webhook_url: object) -> str:
    """Return our attempt's token: the last step of the address that we gave with the text."""
    last = str(webhook_url or "").rstrip("/").rpartition("/")[2]
    try:
        return str(UUID(last))
    except ValueError:
        return ""
