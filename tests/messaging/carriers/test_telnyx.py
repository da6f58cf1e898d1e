"""Telnyx's peculiarities: the age of a signature, several recipients, records by the day."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import time_machine
from pytest_django import Settings

from messaging.carriers import events, results
from messaging.carriers.telnyx import Telnyx
from messaging.models import Message, OptOut, Webhook
from messaging.stream.refusals import find_refusal
from tests.cast import Cast
from tests.messaging.carriers.fixtures.base import ATTEMPT, PUBLIC_URL
from tests.messaging.carriers.fixtures.telnyx import OTHER, PUBLIC, TELNYX, THIRD, signed_at
from tests.messaging.carriers.test_contract_api import NOON, make_sought
from tests.messaging.carriers.webhook_requests import move_front_desk, payload, post_signed
from tests.messaging.outbound.test_receipts import begin_attempt, message_state
from tests.messaging.stepped_worker import run_jobs

BODY = b'{"data": {}}'
OTHER_NUMBER = "+12025550178"


def request_at(at: int, body: bytes = BODY, key: str = PUBLIC) -> events.RawRequest:
    return signed_at(at, body, "application/json", key, PUBLIC_URL + TELNYX.path)


def refusal_reason(request: events.RawRequest, **credentials: str) -> str:
    """Return why the request is refused; empty if it is accepted."""
    try:
        Telnyx().verify(request, {**TELNYX.credentials, **credentials}, PUBLIC_URL)
    except events.VerificationError as error:
        return error.reason
    return ""


# Telnyx's package takes a second to import: only what uses it pays for that.
def sdk_accepts(request: events.RawRequest) -> bool:
    from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

    try:
        verify_webhook_signature(request.body, request.headers, PUBLIC)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("seconds", [0, -299, -300, -301, -86400, 299, 300, 301, 86400])
@pytest.mark.parametrize("key", [PUBLIC, OTHER])
@pytest.mark.parametrize("forged", [False, True])
def test_telnyxs_own_package_agrees_with_us(seconds: int, key: str, forged: bool) -> None:
    with time_machine.travel(NOON, tick=False):
        request = request_at(int(time.time()) + seconds, key=key)
        if forged:
            request = replace(request, body=BODY + b" ")
        assert (refusal_reason(request) == "") == sdk_accepts(request)
        assert sdk_accepts(request) == (abs(seconds) <= 300 and key == PUBLIC and not forged)


def test_the_tolerance_is_a_setting_and_the_clock_is_named(settings: Settings) -> None:
    settings.WEBHOOK_TOLERANCE = 60
    now = int(time.time())
    assert refusal_reason(request_at(now - 40)) == ""
    assert "s old (check this clock)" in refusal_reason(request_at(now - 90))
    assert "ahead of ours (check this clock)" in refusal_reason(request_at(now + 90))
    assert "clock" not in refusal_reason(request_at(now - 90, key=OTHER))


@pytest.mark.parametrize("sent_at", ["soon", "-5", "1e9", "²", "9" * 13, "12.5"])
def test_a_time_that_is_not_a_number_is_refused(sent_at: str) -> None:
    request = request_at(int(time.time()))
    assert refusal_reason(
        replace(request, headers={**request.headers, "telnyx-timestamp": sent_at})
    )


@pytest.mark.parametrize("key", ["x", "é", "AAAA", PUBLIC[:-4], f"{PUBLIC}="])
def test_an_invalid_public_key_accepts_nothing(key: str) -> None:
    assert "public key" in refusal_reason(request_at(int(time.time())), public_key=key)


@pytest.mark.parametrize("key", ["x", "é", "AAAA", PUBLIC[:-4]])
def test_an_invalid_previous_key_does_not_disable_the_current_one(key: str) -> None:
    now = int(time.time())
    assert refusal_reason(request_at(now), previous_public_key=key) == ""
    assert "does not match" in refusal_reason(request_at(now, key=OTHER), previous_public_key=key)


@pytest.mark.parametrize("file", TELNYX.payloads(), ids=lambda file: file.stem)
def test_our_payloads_are_what_telnyxs_package_describes(file: Any) -> None:
    from telnyx.types.delivery_update_webhook_event import DeliveryUpdateWebhookEvent
    from telnyx.types.inbound_message_webhook_event import InboundMessageWebhookEvent

    kind = (
        InboundMessageWebhookEvent
        if file.stem.startswith("inbound")
        else DeliveryUpdateWebhookEvent
    )
    assert kind.model_validate_json(file.read_bytes()).data is not None


def parse(event: object) -> list[Any]:
    body = json.dumps(event).encode()
    return list(Telnyx().parse(events.RawRequest("POST", "/", {}, body)))


def test_the_subject_of_a_picture_message_is_not_lost() -> None:
    event = payload(TELNYX, "inbound_text")
    event["data"]["payload"]["subject"] = "Parcel"
    [text] = parse(event)
    assert text.words.startswith("Parcel\nHi, did a parcel")


def test_a_message_that_is_neither_sms_nor_mms_cannot_be_parsed() -> None:
    event = payload(TELNYX, "inbound_text")
    event["data"]["payload"]["type"] = "RCS"
    with pytest.raises(events.Unparsable):
        parse(event)


@pytest.mark.parametrize("keyword", ["STOP", "stop", ["STOP"], 5, {}])
@pytest.mark.parametrize("cc", [[OTHER_NUMBER], OTHER_NUMBER, [5, None], 5, {}])
def test_a_stop_is_read_whatever_its_lesser_fields_hold(keyword: object, cc: object) -> None:
    event = payload(TELNYX, "inbound_text")
    event["data"]["payload"] |= {"text": "Stop", "autoresponse_type": keyword, "cc": cc}
    [text] = parse(event)
    assert (text.body, text.recipient) == ("Stop", "+12025550110")
    assert text.keyword == ("opt_out" if isinstance(keyword, str) else None)
    assert text.others == ((OTHER_NUMBER,) if OTHER_NUMBER in str(cc) else ())


@pytest.mark.parametrize("to", [None, []])
def test_a_receipt_without_recipients_leaves_a_trace(cast: Cast, to: object) -> None:
    cast = move_front_desk(cast, TELNYX)
    event = payload(TELNYX, "status_delivered")
    event["data"]["payload"]["to"] = to
    assert post_signed(cast.account, TELNYX, event).status_code == 200
    assert Webhook.objects.quarantined().get().reason == "to is missing"


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        *((code, "bad_address") for code in ("40001", "40012")),
        *((code, "filtered") for code in ("40002", "40003", "40015", "40300")),
        *((code, "throttled") for code in ("10011", "40011", "40318")),
        ("40006", "transient"),
        ("40013", "sender"),
    ],
)
def test_the_documented_errors_are_classified(code: str, error_class: str) -> None:
    event = payload(TELNYX, "status_failed")
    event["data"]["payload"]["errors"][0]["code"] = code
    [receipt] = parse(event)
    assert (receipt.error_code, receipt.error_class) == (code, error_class)


@pytest.mark.parametrize(
    ("title", "detail", "error_class"),
    [
        ("Carrier rejected", "The carrier rejected the message.", "filtered"),
        ("Blocked due to STOP message", "", "opted_out"),
        ("Blocked", "Messages cannot be sent, as the recipient replied STOP.", "opted_out"),
        ("Unstoppable", "", "filtered"),
    ],
)
def test_a_rejection_by_a_network_is_no_opt_out_unless_its_words_say_stop(
    cast: Cast, title: str, detail: str, error_class: str
) -> None:
    cast = move_front_desk(cast, TELNYX)
    attempt = begin_attempt(cast)
    event = payload(TELNYX, "status_failed")
    told = event["data"]["payload"]
    told["webhook_url"] = f"{cast.account.webhook_url}{attempt.token}/"
    told["errors"] = [{"code": "40300", "title": title, "detail": detail}]
    assert post_signed(cast.account, TELNYX, event).status_code == 200
    attempt.refresh_from_db()
    assert (attempt.state, attempt.error_class) == ("failed", error_class)
    assert OptOut.objects.exists() == (error_class == "opted_out")


def test_a_receipt_at_the_profiles_address_finds_its_attempt(cast: Cast) -> None:
    cast = move_front_desk(cast, TELNYX)
    attempt = begin_attempt(cast)
    event = payload(TELNYX, "status_delivered")
    event["data"]["payload"]["webhook_url"] = f"{cast.account.webhook_url}{attempt.token}/"
    assert post_signed(cast.account, TELNYX, event).status_code == 200
    assert message_state(attempt) == "delivered"


def test_an_unconfirmed_delivery_is_unknown_and_says_so(cast: Cast) -> None:
    cast = move_front_desk(cast, TELNYX)
    attempt = begin_attempt(cast)
    event = payload(TELNYX, "status_unconfirmed")
    event["data"]["payload"]["webhook_url"] = f"{cast.account.webhook_url}{attempt.token}/"
    post_signed(cast.account, TELNYX, event)
    message = Message.objects.get(pk=attempt.message_id)
    assert (message.state, "can't tell" in message.reason) == ("unknown", True)


class Records:
    """Answer as Telnyx's API of detail records and messages does."""

    def __init__(self, *records: dict[str, Any], texts: dict[str, Any] | None = None) -> None:
        self.records = list(records)
        self.texts = texts or {}
        self.urls: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(request.url)
        if "/messages/" in request.url.path:
            event = self.texts.get(request.url.path.rsplit("/", 1)[1])
            return httpx.Response(200 if event else 404, json={"data": event})
        params = request.url.params
        size = int(params["page[size]"])
        first = (int(params["page[number]"]) - 1) * size
        assert params["sort"] == "-created_at"
        newest_first = self.records[::-1]
        return httpx.Response(200, json={"data": newest_first[first : first + size]})

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


