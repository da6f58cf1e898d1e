"""Read what Telnyx brings from outside: its event "message.received", version 2.

Follows Telnyx's "Receiving webhooks", "Group messaging" and "Receiving RCS webhooks".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from messaging.carriers import events, parsing

CHANNELS = {"rcs": "RCS", "whatsapp": "WhatsApp"}
OTHER_CHANNEL = (
    "It came by {channel}; Partyline serves SMS and MMS. In Telnyx's portal, give the {channel} "
    "agent or sender another webhook URL than this address."
)
OTHER_EVENT = (
    "It is an event of the kind “{kind}”, not of a text. In Telnyx's portal, enter this address "
    "in the inbound settings of a messaging profile only."
)
OLD_VERSION = "In Telnyx's portal, set the messaging profile's webhook API version to 2."

NO_SUBJECT = "NoSubject"  # What Telnyx writes where a picture message has none


def read_data(request: events.RawRequest) -> Mapping[str, object]:
    """Return an event's data. Raise Unparsable, with what to set, for the older versions."""
    try:
        body = parsing.json_body(request)
    except events.Unparsable as error:
        raise events.Unparsable(f"{error.reason}. {OLD_VERSION}") from None
    data = parsing.read_object("the body", body).get("data")
    if not isinstance(data, dict):
        raise events.Unparsable(f"data is missing. {OLD_VERSION}")
    return data


def check_kind(payload: Mapping[str, object]) -> None:
    """Raise Unparsable, with what to set, for another channel than SMS and MMS."""
    kind = parsing.clean_field("type", parsing.read_string(payload, "type"), parsing.TYPE_LIMIT)
    if kind.upper() not in ("", "SMS", "MMS"):
        raise events.Unparsable(OTHER_CHANNEL.format(channel=CHANNELS.get(kind.lower(), kind)))


def read_texts(
    payload: Mapping[str, object], number: str | None = None
) -> list[events.InboundText]:
    """Parse a text, in a webhook as in the answer to "Retrieve a message".

    A group text gives one for each number of ours that Telnyx marks. Its id then has a mark of
    the number behind it, since no document says whether our numbers share one. `number` is the
    one of ours for which the text was listed, if that is how we came to it.
    """
    check_kind(payload)
    media = _read_media(payload)
    if payload.get("text") is None and not media:
        raise events.Unparsable("text is missing")
    subject = parsing.clean_field("subject", parsing.read_string(payload, "subject"))
    message_id = parsing.clean_required("id", parsing.read_string(payload, "id"), parsing.ID_LIMIT)
    everyone, (ours, is_told) = _addresses_of(payload), _our_addresses(payload)
    if number and number in everyone:
        ours, is_told = [number], True
    is_group = len(everyone) > 1
    return [
        events.InboundText(
            carrier_message_id=_with_number(message_id, one) if is_group else message_id,
            sender=read_address("from", parsing.read_object("from", payload.get("from"))),
            recipient=one,
            body=parsing.clean_field("text", parsing.read_string(payload, "text")),
            sent_at=parsing.read_time("received_at", parsing.read_string(payload, "received_at")),
            media=tuple(item for item in media if item.content_type != "application/smil"),
            subject="" if subject == NO_SUBJECT else subject,
            keyword=events.CARRIER_KEYWORDS.get(str(payload.get("autoresponse_type")).upper()),
            others=tuple(other for other in everyone if other != one),
            is_recipient_told=is_told,
        )
        for one in ours
    ]


def read_address(label: str, party: Mapping[str, object]) -> str:
    """Return the number of one party to a message."""
    return parsing.clean_required(
        label, parsing.read_string(party, "phone_number"), parsing.ADDRESS_LIMIT
    )


def without_number(message_id: str) -> str:
    """Return Telnyx's own id of a text from the one that `read_texts` gave it."""
    return message_id.partition(":")[0]


def _with_number(message_id: str, ours: str) -> str:
    return f"{message_id}:{hashlib.sha256(ours.encode()).hexdigest()[:8]}"


def _our_addresses(payload: Mapping[str, object]) -> tuple[list[str], bool]:
    """Return the recipients for whom this webhook was made, and whether Telnyx marks them."""
    everyone = parsing.read_objects("to", payload.get("to"))
    marked = [one for one in everyone if one.get("status") == "webhook_delivered"]
    if not everyone:
        raise events.Unparsable("to is missing")
    ours = dict.fromkeys(read_address("to", one) for one in marked or everyone[:1])
    return list(ours), bool(marked) or len(everyone) == 1


def _addresses_of(payload: Mapping[str, object]) -> list[str]:
    """Return all recipients of a text, each once."""
    parties = [*parsing.listed(payload.get("to")), *parsing.listed(payload.get("cc"))]
    numbers = (one.get("phone_number") if isinstance(one, dict) else one for one in parties)
    return list(dict.fromkeys(parsing.other_addresses(numbers)))


def _read_media(payload: Mapping[str, object]) -> tuple[events.InboundMedia, ...]:
    """Return the pictures and files; one without an address where an MMS has nothing in it."""
    media = tuple(_medium(item) for item in parsing.read_objects("media", payload.get("media")))
    is_empty = not media and not payload.get("text")
    if is_empty and parsing.read_string(payload, "type").upper() == "MMS":
        return (events.InboundMedia(""),)
    return media


def _medium(item: Mapping[str, object]) -> events.InboundMedia:
    size = item.get("size")
    return events.InboundMedia(
        url=parsing.media_url(item.get("url")),
        content_type=parsing.clean_field(
            "content_type", parsing.read_string(item, "content_type"), parsing.TYPE_LIMIT
        ),
        size=size if isinstance(size, int) and size >= 0 else None,
        sha256=parsing.clean_field(
            "hash_sha256", parsing.read_string(item, "hash_sha256"), 64
        ).lower(),
    )
