"""Twilio's signature beyond the contract: ports, repeated keys, JSON bodies, invalid UTF-8."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from messaging.carriers import events
from messaging.carriers.twilio import Twilio

TOKEN = "12345678901234567890123456789012"
CREDENTIALS = {"account_sid": "AC0", "auth_token": TOKEN}
PUBLIC_URL = "https://texts.example.com"
PATH = "/webhooks/twilio/an-account-token/"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"

Fields = list[tuple[str, str]]


class MultiDict(dict[str, list[str]]):
    """Hold repeated keys as the SDK expects them."""

    def getlist(self, key: str) -> list[str]:
        return self[key]


def sign_request(
    fields: Fields, *, url: str = PUBLIC_URL + PATH, token: str = TOKEN, path: str = PATH
) -> events.RawRequest:
    values = MultiDict()
    for key, value in fields:
        values.setdefault(key, []).append(value)
    mark: str = RequestValidator(token).compute_signature(url, values)
    headers = {"content-type": FORM, "x-twilio-signature": mark}
    return events.RawRequest("POST", path, headers, urlencode(fields).encode())


def signed_json(body: bytes, *, stated: bytes | None = None) -> events.RawRequest:
    digest = hashlib.sha256(body if stated is None else stated).hexdigest()
    path = f"{PATH}?bodySHA256={digest}"
    mark: str = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + path, {})
    headers = {"content-type": "application/json", "x-twilio-signature": mark}
    return events.RawRequest("POST", path, headers, body)


def verify(
    request: events.RawRequest,
    *,
    credentials: dict[str, str] = CREDENTIALS,
    public_url: str = PUBLIC_URL,
) -> None:
    Twilio().verify(request, credentials, public_url)


def refusal_reason(request: events.RawRequest, **kwargs: Any) -> str:
    with pytest.raises(events.VerificationError) as caught:
        verify(request, **kwargs)
    assert TOKEN not in caught.value.reason
    return caught.value.reason


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=12))
def test_whatever_twilio_signs_is_accepted(fields: Fields) -> None:
    verify(sign_request(fields))


@given(
    st.lists(st.tuples(st.sampled_from("abAB"), st.sampled_from(["", "1", "2", "é", "📦"]))),
)
def test_repeated_keys_count_once_for_each_value(fields: Fields) -> None:
    verify(sign_request(fields))


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), min_size=1, max_size=6), st.data())
def test_a_changed_value_is_refused(fields: Fields, data: st.DataObject) -> None:
    request = sign_request(fields)
    at = data.draw(st.integers(0, len(fields) - 1))
    fields[at] = (fields[at][0], fields[at][1] + "x")
    forged = events.RawRequest("POST", PATH, request.headers, urlencode(fields).encode())
    refusal_reason(forged)


@pytest.mark.parametrize(
    ("public_url", "signed_url"),
    [
        ("https://texts.example.com", "https://texts.example.com:443"),
        ("https://texts.example.com:443", "https://texts.example.com"),
        ("http://texts.example.com", "http://texts.example.com:80"),
        ("http://texts.example.com:80", "http://texts.example.com"),
        ("https://texts.example.com:8443", "https://texts.example.com:8443"),
        ("https://texts.example.com:8443", "https://texts.example.com"),
        ("https://texts.example.com/", "https://texts.example.com"),
    ],
)
def test_the_default_port_is_optional(public_url: str, signed_url: str) -> None:
    request = sign_request([("Body", "x")], url=signed_url + PATH)
    assert RequestValidator(TOKEN).validate(
        public_url.rstrip("/") + PATH, {"Body": "x"}, request.headers["x-twilio-signature"]
    )
    verify(request, public_url=public_url)


@pytest.mark.parametrize(
    "url",
    [
        "http://texts.example.com:81" + PATH,
        "https://texts.example.com:444" + PATH,
        "https://other.example.com" + PATH,
        PUBLIC_URL + PATH + "?a=1",
        PUBLIC_URL + "/webhooks/twilio/another-token/",
    ],
)
def test_a_signature_for_another_address_is_refused(url: str) -> None:
    refusal_reason(sign_request([("Body", "x")], url=url))


def test_the_query_is_part_of_what_is_signed() -> None:
    path = PATH + "?a=1&b=%C3%A9"
    verify(sign_request([("Body", "x")], url=PUBLIC_URL + path, path=path))


@pytest.mark.parametrize("missing", [{}, {"auth_token": ""}, {"previous_auth_token": TOKEN}])
def test_without_a_stored_token_nothing_is_accepted(missing: dict[str, str]) -> None:
    assert "no auth token" in refusal_reason(sign_request([("Body", "x")]), credentials=missing)
    refusal_reason(sign_request([("Body", "x")], token=""), credentials=missing)


def test_a_json_body_is_bound_by_its_hash_in_the_address() -> None:
    body = json.dumps({"text": "é📦"}).encode()
    request = signed_json(body)
    assert RequestValidator(TOKEN).validate(
        PUBLIC_URL + request.path, body.decode(), request.headers["x-twilio-signature"]
    )
    verify(request)


def test_a_json_body_with_another_hash_is_refused() -> None:
    assert "hash" in refusal_reason(signed_json(b'{"a": 1}', stated=b'{"a": 2}'))


def test_a_json_body_without_a_hash_is_refused() -> None:
    mark = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + PATH, {})
    headers = {"content-type": "application/json", "x-twilio-signature": mark}
    assert "hash" in refusal_reason(events.RawRequest("POST", PATH, headers, b'{"a": 1}'))


def test_a_form_with_another_content_type_is_refused() -> None:
    mark = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + PATH, {})
    for kind in ("", "text/plain", "multipart/form-data; boundary=x"):
        headers = {"content-type": kind, "x-twilio-signature": mark}
        refusal_reason(events.RawRequest("POST", PATH, headers, b"Body=forged"))


def test_bytes_that_are_not_utf8_are_verified_unchanged() -> None:
    """Such a request is Twilio's, and is quarantined rather than refused."""
    import base64
    import hmac

    raw = (PUBLIC_URL + PATH).encode() + b"Bodycaf\xe9"
    mark = base64.b64encode(hmac.new(TOKEN.encode(), raw, hashlib.sha1).digest()).decode()
    headers = {"content-type": FORM, "x-twilio-signature": mark}
    verify(events.RawRequest("POST", PATH, headers, b"Body=caf%E9"))


def test_a_form_of_very_many_fields_is_refused_unread() -> None:
    request = events.RawRequest(
        "POST", PATH, {"content-type": FORM, "x-twilio-signature": "x"}, b"a=1&" * 5000
    )
    assert "too many fields" in refusal_reason(request)


def test_a_shared_key_is_named_as_the_cause() -> None:
    request = sign_request([("Body", "x")], token="shared")
    headers = {
        **request.headers,
        "x-twilio-webhooks-signature-settings": "key=k,algorithm=HMAC_SHA256",
    }
    assert "shared key" in refusal_reason(events.RawRequest("POST", PATH, headers, request.body))