def make_record(uuid: str, *, attempt: str = ATTEMPT, **more: object) -> dict[str, Any]:
    url = f"{PUBLIC_URL}{TELNYX.path}{attempt}/"
    return {"uuid": uuid, "status": "delivered", "delivery_status_webhook_url": url, **more}


def look_up(records: Records, *, latest: datetime = NOON) -> results.LookUpResult:
    sought = replace(make_sought(TELNYX), earliest=latest - timedelta(minutes=5), latest=latest)
    with time_machine.travel(NOON + timedelta(hours=5)), records.client() as http:
        return Telnyx().look_up(sought, TELNYX.credentials, http)


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        ("delivered", events.Receipt("m1", "delivered")),
        ("gw_reject", events.Receipt("m1", "failed", "40001", "bad_address")),
        ("dlr_timeout", events.Receipt("m1", "unknown", "40001", "ambiguous")),
        (None, events.Receipt("m1", "sent")),
    ],
)
def test_a_text_is_found_by_its_callback_address(
    status: str | None, receipt: events.Receipt
) -> None:
    another = make_record("m0", attempt="0" * 8 + ATTEMPT[8:])
    records = Records(another, make_record("m1", status=status, errors=["40001"]))
    assert look_up(records) == results.Found(receipt)
    [url] = records.urls
    assert url.params["filter[record_type]"] == "messaging"
    assert url.params["filter[cli]"] == TELNYX.outgoing.sender
    assert url.params["filter[created_at][gte]"] == "2026-11-22"
    assert url.params["filter[created_at][lt]"] == "2026-11-23"


