"""Plivo beyond the contract: its older signature, numbers without plus, records without words."""

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


def v2(body: bytes = b"a=1", *, url: str = URL, suffix: str = "") -> events.RawRequest:
    """As V2 is documented; the vendor's own check has to agree."""
    digest = hmac.new(TOKEN.encode(), (url + NONCE).encode(), hashlib.sha256).digest()
    mark = base64.b64encode(digest).decode()
    assert utils.validate_signature(url, NONCE, mark, TOKEN)
    headers = {
        "content-type": FORM,
        f"x-plivo-signature{suffix}-v2": mark,
        "x-plivo-signature-v2-nonce": NONCE,
    }
    return events.RawRequest("POST", PLIVO.path, headers, body)


def verify(request: events.RawRequest, public_url: str = PUBLIC_URL) -> None:
    Plivo().verify(request, PLIVO.credentials, public_url)


def refused(request: events.RawRequest, public_url: str = PUBLIC_URL) -> str:
    with pytest.raises(events.VerificationError) as caught:
        verify(request, public_url)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["", "-ma"])
def test_the_older_signature_is_accepted_and_its_nonce_told(suffix: str) -> None:
    request = v2(suffix=suffix)
    verify(request)
    assert Plivo().nonce(request) == NONCE


def test_the_older_signature_is_of_no_use_without_https() -> None:
    request = v2(url=URL.replace("https", "http"))
    assert "https" in refused(request, PUBLIC_URL.replace("https", "http"))


def test_the_older_signature_is_for_one_address_and_nonce() -> None:
    refused(v2(url=PUBLIC_URL + "/webhooks/plivo/another-token/"))
    request = v2()
    refused(replace(request, headers={**request.headers, "x-plivo-signature-v2-nonce": "1"}))
    refused(replace(request, headers={**request.headers, "x-plivo-signature-v2-nonce": ""}))


@pytest.mark.parametrize(
    "signed", [f"{URL}attempt/{NONCE}", f"{URL}.{NONCE}", f"{URL}?FromaToa.{NONCE}"]
)
def test_no_other_signature_is_taken_for_the_older_one(signed: str) -> None:
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha256).digest()
    headers = {
        "content-type": FORM,
        "x-plivo-signature-v2": base64.b64encode(digest).decode(),
        "x-plivo-signature-v2-nonce": signed.removeprefix(URL),
    }
    assert "nonce" in refused(events.RawRequest("POST", PLIVO.path, headers, b"Text=forged"))


def test_a_bad_better_signature_is_not_saved_by_a_good_older_one() -> None:
    request = v2()
    headers = {
        **request.headers,
        "x-plivo-signature-v3": "forged",
        "x-plivo-signature-v3-nonce": NONCE,
    }
    refused(replace(request, headers=headers))


def test_one_of_several_signatures_is_enough_and_the_main_accounts_too() -> None:
    request = sign(b"Text=x", FORM, TOKEN, URL)
    mark = request.headers["x-plivo-signature-v3"]
    verify(replace(request, headers={**request.headers, "x-plivo-signature-v3": f"zzz, {mark}"}))
    verify(
        replace(
            request,
            headers={
                **request.headers,
                "x-plivo-signature-v3": "of the subaccount",
                "x-plivo-signature-ma-v3": mark,
            },
        )
    )
    assert Plivo().nonce(request) == ""


def test_a_body_that_the_signature_does_not_cover_is_refused() -> None:
    request = sign(b"", "application/json", TOKEN, URL)
    verify(request)
    refused(replace(request, body=b'{"Text": "forged"}'))


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


def test_a_receipt_of_too_many_texts_says_so() -> None:
    body = urlencode({"MessageUUID": UUID, "Status": "failed", "ErrorCode": "429"}).encode()
    told = Plivo().parse(events.RawRequest("POST", PLIVO.path, {"content-type": FORM}, body))
    assert told == [events.Receipt(UUID, "failed", "429", "throttled")]


def record(uuid: str = UUID, **changes: Any) -> dict[str, Any]:
    told = {
        "message_uuid": uuid,
        "from_number": "12025550110",
        "to_number": "12025550177",
        "message_direction": "outbound",
        "message_state": "undelivered",
        "error_code": "200",
    }
    return told | changes


def look_up(*records: dict[str, Any], is_alone: bool = True, **more: Any) -> results.LookUpResult:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        assert asked["message_direction"] == "outbound"
        assert asked["from_number"] == "12025550110"
        assert asked["to_number"] == "12025550177"
        assert asked["message_time__gte"] == "2026-11-22 12:00:00"
        assert asked["message_time__lte"] == "2026-11-22 12:05:00"
        return httpx.Response(200, json={"objects": list(records)})

    wanted = results.Sought(
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
        return Plivo().look_up(wanted, PLIVO.credentials, http)


def test_a_lonely_record_is_the_attempts() -> None:
    assert look_up(record()) == results.Found(events.Receipt(UUID, "failed", "200", "opted_out"))
    assert look_up(record(message_state="sent")) == results.Found(events.Receipt(UUID, "sent"))


def test_records_that_cannot_be_told_apart_settle_nothing() -> None:
    assert isinstance(look_up(record(), record("other")), results.CannotTell)
    assert isinstance(look_up(record(), is_alone=False), results.CannotTell)


def test_records_of_other_attempts_and_people_do_not_count() -> None:
    assert look_up(record(), not_these=frozenset({UUID})) == results.NotFound()
    assert look_up(record(to_number="12025550178")) == results.NotFound()
    assert look_up(record(message_uuid=None)) == results.NotFound()
    assert look_up() == results.NotFound()


def test_more_records_than_a_page_settle_nothing() -> None:
    assert isinstance(look_up(*[record(f"u{n}") for n in range(20)]), results.CannotTell)
