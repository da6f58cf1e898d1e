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


def encode_form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def inbound_form(**changes: str) -> bytes:
    fields = {"MessageSid": SID, "From": "+12025550177", "To": "+12025550110", "Body": "Hi"}
    return encode_form(**fields | changes)


def parse_error(body: bytes, content_type: str = FORM) -> str:
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
    [event] = parse(encode_form(MessageSid=SID, MessageStatus=status))
    assert isinstance(event, events.Receipt)
    assert (event.carrier_message_id, event.state) == (SID, state)
    assert bool(event.error_class) == (state == "failed")


def test_an_unknown_status_is_ignored_not_refused() -> None:
    [event] = parse(encode_form(MessageSid=SID, MessageStatus="teleported"))
    assert isinstance(event, events.Ignored)


def test_an_unknown_error_is_of_the_class_other() -> None:
    [event] = parse(encode_form(MessageSid=SID, MessageStatus="failed", ErrorCode="39999"))
    assert event == events.Receipt(SID, "failed", "39999", "other")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "MessageSid is missing"),
        (b"&&&=&", "MessageSid is missing"),
        (encode_form(From="+1", To="+2", Body="x"), "MessageSid is missing"),
        (encode_form(MessageSid=SID, To="+2", Body="x"), "From is missing"),
        (encode_form(MessageSid=SID, From="+1", Body="x"), "To is missing"),
        (encode_form(MessageSid=SID, From="+1", To="+2"), "Body is missing"),
        (inbound_form(From="   "), "From is missing"),
        (inbound_form(From="\x00 "), "From is missing"),
        (inbound_form(MessageSid="\x00"), "MessageSid is missing"),
        (inbound_form(MessageSid="S" * 65), "MessageSid is longer"),
        (inbound_form(From="1" * 65), "From is longer"),
        (inbound_form(NumMedia="many"), "NumMedia"),
        (inbound_form(NumMedia="-1"), "NumMedia"),
        (inbound_form(NumMedia="٣"), "NumMedia"),
        (inbound_form() + b"&Body=Other", "twice"),
        (inbound_form() + b"&a=1" * 2000, "too many fields"),
    ],
)
def test_parse_errors_name_their_cause(body: bytes, word: str) -> None:
    assert word in parse_error(body)


def test_a_field_repeated_with_the_same_value_is_accepted() -> None:
    assert parse(inbound_form() + b"&Body=Hi") == parse(inbound_form())


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "zlib", "no-such-thing"])
def test_another_charset_is_not_guessed(charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    assert "charset" in parse_error(inbound_form(), kind)


@pytest.mark.parametrize("kind", ["", "multipart/form-data; boundary=x", "text/plain"])
def test_another_content_type_is_not_read_as_a_form(kind: str) -> None:
    assert "not a form" in parse_error(inbound_form(), kind)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\r\n")))
def test_every_text_arrives_as_it_was_written(body: str) -> None:
    [event] = parse(inbound_form(Body=body))
    assert isinstance(event, events.InboundText)
    assert event.body == body


def test_the_answer_is_empty_twiml() -> None:
    assert Twilio().ack() == (b"<Response/>", "text/xml")