def test_a_text_missing_from_the_records_is_not_found_only_if_they_are_complete() -> None:
    assert look_up(Records()) == results.NotFound()
    assert isinstance(look_up(Records(), latest=NOON + timedelta(hours=2)), results.CannotTell)
    many = [make_record(f"m{n}", attempt="x") for n in range(600)]
    assert isinstance(look_up(Records(*many)), results.CannotTell)
    assert look_up(Records(make_record("m1"), *many[:120])) == results.Found(
        events.Receipt("m1", "delivered")
    )


def list_inbound(records: Records, *known: str) -> results.ListResult:
    with records.client() as http:
        return Telnyx().list_inbound(
            "+12025550110",
            NOON - timedelta(hours=1),
            frozenset(known),
            TELNYX.credentials,
            http,
        )


def test_only_unknown_texts_are_fetched() -> None:
    event = payload(TELNYX, "inbound_text")["data"]["payload"]
    at = NOON.isoformat()
    records = Records(
        make_record("old", created_at=(NOON - timedelta(hours=3)).isoformat()),
        make_record("gone", created_at=at),
        make_record("known", created_at=at),
        make_record("one", created_at=at),
        make_record("odd", created_at=at),
        make_record("two", created_at=at),
        texts={name: {**event, "id": name} for name in ("one", "two")}
        | {"odd": {**event, "type": "RCS"}},
    )
    result = list_inbound(records, "known")
    assert isinstance(result, results.Listed)
    assert [text.carrier_message_id for text in result.texts] == ["one", "two"]
    assert not result.is_all
    fetched = [url.path.rpartition("/")[2] for url in records.urls[1:]]
    assert fetched == ["two", "odd", "one", "gone"]


