"""What every carrier's webhooks have to stand: the vendor's, and anybody's."""

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
from tests.messaging.carriers.specimens import SPECIMENS
from tests.messaging.carriers.specimens.base import (
    CONTENT_TYPES,
    PUBLIC_URL,
    Specimen,
    expected,
    plain,
    unsigned,
)

every_carrier = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS.keys())
FILES = [(specimen, file) for specimen in SPECIMENS.values() for file in specimen.payloads()]
every_payload = pytest.mark.parametrize(
    ("specimen", "file"), FILES, ids=[f"{specimen.name}-{file.name}" for specimen, file in FILES]
)


def verify(
    specimen: Specimen,
    request: events.RawRequest,
    *,
    public_url: str = PUBLIC_URL,
    **credentials: str,
) -> None:
    specimen.carrier.verify(request, {**specimen.credentials, **credentials}, public_url)


def refused(specimen: Specimen, request: events.RawRequest, **more: str) -> str:
    with pytest.raises(events.VerificationError) as caught:
        verify(specimen, request, **more)
    assert caught.value.reason
    return caught.value.reason


def sample(specimen: Specimen) -> events.RawRequest:
    return specimen.request(specimen.payloads()[0])


def with_header(request: events.RawRequest, name: str, value: str | None) -> events.RawRequest:
    headers = {key: old for key, old in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


def test_every_carrier_is_under_the_contract() -> None:
    assert {adapter.name for adapter in ADAPTERS} <= set(SPECIMENS)


@every_payload
def test_what_the_vendor_signs_is_accepted(specimen: Specimen, file: Path) -> None:
    verify(specimen, specimen.request(file))


@every_carrier
def test_another_body_is_refused_or_its_nonce_tells(specimen: Specimen) -> None:
    request = sample(specimen)
    forged = replace(request, body=request.body.replace(b"12025550", b"12025551"))
    assert forged.body != request.body
    if "body" in specimen.covers:
        refused(specimen, forged)
    else:
        assert specimen.carrier.nonce(forged) or "url" not in specimen.covers


@every_carrier
def test_another_address_is_refused(specimen: Specimen) -> None:
    if "url" in specimen.covers:
        path = f"/webhooks/{specimen.name}/another-token/"
        refused(specimen, replace(sample(specimen), path=path))


@every_carrier
def test_the_address_is_never_taken_from_the_request(specimen: Specimen) -> None:
    url = f"https://evil.example.com{specimen.path}"
    body = specimen.payloads()[0]
    request = specimen.sign(
        body.read_bytes(),
        CONTENT_TYPES[body.suffix],
        specimen.credentials[specimen.secret],
        url,
    )
    for header in ("host", "x-forwarded-host"):
        request = with_header(request, header, "evil.example.com")
    if specimen.name not in ("simulator",) and "url" in specimen.covers:
        refused(specimen, request)


@every_carrier
@pytest.mark.parametrize("value", [None, "", "x", "é", "\udce9", "====", "Bearer ", "Basic é"])
def test_a_missing_or_odd_signature_is_refused(specimen: Specimen, value: str | None) -> None:
    for name in specimen.signature_headers:
        refused(specimen, with_header(sample(specimen), name, value))


@every_carrier
def test_a_signature_with_one_other_character_is_refused(specimen: Specimen) -> None:
    request = sample(specimen)
    name = specimen.signature_headers[0]
    value = request.headers[name]
    middle = len(value) // 2
    other = "A" if value[middle] != "A" else "B"
    refused(specimen, with_header(request, name, value[:middle] + other + value[middle + 1 :]))


@every_carrier
def test_a_secret_that_is_not_ours_is_refused(specimen: Specimen) -> None:
    refused(specimen, sample(specimen), **{specimen.secret: specimen.other_secret})


@every_carrier
def test_without_a_stored_secret_nothing_is_accepted(specimen: Specimen) -> None:
    stored = specimen.credentials[specimen.secret]
    for credentials in ({}, {specimen.secret: ""}, {f"previous_{specimen.secret}": stored}):
        with pytest.raises(events.VerificationError):
            specimen.carrier.verify(sample(specimen), credentials, PUBLIC_URL)


@every_carrier
def test_the_previous_secret_is_accepted_while_it_is_changed(specimen: Specimen) -> None:
    old = specimen.credentials[specimen.secret]
    changed = {specimen.secret: specimen.other_secret, f"previous_{specimen.secret}": old}
    verify(specimen, sample(specimen), **changed)
    verify(specimen, sample(specimen), **{f"previous_{specimen.secret}": specimen.other_secret})
    names = {field.name for field in specimen.carrier.credential_fields}
    assert {specimen.secret, f"previous_{specimen.secret}"} <= names


@every_carrier
def test_an_empty_previous_secret_opens_nothing(specimen: Specimen) -> None:
    changed = {specimen.secret: specimen.other_secret, f"previous_{specimen.secret}": ""}
    refused(specimen, sample(specimen), **changed)


@every_carrier
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_is_sent_unsigned_is_refused_and_nothing_else(
    specimen: Specimen, data: st.DataObject
) -> None:
    headers = {
        name: data.draw(st.text(max_size=80), label=name)
        for name in (*specimen.signature_headers, "content-type")
    }
    request = events.RawRequest("POST", specimen.path, headers, data.draw(st.binary(max_size=200)))
    refused(specimen, request)


@every_carrier
def test_the_self_test_is_accepted_and_harmless(specimen: Specimen) -> None:
    request = specimen.carrier.sign_test(specimen.credentials, PUBLIC_URL + specimen.path)
    if request is None:
        return
    assert request.path == specimen.path
    verify(specimen, request)
    parsed = specimen.carrier.parse(request)
    assert parsed
    assert all(isinstance(event, events.Ignored) for event in parsed)
    refused(specimen, request, **{specimen.secret: specimen.other_secret})


@every_payload
def test_a_payload_means_what_stands_beside_it(specimen: Specimen, file: Path) -> None:
    assert plain(specimen.carrier.parse(unsigned(file))) == expected(file)


@every_carrier
def test_the_payloads_show_all_that_a_carrier_tells(specimen: Specimen) -> None:
    parsed = [
        event for file in specimen.payloads() for event in specimen.carrier.parse(unsigned(file))
    ]
    texts = [event for event in parsed if isinstance(event, events.InboundText)]
    states = {event.state for event in parsed if isinstance(event, events.Receipt)}
    assert any(text.body and not text.media for text in texts)
    assert any(text.media for text in texts)
    assert {"delivered", "failed"} <= states


@every_payload
def test_nothing_private_stands_in_a_repr(specimen: Specimen, file: Path) -> None:
    for event in specimen.carrier.parse(unsigned(file)):
        shown = repr(event)
        for private in private_parts(event):
            assert private not in shown


def private_parts(event: events.Event) -> Iterator[str]:
    if isinstance(event, events.InboundText):
        yield from (event.sender, event.recipient)
        if event.body:
            yield event.body
        yield from (medium.url for medium in event.media)
    elif isinstance(event, events.Receipt):
        yield from filter(None, (event.recipient, event.attempt_token))


def test_a_request_shows_nothing_of_itself() -> None:
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
def test_no_bytes_raise_anything_but_unparsable(
    specimen: Specimen, body: bytes, content_type: str
) -> None:
    with contextlib.suppress(events.Unparsable):
        specimen.carrier.parse(
            events.RawRequest("POST", "/", {"content-type": content_type}, body)
        )


ODD: list[Any] = [None, 5, -1, 1e400, True, [], {}, [5], "", " ", "a\x00b", "\ud83d", "x" * 5000]


def twisted(value: Any) -> Iterator[Any]:
    """Every variant of a JSON value with one part of it missing or odd."""
    if isinstance(value, dict):
        for key in value:
            yield {name: part for name, part in value.items() if name != key}
            yield from ({**value, key: odd} for odd in [*ODD, *twisted(value[key])])
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], odd, *value[place + 1 :]] for odd in ODD)
            yield from ([*value[:place], odd, *value[place + 1 :]] for odd in twisted(part))


