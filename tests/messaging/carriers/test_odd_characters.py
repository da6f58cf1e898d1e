"""Texts are stored without the characters that nobody sees, whichever carrier brings them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.carriers import CARRIERS, events, parsing
from messaging.inbound.receiving import store_text
from messaging.models import Message, Webhook
from tests.cast import CUSTOMER, FRONT_DESK, Cast
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, CarrierFixture, expected
from tests.messaging.carriers.webhook_requests import move_front_desk, post_body

served = [fixture for fixture in FIXTURES.values() if fixture.name in CARRIERS]
every_carrier = pytest.mark.parametrize("fixture", served, ids=[one.name for one in served])


def text_file(fixture: CarrierFixture) -> Path:
    [file] = [one for one in fixture.payloads() if one.stem == "inbound_text"]
    return file


def replace_words(file: Path, written: str) -> bytes:
    """Return the payload with other words, written as its format needs them."""
    words = expected(file)[0]["body"]
    raw = file.read_bytes()
    if file.suffix == ".json":
        before = json.dumps(words, ensure_ascii=False)[1:-1]
        after = json.dumps(written)[1:-1]
    else:
        before, after = quote(words, safe="").replace("%20", "+"), quote(written, safe="")
    assert before.encode() in raw
    return raw.replace(before.encode(), after.encode())


@every_carrier
def test_a_text_with_characters_that_nobody_sees_is_stored_without_them(
    cast: Cast, fixture: CarrierFixture
) -> None:
    file, account = text_file(fixture), move_front_desk(cast, fixture).account
    body = replace_words(file, "re\x00move\x07\x1b null\n\tnow\x0band\x85then\x7f\x9d 👩‍🚒\r\n")
    assert post_body(account, fixture, body, CONTENT_TYPES[file.suffix]).status_code == 200
    assert Message.objects.get().body == "remove null\n\tnow\nand\nthen 👩‍🚒\r\n"
    assert not Webhook.objects.quarantined().exists()


@every_carrier
def test_half_of_a_pair_is_stored_as_a_replacement_character(
    cast: Cast, fixture: CarrierFixture
) -> None:
    """Take what is left where a phone or carrier cut a text within a character."""
    file, account = text_file(fixture), move_front_desk(cast, fixture).account
    if file.suffix == ".json":
        body = replace_words(file, "cut \ud83d").replace(b"\\ud83d", rb"\ud83d \ud83d\ude00")
        assert post_body(account, fixture, body, CONTENT_TYPES[".json"]).status_code == 200
        assert Message.objects.get().body == "cut � 😀"
        assert not Webhook.objects.quarantined().exists()
        return
    body = replace_words(file, "X").replace(b"=X", b"=cut+%ED%A0%BD+%ED%A0%BD%ED%B8%80+%E9")
    request = events.RawRequest("POST", "/", {"content-type": CONTENT_TYPES[".form"]}, body)
    [text] = fixture.carrier.parse(request)
    assert isinstance(text, events.InboundText)
    # Bytes that are no UTF-8 at all are replaced one by one.
    assert text.body.startswith("cut �")
    assert text.body.endswith(" �")
    store_text(text, account=account)


@pytest.mark.parametrize("name", [name for name, one in FIXTURES.items() if name in CARRIERS])
def test_unescaped_control_characters_in_json_are_read(name: str) -> None:
    file = text_file(FIXTURES[name])
    if file.suffix == ".json":
        body = file.read_bytes().replace(b"Hi", b"H\x00\ti")
        [text] = FIXTURES[name].carrier.parse(events.RawRequest("POST", "/", {}, body))
        assert isinstance(text, events.InboundText)
        assert text.body.startswith("H\ti")


def test_senders_pictures_and_receipts_are_cleaned_as_well() -> None:
    def parse(**fields: str) -> events.Event:
        body = urlencode({"MessageSid": "SM\x001", "To": FRONT_DESK, **fields}).encode()
        headers = {"content-type": CONTENT_TYPES[".form"]}
        [event] = CARRIERS["twilio"].parse(events.RawRequest("POST", "/", headers, body))
        return event

    picture = {"MediaUrl0": "https://api.twilio.com/\x001", "MediaContentType0": "image\x00/gif"}
    text = parse(From=f"\x00{CUSTOMER}\x9f", Body="", NumMedia="1", **picture)
    assert isinstance(text, events.InboundText)
    assert (text.carrier_message_id, text.sender) == ("SM1", CUSTOMER)
    assert text.media == (events.InboundMedia("https://api.twilio.com/1", "image/gif"),)
    receipt = parse(MessageStatus="failed", ErrorCode="\x0030005")
    assert receipt == events.Receipt("SM1", "failed", "30005", "bad_address")


@given(st.text(st.characters(exclude_categories=[])))
@settings(max_examples=300, deadline=None)
def test_cleaned_text_can_be_stored_and_loses_nothing_that_is_seen(text: str) -> None:
    cleaned = parsing.clean_text(text)
    cleaned.encode()
    kept = [letter for letter in cleaned if unicodedata.category(letter) == "Cc"]
    assert set(kept) <= {"\t", "\n", "\r"}
    assert parsing.clean_text(cleaned) == cleaned
    if text.isprintable():
        assert cleaned == text
