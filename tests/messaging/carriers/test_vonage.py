"""Vonage's peculiarities: a JWT, numbers without a plus, two formats of messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import jwt
import pytest
import time_machine

from messaging.carriers import events, results, vonage_signature
from messaging.carriers.vonage import Vonage
from messaging.models import Message
from tests.cast import Cast
from tests.messaging.carriers.fixtures.base import ATTEMPT, PUBLIC_URL
from tests.messaging.carriers.fixtures.vonage import VONAGE, claims
from tests.messaging.carriers.test_contract_api import NOON, answer_with, make_sought, mock_client
from tests.messaging.carriers.webhook_requests import (
    move_front_desk,
    payload,
    post_signed,
    post_unsigned,
)
from tests.messaging.outbound.test_receipts import begin_attempt, message_state

SECRET = VONAGE.credentials["signature_secret"]
BODY = b'{"message_uuid": "x", "status": "submitted"}'


def refusal_reason(token: str, body: bytes = BODY) -> str:
    """Return why the request is refused; empty if it is accepted."""
    request = events.RawRequest("POST", VONAGE.path, {"authorization": f"Bearer {token}"}, body)
    try:
        Vonage().verify(request, VONAGE.credentials, PUBLIC_URL)
    except events.VerificationError as error:
        return error.reason
    return ""


def make_token(secret: str = SECRET, **more: object) -> str:
    return jwt.encode(claims(BODY, **more), secret, algorithm="HS256")


# Vonage's packages take half a second to import: only what uses them pays for that.
def test_vonages_own_package_agrees_with_us() -> None:
    from vonage_jwt import verify_signature  # type: ignore[import-untyped]

    for token in (make_token(), make_token(VONAGE.other_secret)):
        assert (refusal_reason(token) == "") == verify_signature(token, SECRET)
    assert verify_signature(vonage_signature.sign(BODY, "abcd1234", SECRET), SECRET)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    key = "" if algorithm == "none" else SECRET * 2
    assert refusal_reason(jwt.encode(claims(BODY), key, algorithm=algorithm))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS512"}, {}, [], 5])
def test_a_token_with_a_forged_header_is_refused(header: object) -> None:
    _, content, signature = make_token().split(".")
    named = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    digest = hmac.new(SECRET.encode(), f"{named}.{content}".encode(), hashlib.sha256).digest()
    well_signed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    for forged in ("", signature, well_signed):
        assert refusal_reason(f"{named}.{content}.{forged}")


@pytest.mark.parametrize("content", [b"[]", b"5", b"\xff", b"[" * 9999, b""])
def test_a_signed_token_without_claims_is_refused(content: bytes) -> None:
    assert refusal_reason(jwt.PyJWS().encode(content, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"api_key": "zyxw9876"}, "another API key"),
        ({"api_key": None}, "another API key"),
        ({"payload_hash": "0" * 64}, "not the one that was signed"),
        ({"payload_hash": None}, "not the one that was signed"),
        ({"iat": None}, "no time"),
        ({"iat": "now"}, "no time"),
        ({"iat": float("nan")}, "no time"),
        ({"iat": float("inf")}, "no time"),
        ({"exp": float("nan")}, "no time"),
    ],
)
def test_a_token_for_another_account_body_or_time_is_refused(
    more: dict[str, object], reason: str
) -> None:
    event = {key: value for key, value in claims(BODY, **more).items() if value is not None}
    assert reason in refusal_reason(jwt.encode(event, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    ("seconds", "is_accepted"),
    [(0, True), (-24 * 3600, True), (-26 * 3600, False), (299, True), (302, False)],
)
def test_a_token_is_accepted_for_a_day(seconds: int, is_accepted: bool) -> None:
    with time_machine.travel(NOON, tick=False):
        reason = refusal_reason(make_token(iat=int(time.time()) + seconds))
    assert (reason == "") == is_accepted
    assert is_accepted or "check this clock" in reason


def test_an_expired_token_is_refused() -> None:
    now = int(time.time())
    assert refusal_reason(make_token(exp=now + 5)) == ""
    assert refusal_reason(make_token(exp=now - 400))


@pytest.mark.parametrize(
    "secret", ["", "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----"]
)
def test_an_unusable_secret_accepts_nothing(secret: str) -> None:
    credentials = {**VONAGE.credentials, "signature_secret": secret}
    for request in (
        Vonage().sign_test(credentials, PUBLIC_URL + VONAGE.path),
        events.RawRequest("POST", VONAGE.path, {"authorization": f"Bearer {make_token()}"}, BODY),
    ):
        assert request is not None
        with pytest.raises(events.VerificationError):
            Vonage().verify(request, credentials, PUBLIC_URL)


def test_without_a_stored_key_no_token_is_accepted() -> None:
    request = VONAGE.signed(BODY, "application/json")
    for credentials in ({"signature_secret": SECRET}, {"signature_secret": SECRET, "api_key": ""}):
        with pytest.raises(events.VerificationError, match="API key"):
            Vonage().verify(request, credentials, PUBLIC_URL)


def test_an_unsigned_request_is_told_to_retry(cast: Cast) -> None:
    account = move_front_desk(cast, VONAGE).account
    assert post_unsigned(account, payload(VONAGE, "inbound_text")).status_code == 503
    assert not Message.objects.exists()
    assert post_signed(account, VONAGE, payload(VONAGE, "inbound_text")).status_code == 200
    assert Message.objects.get().thread.contact.address == "+12025550177"
    account.refresh_from_db()
    assert account.rejected_count == 1


def test_our_reference_finds_the_attempt_of_a_receipt(cast: Cast) -> None:
    cast = move_front_desk(cast, VONAGE)
    attempt = begin_attempt(cast)
    event = {**payload(VONAGE, "status_delivered"), "client_ref": str(attempt.token)}
    post_signed(cast.account, VONAGE, event)
    assert message_state(attempt) == "delivered"


def sent_json(*media: str, body: str = VONAGE.outgoing.body) -> object:
    """Return the JSON that is sent."""
    seen: list[object] = []

    def accept(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return answer_with(*VONAGE.accepted)(request)

    outgoing = replace(VONAGE.outgoing, media_urls=media, body=body)
    with mock_client(accept) as http:
        Vonage().send(outgoing, VONAGE.credentials, http)
    return seen[0]


ENVELOPE: dict[str, Any] = {
    "to": "12025550177",
    "from_": "12025550110",
    "client_ref": ATTEMPT,
    "webhook_url": VONAGE.outgoing.callback_url,
    "webhook_version": "v1",
}
A, B = "https://texts.example.com/m/1/", "https://texts.example.com/m/2/"


def test_what_we_send_is_what_vonages_package_builds() -> None:
    from vonage_messages import models  # type: ignore[import-untyped]

    words = VONAGE.outgoing.body
    pictures = [
        models.MmsContentItemImage(url=A, caption=words),
        models.MmsContentItemImage(url=B),
    ]
    built = {
        (): models.Sms(text=words, **ENVELOPE),
        (A,): models.MmsImage(image=models.MmsResource(url=A, caption=words), **ENVELOPE),
        (A, B): models.MmsContent(content=pictures, **ENVELOPE),
    }
    for media, message in built.items():
        assert sent_json(*media) == message.model_dump(
            by_alias=True, exclude_none=True, mode="json"
        )
    alone = models.MmsImage(image=models.MmsResource(url=A), **ENVELOPE)
    assert sent_json(A, body="") == alone.model_dump(by_alias=True, exclude_none=True, mode="json")


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("1000", "throttled"),
        ("1030", "server"),
        ("1040", "bad_address"),
        ("1050", "bad_address"),
        ("1120", "sender"),
        ("1140", "account"),
        ("1240", "opted_out"),
        ("9", "opted_out"),
        ("1320", "ambiguous"),
        ("1330", "other"),
    ],
)
@pytest.mark.parametrize("form", ["address", "title", "number", "older"])
def test_the_documented_errors_are_classified(code: str, error_class: str, form: str) -> None:
    address = "https://developer.vonage.com/api-errors/messages"
    error = {
        "address": {"type": f"{address}#{code}", "title": "Refused"},
        "title": {"type": address, "title": code},
        "number": {"type": address, "title": int(code)},
        "older": {"code": int(code), "reason": "Refused"},
    }[form]
    body = json.dumps({**payload(VONAGE, "status_failed"), "error": error}).encode()
    [receipt] = Vonage().parse(events.RawRequest("POST", "/", {}, body))
    assert isinstance(receipt, events.Receipt)
    assert (receipt.error_code, receipt.error_class) == (code, error_class)


class Reports:
    """Answer as the Reports API does: records by product, filtered by time."""

    def __init__(self, **products: list[dict[str, Any]]) -> None:
        self.products = products
        self.spans: list[tuple[str, str]] = []
        self.more: dict[str, object] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        assert params["account_id"] == "abcd1234"
        start, end = params["date_start"], params["date_end"]
        self.spans.append((start, end))
        records = [
            record
            for record in self.products.get(params["product"], [])
            if start[:19] <= record["date_received"][:19] < end[:19]
        ]
        return httpx.Response(
            200, json={"request_status": "SUCCESS", "records": records, **self.more}
        )

    def look_up(self) -> results.LookUpResult:
        with mock_client(self) as http:
            return Vonage().look_up(make_sought(VONAGE), VONAGE.credentials, http)

    def list_inbound(self, since: datetime, *known: str) -> results.ListResult:
        with mock_client(self) as http, time_machine.travel(NOON, tick=False):
            return Vonage().list_inbound(
                "+12025550110", since, frozenset(known), VONAGE.credentials, http
            )


def make_record(message_id: str, at: datetime = NOON, **more: object) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "date_received": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "from": "12025550177",
        "to": "12025550110",
        "message_body": f"Text {message_id[-2:]}",
        **more,
    }


@pytest.mark.parametrize("product", ["MESSAGES", "SMS"])
def test_a_text_is_found_by_our_reference_under_either_product(product: str) -> None:
    ours = make_record("m1", client_ref=ATTEMPT, status="rejected", error_code="1240")
    reports = Reports(**{product: [make_record("m0", client_ref="another"), ours]})
    receipt = events.Receipt("m1", "failed", "1240", "opted_out", attempt_token=ATTEMPT)
    assert reports.look_up() == results.Found(receipt)


@pytest.mark.parametrize(
    ("status", "state", "error_class"),
    [
        ("failed", "failed", "other"),
        ("rejected", "failed", "other"),
        ("deleted", "failed", "other"),
        ("expired", "failed", "expired"),
        ("unknown", "unknown", "ambiguous"),
        ("accepted", "sent", ""),
        ("delivered", "delivered", ""),
    ],
)
def test_a_failure_in_the_reports_is_never_mistaken_for_a_sent_text(
    status: str, state: events.State, error_class: events.ErrorClass | Literal[""]
) -> None:
    found = Reports(SMS=[make_record("m1", client_ref=ATTEMPT, status=status)]).look_up()
    assert isinstance(found, results.Found)
    assert (found.receipt.state, found.receipt.error_class) == (state, error_class)


def test_an_unknown_status_still_counts_as_sent() -> None:
    ours = make_record("m1", client_ref=ATTEMPT, status="buffered")
    assert Reports(MESSAGES=[ours]).look_up() == results.Found(events.Receipt("m1", "sent"))


def test_only_complete_reports_rule_out_a_text() -> None:
    reports = Reports(MESSAGES=[make_record("m0", client_ref="another")])
    assert reports.look_up() == results.NotFound()
    parts: list[dict[str, object]] = [
        {"cursor": "x"},
        {"_links": {"next": {"href": "x"}}},
        {"request_status": "TRUNCATED"},
    ]
    for reports.more in parts:
        assert isinstance(reports.look_up(), results.CannotTell)


UUIDS = [f"aaaaaaaa-bbbb-4ccc-8ddd-0123456789{n:02d}" for n in range(6)]


def test_inbound_texts_are_listed_day_by_day() -> None:
    hours = (70, 30, 29, 2)
    known, first, second, last = (
        make_record(UUIDS[index], NOON - timedelta(hours=hour)) for index, hour in enumerate(hours)
    )
    elsewhere = make_record(UUIDS[4], NOON - timedelta(hours=1), to="12025550111")
    older_api = make_record("0A0000000123ABCD1", NOON - timedelta(hours=1))
    reports = Reports(MESSAGES=[last, second, first, known, elsewhere, older_api])
    listed = reports.list_inbound(NOON - timedelta(hours=71), UUIDS[0])
    assert isinstance(listed, results.Listed)
    assert [text.carrier_message_id for text in listed.texts] == UUIDS[1:4]
    assert listed.is_all
    assert {text.sender for text in listed.texts} == {"+12025550177"}
    assert [text.sent_at for text in listed.texts] == [
        NOON - timedelta(hours=hour) for hour in hours[1:]
    ]
    assert len(reports.spans) == 3


def test_no_more_than_a_week_is_read() -> None:
    reports = Reports()
    assert reports.list_inbound(NOON - timedelta(days=30)) == results.Listed((), is_all=False)
    assert len(reports.spans) == 7


def test_a_meaningless_record_hides_no_other() -> None:
    reports = Reports(MESSAGES=[make_record(UUIDS[1], NOON - timedelta(hours=1), message_body=5)])
    reports.products["MESSAGES"].append(make_record(UUIDS[2], NOON - timedelta(hours=1)))
    listed = reports.list_inbound(NOON - timedelta(hours=2))
    assert isinstance(listed, results.Listed)
    assert ([text.carrier_message_id for text in listed.texts], listed.is_all) == (
        [UUIDS[2]],
        False,
    )