def twisted_bodies(file: Path) -> Iterator[bytes]:
    if file.suffix == ".json":
        for value in twisted(json.loads(file.read_bytes())):
            yield json.dumps(value).encode()
        return
    pairs = dict(parse_qsl(file.read_text(), keep_blank_values=True))
    for value in twisted(pairs):
        told = {key: part for key, part in value.items() if isinstance(part, str)}
        yield urlencode(told, errors="surrogatepass").encode()


@every_payload
def test_a_payload_with_an_odd_part_is_unparsable_or_can_be_stored(
    specimen: Specimen, file: Path
) -> None:
    headers = {"content-type": CONTENT_TYPES[file.suffix]}
    for body in twisted_bodies(file):
        with contextlib.suppress(events.Unparsable):
            for event in specimen.carrier.parse(events.RawRequest("POST", "/", headers, body)):
                assert_storable(event)


def assert_storable(event: events.Event) -> None:
    for text in strings(event):
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
        assert all(medium.url for medium in event.media)
        assert all(medium.size is None or medium.size >= 0 for medium in event.media)
        assert event.sent_at is None or event.sent_at.tzinfo is not None
    if isinstance(event, events.Receipt):
        assert len(event.error_code) <= 64


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from strings(part)
    elif is_dataclass(value):
        for item in fields(value):
            yield from strings(getattr(value, item.name))


@every_carrier
def test_the_answer_to_a_webhook_is_not_texted_back(specimen: Specimen) -> None:
    body, content_type = specimen.carrier.ack()
    assert body in (b"", b"<Response/>")
    assert content_type in ("text/plain", "text/xml")


def test_every_class_of_error_tells_an_agent_what_to_do() -> None:
    assert all(reason.endswith(".") and len(reason) <= 255 for reason in events.REASONS.values())
    assert len(set(events.REASONS.values())) == len(events.REASONS)
