"""Webhooks as Twilio posts them, and as it never should, beyond the contract."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.carriers import events
from messaging.carriers.twilio import Twilio

PAYLOADS = Path(__file__).parents[1] / "payloads" / "twilio"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
SID = "SM1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"


def parse(body: bytes, content_type: str = FORM) -> list[events.Event]:
    return Twilio().parse(events.RawRequest("POST", "/", {"content-type": content_type}, body))


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def inbound(**changes: str) -> bytes:
    fields = {"MessageSid": SID, "From": "+12025550177", "To": "+12025550110", "Body": "Hi"}
    return form(**fields | changes)


def unparsable(body: bytes, content_type: str = FORM) -> str:
    with pytest.raises(events.Unparsable) as caught:
        parse(body, content_type)
    return caught.value.reason


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", "queued"),
        ("scheduled", "queued"),
        ("queued", "queued"),
        ("sending", "sending"),
        ("sent", "sent"),
        ("partially_delivered", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_every_status_has_its_state(status: str, state: str) -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus=status))
    assert isinstance(event, events.Receipt)
    assert (event.carrier_message_id, event.state) == (SID, state)
    assert bool(event.error_class) == (state == "failed")


def test_a_status_of_the_future_is_ignored_not_refused() -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus="teleported"))
    assert isinstance(event, events.Ignored)


def test_an_unknown_error_is_of_the_class_other() -> None:
    [event] = parse(form(MessageSid=SID, MessageStatus="failed", ErrorCode="39999"))
    assert event == events.Receipt(SID, "failed", "39999", "other")


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


@pytest.mark.parametrize("kind", ["", "multipart/form-data; boundary=x", "text/plain"])
def test_what_is_no_form_is_not_read_as_one(kind: str) -> None:
    assert "not a form" in unparsable(inbound(), kind)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_every_text_arrives_as_it_was_written(body: str) -> None:
    [event] = parse(inbound(Body=body))
    assert isinstance(event, events.InboundText)
    assert event.body == body


def test_the_answer_is_empty_twiml() -> None:
    assert Twilio().ack() == (b"<Response/>", "text/xml")