def test_a_group_text_that_is_known_is_not_fetched_again() -> None:
    group = payload(TELNYX, "inbound_group")["data"]["payload"]
    at = NOON.isoformat()
    records = Records(
        make_record("known", created_at=at),
        make_record("new", created_at=at),
        texts={"new": {**group, "id": "new"}},
    )
    result = list_inbound(records, "known:0123abcd")
    assert isinstance(result, results.Listed)
    assert [text.carrier_message_id for text in result.texts] == ["new:02fbdd37"]
    assert len(records.urls) == 2


@pytest.mark.parametrize("is_copy", [False, True])
def test_a_missed_group_text_is_filed_at_the_number_for_which_it_was_listed(
    is_copy: bool,
) -> None:
    event = payload(TELNYX, "inbound_group")["data"]["payload"]
    first, ours = ({**one, "status": "delivered"} for one in event["to"])
    event |= {"to": [first], "cc": [ours]} if is_copy else {"to": [first, ours]}
    records = Records(make_record("new", created_at=NOON.isoformat()), texts={"new": event})
    result = list_inbound(records)
    assert isinstance(result, results.Listed)
    [text] = result.texts
    assert (text.recipient, text.others) == ("+12025550110", (OTHER_NUMBER,))
    assert text.is_recipient_told


def test_a_listing_gives_up_after_four_missing_messages() -> None:
    records = Records(*(make_record(f"m{n}", created_at=NOON.isoformat()) for n in range(40)))
    assert isinstance(list_inbound(records), results.CannotTell)
    assert len(records.urls) == 4


def test_missing_old_messages_hide_no_new_one() -> None:
    event = payload(TELNYX, "inbound_text")["data"]["payload"]
    names = ["old1", "old2", "old3", "old4", "one", "gone1", "gone2", "two"]
    records = Records(
        *(make_record(name, created_at=NOON.isoformat()) for name in names),
        texts={name: {**event, "id": name} for name in ("one", "two")},
    )
    result = list_inbound(records)
    assert isinstance(result, results.Listed)
    assert [text.carrier_message_id for text in result.texts] == ["one", "two"]
    assert not result.is_all
    assert len(records.urls) == 8, "the last of the old ones is not asked for"


def test_a_third_key_is_refused() -> None:
    request = request_at(int(time.time()), key=THIRD)
    assert "does not match" in refusal_reason(request, previous_public_key=OTHER)


class Blocking(BaseHTTPRequestHandler):
    """Refuse every text as Telnyx does after a STOP to the messaging profile."""

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        error = {"code": "40300", "title": "Blocked due to STOP message", "detail": "…"}
        answer = json.dumps({"errors": [error]}).encode()
        self.send_response(409)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.mark.django_db(transaction=True)
def test_a_text_that_is_blocked_after_a_stop_opts_the_person_out_and_is_not_unknown(
    cast: Cast, settings: Settings
) -> None:
    cast = move_front_desk(cast, TELNYX)
    message = cast.answer(cast.thread(), "Your order is ready")
    with ThreadingHTTPServer(("127.0.0.1", 0), Blocking) as telnyx:
        threading.Thread(target=telnyx.serve_forever, daemon=True).start()
        settings.TELNYX_API_URL = f"http://127.0.0.1:{telnyx.server_port}"
        run_jobs()
        telnyx.shutdown()
    message.refresh_from_db()
    assert (message.state, "has opted out of texts" in message.reason) == ("failed", True)
    assert "as the carrier told us" in find_refusal(message.thread)
