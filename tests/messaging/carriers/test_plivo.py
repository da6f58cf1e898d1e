"""Plivo beyond the contract: its older signature, numbers without plus, records without bodies."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo import utils  # type: ignore[import-untyped]

from messaging.carriers import events, results
from messaging.carriers.plivo import Plivo
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, PUBLIC_URL
from tests.messaging.carriers.fixtures.plivo import NONCE, PLIVO, UUID, sign

TOKEN = PLIVO.credentials["auth_token"]
FORM = CONTENT_TYPES[".form"]
URL = PUBLIC_URL + PLIVO.path
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def sign_v2(body: bytes = b"a=1", *, url: str = URL, suffix: str = "") -> events.RawRequest:
    """Sign as V2 is documented. Fail if the vendor's own check disagrees."""
    digest = hmac.new(TOKEN.encode(), (url + NONCE).encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    assert utils.validate_signature(url, NONCE, signature, TOKEN)
    headers = {
        "content-type": FORM,
        f"x-plivo-signature{suffix}-v2": signature,
        "x-plivo-signature-v2-nonce": NONCE,
    }
    return events.RawRequest("POST", PLIVO.path, headers, body)


def verify(request: events.RawRequest, public_url: str = PUBLIC_URL) -> None:
    Plivo().verify(request, PLIVO.credentials, public_url)


def refusal_reason(request: events.RawRequest, public_url: str = PUBLIC_URL) -> str:
    with pytest.raises(events.VerificationError) as caught:
        verify(request, public_url)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["", "-ma"])
def test_the_older_signature_is_accepted_and_has_a_nonce(suffix: str) -> None:
    request = sign_v2(suffix=suffix)
    verify(request)
    assert Plivo().nonce(request) == NONCE


def test_the_older_signature_is_refused_without_https() -> None:
    request = sign_v2(url=URL.replace("https", "http"))
    assert "https" in refusal_reason(request, PUBLIC_URL.replace("https", "http"))


def test_the_older_signature_is_for_one_address_and_nonce() -> None:
    refusal_reason(sign_v2(url=PUBLIC_URL + "/webhooks/plivo/another-token/"))
    request = sign_v2()
    refusal_reason(
        replace(request, headers={**request.headers, "x-plivo-signature-v2-nonce": "1"})
    )
    refusal_reason(replace(request, headers={**request.headers, "x-plivo-signature-v2-nonce": ""}))


@pytest.mark.parametrize(
    "signed", [f"{URL}attempt/{NONCE}", f"{URL}.{NONCE}", f"{URL}?FromaToa.{NONCE}"]
)
def test_no_other_signature_passes_as_the_older_one(signed: str) -> None:
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha256).digest()
    headers = {
        "content-type": FORM,
        "x-plivo-signature-v2": base64.b64encode(digest).decode(),
        "x-plivo-signature-v2-nonce": signed.removeprefix(URL),
    }
    assert "nonce" in refusal_reason(
        events.RawRequest("POST", PLIVO.path, headers, b"Text=forged")
    )


def test_a_wrong_new_signature_is_refused_despite_a_good_older_one() -> None:
    request = sign_v2()
    headers = {
        **request.headers,
        "x-plivo-signature-v3": "forged",
        "x-plivo-signature-v3-nonce": NONCE,
    }
    refusal_reason(replace(request, headers=headers))


def test_one_of_several_signatures_suffices_as_does_the_main_accounts() -> None:
    request = sign(b"Text=x", FORM, TOKEN, URL)
    signature = request.headers["x-plivo-signature-v3"]
    verify(
        replace(request, headers={**request.headers, "x-plivo-signature-v3": f"zzz, {signature}"})
    )
    verify(
        replace(
            request,
            headers={
                **request.headers,
                "x-plivo-signature-v3": "of the subaccount",
                "x-plivo-signature-ma-v3": signature,
            },
        )
    )
    assert Plivo().nonce(request) == ""


def test_a_body_that_the_signature_does_not_cover_is_refused() -> None:
    request = sign(b"", "application/json", TOKEN, URL)
    verify(request)
    refusal_reason(replace(request, body=b'{"Text": "forged"}'))


NAMES = st.text("abAB", min_size=1, max_size=2)
# All that Plivo's own code can read in a query.
ASCII = st.text(st.characters(codec="ascii"), max_size=10)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(
    fields=st.lists(st.tuples(NAMES, WORDS), max_size=6),
    query=st.lists(st.tuples(NAMES, ASCII), max_size=3),
)
def test_whatever_plivo_signs_is_accepted(
    fields: list[tuple[str, str]], query: list[tuple[str, str]]
) -> None:
    url = URL + (f"?{urlencode(query)}" if query else "")
    verify(sign(urlencode(fields).encode(), FORM, TOKEN, url))


def test_a_receipt_about_too_many_texts_is_throttled() -> None:
    body = urlencode({"MessageUUID": UUID, "Status": "failed", "ErrorCode": "429"}).encode()
    parsed = Plivo().parse(events.RawRequest("POST", PLIVO.path, {"content-type": FORM}, body))
    assert parsed == [events.Receipt(UUID, "failed", "429", "throttled")]


def make_record(uuid: str = UUID, **changes: Any) -> dict[str, Any]:
    record = {
        "message_uuid": uuid,
        "from_number": "12025550110",
        "to_number": "12025550177",
        "message_direction": "outbound",
        "message_state": "undelivered",
        "error_code": "200",
    }
    return record | changes


def look_up(*records: dict[str, Any], is_alone: bool = True, **more: Any) -> results.LookUpResult:
    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        assert params["message_direction"] == "outbound"
        assert params["from_number"] == "12025550110"
        assert params["to_number"] == "12025550177"
        assert params["message_time__gte"] == "2026-11-22 12:00:00"
        assert params["message_time__lte"] == "2026-11-22 12:05:00"
        return httpx.Response(200, json={"objects": list(records)})

    sought = results.Sought(
        "t",
        "+12025550110",
        "+12025550177",
        "Hi",
        NOON,
        NOON + timedelta(minutes=5),
        is_alone=is_alone,
        **more,
    )
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        return Plivo().look_up(sought, PLIVO.credentials, http)


def test_a_single_record_is_that_of_the_attempt() -> None:
    assert look_up(make_record()) == results.Found(
        events.Receipt(UUID, "failed", "200", "opted_out")
    )
    assert look_up(make_record(message_state="sent")) == results.Found(
        events.Receipt(UUID, "sent")
    )


def test_indistinguishable_records_cannot_tell() -> None:
    assert isinstance(look_up(make_record(), make_record("other")), results.CannotTell)
    assert isinstance(look_up(make_record(), is_alone=False), results.CannotTell)


def test_records_of_other_attempts_and_contacts_do_not_count() -> None:
    assert look_up(make_record(), not_these=frozenset({UUID})) == results.NotFound()
    assert look_up(make_record(to_number="12025550178")) == results.NotFound()
    assert look_up(make_record(message_uuid=None)) == results.NotFound()
    assert look_up() == results.NotFound()


def test_more_records_than_a_page_cannot_tell() -> None:
    assert isinstance(look_up(*[make_record(f"u{n}") for n in range(20)]), results.CannotTell)
