"""Webhooks as Twilio posts them, and as it never should."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.carriers.base import (
    REASONS,
    Event,
    Ignored,
    InboundMedia,
    InboundText,
    RawRequest,
    Receipt,
    Unparsable,
)
from messaging.carriers.twilio import ERROR_CLASSES, Twilio

PAYLOADS = Path(__file__).parents[1] / "payloads" / "twilio"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
SID = "SM1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"


def parse(body: bytes, content_type: str = FORM) -> list[Event]:
    return Twilio().parse(RawRequest("POST", "/", {"content-type": content_type}, body))


def parse_file(name: str) -> list[Event]:
    return parse((PAYLOADS / f"{name}.form").read_bytes())


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def inbound(**changes: str) -> bytes:
    fields = {"MessageSid": SID, "From": "+12025550177", "To": "+12025550110", "Body": "Hi"}
    return form(**fields | changes)


def unparsable(body: bytes, content_type: str = FORM) -> str:
    with pytest.raises(Unparsable) as caught:
        parse(body, content_type)
    return caught.value.reason


def test_an_inbound_text_is_read() -> None:
    assert parse_file("inbound_text") == [
        InboundText(
            carrier_message_id="SM0f2d9a4c1b7e4d5f8a6b3c2d1e0f9a8b",
            sender="+12025550177",
            recipient="+12025550110",
            body="Hi, did a parcel for Okafor arrive? 📦\nThanks!",
        )
    ]


def test_a_picture_without_words_is_an_inbound_text_too() -> None:
    [event] = parse_file("inbound_picture")
    assert isinstance(event, InboundText)
    url = (
        "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/"
        "MM5a1c2e3f4b5d6a7c8e9f0a1b2c3d4e5f/Media/ME00000000000000000000000000000000"
    )
    assert (event.body, event.media) == ("", (InboundMedia(url, "image/jpeg"),))


def test_unannounced_fields_and_messaging_services_do_not_disturb() -> None:
    [event] = parse_file("inbound_messaging_service")
    assert isinstance(event, InboundText)
    assert (event.sender, event.body) == ("72645", "Your code is 271828")


def test_a_delivery_is_read() -> None:
    assert parse_file("status_delivered") == [Receipt(SID, "delivered")]


def test_a_refused_delivery_carries_its_code_and_class() -> None:
    assert parse_file("status_undelivered") == [Receipt(SID, "failed", "30007", "filtered")]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", "queued"),
        ("scheduled", "queued"),
        ("queued", "queued"),
        ("sending", "sending"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_every_status_has_its_state(status: str, state: str) -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus=status))
    assert isinstance(event, Receipt)
    assert (event.carrier_message_id, event.state) == (SID, state)
    assert bool(event.error_class) == (state == "failed")


def test_a_status_of_the_future_is_ignored_not_refused() -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus="teleported"))
    assert isinstance(event, Ignored)


def test_an_unknown_error_is_of_the_class_other() -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus="failed", ErrorCode="39999"))
    assert event == Receipt(SID, "failed", "39999", "other")


def test_every_class_has_words_that_a_person_understands() -> None:
    assert set(ERROR_CLASSES.values()) <= set(REASONS)
    assert all(reason.endswith(".") and len(reason) <= 255 for reason in REASONS.values())


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "MessageSid is missing"),
        (b"&&&=&", "MessageSid is missing"),
        (form(From="+1", To="+2", Body="x"), "MessageSid is missing"),
        (form(MessageSid=SID, To="+2", Body="x"), "From is missing"),
        (form(MessageSid=SID, From="+1", Body="x"), "To is missing"),
        (form(MessageSid=SID, From="+1", To="+2"), "Body is missing"),
        (inbound(From="   "), "From is missing"),
        (inbound(Body="a\x00b"), "Body contains a NUL"),
        (inbound(From="+1\x00"), "From contains a NUL"),
        (inbound(MessageSid="SM\x00"), "MessageSid contains a NUL"),
        (inbound(MessageSid="S" * 65), "MessageSid is longer"),
        (inbound(From="1" * 65), "From is longer"),
        (inbound(NumMedia="many"), "NumMedia"),
        (inbound(NumMedia="-1"), "NumMedia"),
        (inbound(NumMedia="٣"), "NumMedia"),
        (inbound() + b"&Body=%ED%A0%80", "not valid UTF-8"),
        (inbound() + b"&Extra=caf%E9", "not valid UTF-8"),
        (inbound() + b"&Body=Other", "twice"),
        (inbound() + b"&a=1" * 2000, "too many fields"),
    ],
)
def test_what_makes_no_sense_is_named(body: bytes, word: str) -> None:
    assert word in unparsable(body)


def test_a_field_repeated_alike_is_no_trouble() -> None:
    assert parse(inbound() + b"&Body=Hi") == parse(inbound())


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "zlib", "no-such-thing"])
def test_another_charset_is_not_guessed_at(charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    assert "charset" in unparsable(inbound(), kind)


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
def test_what_is_no_form_is_not_read_as_one(kind: str) -> None:
    assert "not a form" in unparsable(inbound(), kind)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_every_text_arrives_as_it_was_written(body: str) -> None:
    [event] = parse(inbound(Body=body))
    assert isinstance(event, InboundText)
    assert event.body == body


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unparsable):
        parse(body)


def test_nothing_private_stands_in_a_repr() -> None:
    [event] = parse(inbound(Body="canary words"))
    shown = repr(event) + repr(RawRequest("POST", "/secret-token/", {"a": "b"}, b"canary words"))
    for private in ("canary", "+12025550177", "+12025550110", "secret-token"):
        assert private not in shown


def test_the_answer_is_empty_twiml() -> None:
    assert Twilio().ack() == (b"<Response/>", "text/xml")
