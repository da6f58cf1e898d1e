"""Tests that every carrier's webhooks pass: the vendor's requests and those of anybody else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.carriers import ADAPTERS, events, parsing
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import (
    CONTENT_TYPES,
    PUBLIC_URL,
    CarrierFixture,
    expected,
    plain,
    unsigned,
)

every_carrier = pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES.keys())
FILES = [(fixture, file) for fixture in FIXTURES.values() for file in fixture.payloads()]
every_payload = pytest.mark.parametrize(
    ("fixture", "file"), FILES, ids=[f"{fixture.name}-{file.name}" for fixture, file in FILES]
)


def verify(
    fixture: CarrierFixture,
    request: events.RawRequest,
    *,
    public_url: str = PUBLIC_URL,
    **credentials: str,
) -> None:
    fixture.carrier.verify(request, {**fixture.credentials, **credentials}, public_url)


def refusal_reason(fixture: CarrierFixture, request: events.RawRequest, **more: str) -> str:
    with pytest.raises(events.VerificationError) as caught:
        verify(fixture, request, **more)
    assert caught.value.reason
    return caught.value.reason


def sample_request(fixture: CarrierFixture) -> events.RawRequest:
    return fixture.request(fixture.payloads()[0])


def with_header(request: events.RawRequest, name: str, value: str | None) -> events.RawRequest:
    headers = {key: old for key, old in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


def test_every_carrier_is_under_the_contract() -> None:
    assert {adapter.name for adapter in ADAPTERS} <= set(FIXTURES)


@every_payload
def test_what_the_vendor_signs_is_accepted(fixture: CarrierFixture, file: Path) -> None:
    verify(fixture, fixture.request(file))


@every_carrier
def test_another_body_is_refused_or_has_a_nonce(fixture: CarrierFixture) -> None:
    request = sample_request(fixture)
    forged = replace(request, body=request.body.replace(b"12025550", b"12025551"))
    assert forged.body != request.body
    if "body" in fixture.covers:
        refusal_reason(fixture, forged)
    else:
        assert fixture.carrier.nonce(forged) or "url" not in fixture.covers


@every_carrier
def test_another_address_is_refused(fixture: CarrierFixture) -> None:
    if "url" in fixture.covers:
        path = f"/webhooks/{fixture.name}/another-token/"
        refusal_reason(fixture, replace(sample_request(fixture), path=path))


@every_carrier
def test_the_address_is_never_taken_from_the_request(fixture: CarrierFixture) -> None:
    url = f"https://evil.example.com{fixture.path}"
    body = fixture.payloads()[0]
    request = fixture.sign(
        body.read_bytes(),
        CONTENT_TYPES[body.suffix],
        fixture.credentials[fixture.secret],
        url,
    )
    for header in ("host", "x-forwarded-host"):
        request = with_header(request, header, "evil.example.com")
    if fixture.name not in ("simulator",) and "url" in fixture.covers:
        refusal_reason(fixture, request)


@every_carrier
@pytest.mark.parametrize("value", [None, "", "x", "é", "\udce9", "====", "Bearer ", "Basic é"])
def test_a_missing_or_odd_signature_is_refused(fixture: CarrierFixture, value: str | None) -> None:
    for name in fixture.signature_headers:
        refusal_reason(fixture, with_header(sample_request(fixture), name, value))


@every_carrier
def test_a_signature_with_one_character_changed_is_refused(fixture: CarrierFixture) -> None:
    request = sample_request(fixture)
    name = fixture.signature_headers[0]
    value = request.headers[name]
    middle = len(value) // 2
    other = "A" if value[middle] != "A" else "B"
    refusal_reason(
        fixture, with_header(request, name, value[:middle] + other + value[middle + 1 :])
    )


@every_carrier
def test_a_secret_that_is_not_ours_is_refused(fixture: CarrierFixture) -> None:
    refusal_reason(fixture, sample_request(fixture), **{fixture.secret: fixture.other_secret})


@every_carrier
def test_without_a_stored_secret_nothing_is_accepted(fixture: CarrierFixture) -> None:
    stored = fixture.credentials[fixture.secret]
    for credentials in ({}, {fixture.secret: ""}, {f"previous_{fixture.secret}": stored}):
        with pytest.raises(events.VerificationError):
            fixture.carrier.verify(sample_request(fixture), credentials, PUBLIC_URL)


@every_carrier
def test_the_previous_secret_is_accepted_while_it_is_changed(fixture: CarrierFixture) -> None:
    old = fixture.credentials[fixture.secret]
    changed = {fixture.secret: fixture.other_secret, f"previous_{fixture.secret}": old}
    verify(fixture, sample_request(fixture), **changed)
    verify(
        fixture, sample_request(fixture), **{f"previous_{fixture.secret}": fixture.other_secret}
    )
    names = {field.name for field in fixture.carrier.credential_fields}
    assert {fixture.secret, f"previous_{fixture.secret}"} <= names


@every_carrier
def test_an_empty_previous_secret_accepts_nothing(fixture: CarrierFixture) -> None:
    changed = {fixture.secret: fixture.other_secret, f"previous_{fixture.secret}": ""}
    refusal_reason(fixture, sample_request(fixture), **changed)


@every_carrier
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_is_sent_unsigned_is_refused_and_nothing_else(
    fixture: CarrierFixture, data: st.DataObject
) -> None:
    headers = {
        name: data.draw(st.text(max_size=80), label=name)
        for name in (*fixture.signature_headers, "content-type")
    }
    request = events.RawRequest("POST", fixture.path, headers, data.draw(st.binary(max_size=200)))
    refusal_reason(fixture, request)


@every_carrier
def test_the_self_test_is_accepted_and_harmless(fixture: CarrierFixture) -> None:
    request = fixture.carrier.sign_test(fixture.credentials, PUBLIC_URL + fixture.path)
    if request is None:
        return
    assert request.path == fixture.path
    verify(fixture, request)
    parsed = fixture.carrier.parse(request)
    assert parsed
    assert all(isinstance(event, events.Ignored) for event in parsed)
    refusal_reason(fixture, request, **{fixture.secret: fixture.other_secret})


@every_payload
def test_a_payload_is_parsed_as_its_sidecar_says(fixture: CarrierFixture, file: Path) -> None:
    assert plain(fixture.carrier.parse(unsigned(file))) == expected(file)


@every_carrier
def test_the_payloads_cover_texts_pictures_and_receipts(fixture: CarrierFixture) -> None:
    parsed = [
        event for file in fixture.payloads() for event in fixture.carrier.parse(unsigned(file))
    ]
    texts = [event for event in parsed if isinstance(event, events.InboundText)]
    states = {event.state for event in parsed if isinstance(event, events.Receipt)}
    assert any(text.body and not text.media for text in texts)
    assert any(text.media for text in texts)
    assert {"delivered", "failed"} <= states


@every_payload
def test_a_repr_contains_nothing_private(fixture: CarrierFixture, file: Path) -> None:
    for event in fixture.carrier.parse(unsigned(file)):
        shown = repr(event)
        for private in private_parts(event):
            assert private not in shown


def private_parts(event: events.Event) -> Iterator[str]:
    if isinstance(event, events.InboundText):
        yield from (event.sender, event.recipient, *event.others)
        if event.body:
            yield event.body
        yield from (medium.url for medium in event.media)
    elif isinstance(event, events.Receipt):
        yield from filter(None, (event.recipient, event.attempt_token))


def test_the_repr_of_a_request_contains_nothing_private() -> None:
    request = events.RawRequest("POST", "/secret-token/", {"a": "canary"}, b"canary")
    assert "secret-token" not in repr(request)
    assert "canary" not in repr(request)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@every_carrier
@given(
    body=st.binary(max_size=300)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.text(max_size=9), st.text(max_size=20)).map(
        lambda form: urlencode(form, errors="surrogatepass").encode()
    ),
    content_type=st.sampled_from([*CONTENT_TYPES.values(), "", "text/plain"]),
)
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_raise_nothing_but_unparsable(
    fixture: CarrierFixture, body: bytes, content_type: str
) -> None:
    with contextlib.suppress(events.Unparsable):
        fixture.carrier.parse(events.RawRequest("POST", "/", {"content-type": content_type}, body))


ODD: list[Any] = [None, 5, -1, 1e400, True, [], {}, [5], "", " ", "a\x00b", "\ud83d", "x" * 5000]


def odd_variants(value: Any) -> Iterator[Any]:
    """Yield every variant of a JSON value with one part missing or odd."""
    if isinstance(value, dict):
        for key in value:
            yield {name: part for name, part in value.items() if name != key}
            yield from ({**value, key: odd} for odd in [*ODD, *odd_variants(value[key])])
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from ([*value[:index], odd, *value[index + 1 :]] for odd in ODD)
            yield from ([*value[:index], odd, *value[index + 1 :]] for odd in odd_variants(part))


def odd_bodies(file: Path) -> Iterator[bytes]:
    if file.suffix == ".json":
        for value in odd_variants(json.loads(file.read_bytes())):
            yield json.dumps(value).encode()
        return
    pairs = dict(parse_qsl(file.read_text(), keep_blank_values=True))
    for value in odd_variants(pairs):
        texts = {key: part for key, part in value.items() if isinstance(part, str)}
        yield urlencode(texts, errors="surrogatepass").encode()


@every_payload
def test_a_payload_with_an_odd_part_is_unparsable_or_can_be_stored(
    fixture: CarrierFixture, file: Path
) -> None:
    headers = {"content-type": CONTENT_TYPES[file.suffix]}
    for body in odd_bodies(file):
        with contextlib.suppress(events.Unparsable):
            for event in fixture.carrier.parse(events.RawRequest("POST", "/", headers, body)):
                assert_storable(event)


def assert_storable(event: events.Event) -> None:
    for text in iterate_strings(event):
        assert "\x00" not in text
        text.encode()
    if not isinstance(event, events.Ignored | events.Unreadable):
        assert event.carrier_message_id.strip()
        assert len(event.carrier_message_id) <= parsing.ID_LIMIT
    if isinstance(event, events.InboundText):
        assert event.sender.strip()
        assert (
            len(event.sender) <= parsing.ADDRESS_LIMIT + 1
        )  # a plus sign may have come before it
        assert all(medium.size is None or medium.size >= 0 for medium in event.media)
        assert event.sent_at is None or event.sent_at.tzinfo is not None
    if isinstance(event, events.Receipt):
        assert len(event.error_code) <= 64
        assert len(event.words) <= parsing.WORDS_LIMIT
        assert event.words.isprintable()


def iterate_strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from iterate_strings(part)
    elif is_dataclass(value):
        for item in fields(value):
            yield from iterate_strings(getattr(value, item.name))


@every_carrier
def test_the_answer_to_a_webhook_is_not_texted_back(fixture: CarrierFixture) -> None:
    body, content_type = fixture.carrier.ack()
    assert body in (b"", b"<Response/>")
    assert content_type in ("text/plain", "text/xml")


def test_every_class_of_error_has_a_sentence_for_agents() -> None:
    assert all(reason.endswith(".") and len(reason) <= 255 for reason in events.REASONS.values())
    assert len(set(events.REASONS.values())) == len(events.REASONS)
