"""Bandwidth's peculiarities: a challenge, one address for all webhooks, lists without bodies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.db.models import QuerySet

from inboxes.models import Inbox
from messaging.carriers import events, results
from messaging.carriers.bandwidth import Bandwidth
from messaging.inbound.receiving import replay_webhook
from messaging.models import Attachment, DeliveryReceipt, Message, Number, Webhook
from tests.cast import Cast
from tests.messaging.carriers.fixtures.bandwidth import BANDWIDTH
from tests.messaging.carriers.test_contract_api import make_sought
from tests.messaging.carriers.webhook_requests import (
    move_front_desk,
    payload,
    post_signed,
    post_unsigned,
)
from tests.messaging.outbound.test_receipts import begin_attempt, message_state

ELSEWHERE = ("+12025550118", "+12025550119")


def inbound_bodies() -> QuerySet[Message, str]:
    return Message.objects.order_by("pk").values_list("body", flat=True)


def test_a_request_without_credentials_is_challenged_and_not_counted(cast: Cast) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    response = post_unsigned(account, payload(BANDWIDTH, "inbound_text"))
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic realm=")
    assert not Message.objects.exists()
    account.refresh_from_db()
    assert account.rejected_count == 0


def test_wrong_credentials_are_refused_and_counted(cast: Cast) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    response = post_signed(
        account, BANDWIDTH, payload(BANDWIDTH, "inbound_text"), secret="guessed"
    )
    assert response.status_code == 403
    assert "WWW-Authenticate" not in response
    account.refresh_from_db()
    assert account.rejected_count == 1
    assert "password is wrong" in account.last_rejection


def test_every_event_of_a_list_is_stored_once(cast: Cast) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    for _ in range(2):
        response = post_signed(account, BANDWIDTH, payload(BANDWIDTH, "a_list"))
        assert (response.status_code, response.content) == (200, b"")
    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == ["One", "Two"]
    assert DeliveryReceipt.objects.count() == 1


def test_unusable_events_hide_no_others_and_are_quarantined(cast: Cast) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    [one] = payload(BANDWIDTH, "inbound_text")
    body = [
        "nonsense",
        {**one, "message": {**one["message"], "id": "m0", "text": None, "media": None}},
        *({**one, "to": to, "message": {**one["message"], "id": to}} for to in ELSEWHERE),
        *payload(BANDWIDTH, "a_list"),
    ]
    for _ in range(2):
        assert post_signed(cast.account, BANDWIDTH, body).status_code == 200
        assert list(inbound_bodies()) == ["One", "Two"]
        assert DeliveryReceipt.objects.count() == 1
    webhook = Webhook.objects.quarantined().get()
    assert webhook.reason == "an event is not a JSON object"

    for index, address in enumerate(ELSEWHERE, 1):
        inbox = Inbox.objects.create(name=f"Elsewhere {index}")
        Number.objects.create(address=address, account=cast.account, inbox=inbox)
        assert not replay_webhook(webhook=webhook)
        assert len(inbound_bodies()) == 2 + index
    assert post_signed(cast.account, BANDWIDTH, body).status_code == 200
    assert len(inbound_bodies()) == 4
    assert Webhook.objects.quarantined().get() == webhook


def test_a_list_of_which_one_number_was_added_later_is_quarantined_once(cast: Cast) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    [one] = payload(BANDWIDTH, "inbound_text")
    body = [{**one, "to": to, "message": {**one["message"], "id": to}} for to in ELSEWHERE]
    post_signed(cast.account, BANDWIDTH, body)
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE[0], account=cast.account, inbox=inbox)
    assert post_signed(cast.account, BANDWIDTH, body).status_code == 200
    assert len(inbound_bodies()) == 1
    assert Webhook.objects.quarantined().count() == 1


@pytest.mark.parametrize("to", ["+12025550178", 5, {}])
def test_a_text_is_read_whatever_stands_at_its_other_recipients(cast: Cast, to: object) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    [event] = payload(BANDWIDTH, "inbound_text")
    event["message"]["to"] = to
    assert post_signed(account, BANDWIDTH, [event]).status_code == 200
    assert Message.objects.get().other_recipients == ([to] if isinstance(to, str) else [])


def test_a_call_without_any_event_leaves_a_trace(cast: Cast) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    assert post_signed(account, BANDWIDTH, []).status_code == 200
    assert Webhook.objects.quarantined().get().reason == "the body holds no event"


def make_receipt(name: str, token: object, **more: object) -> Any:
    [event] = payload(BANDWIDTH, name)
    event["message"]["tag"] = str(token)
    return [{**event, **more}]


def test_the_tag_of_a_receipt_finds_its_attempt_before_the_answer_to_sending(cast: Cast) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    attempt = begin_attempt(cast)
    post_signed(cast.account, BANDWIDTH, make_receipt("status_delivered", attempt.token))
    assert message_state(attempt) == "delivered"
    attempt.refresh_from_db()
    assert attempt.carrier_message_id == "1593110555875xo7watq5px6rbe5d"


@pytest.mark.parametrize("tag", ["v2 lab", "", "x" * 1024])
def test_a_receipt_with_a_foreign_tag_has_no_attempt(cast: Cast, tag: str) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    attempt = begin_attempt(cast)
    assert (
        post_signed(cast.account, BANDWIDTH, make_receipt("status_delivered", tag)).status_code
        == 200
    )
    assert message_state(attempt) == "sending"
    assert DeliveryReceipt.objects.get().attempt is None


def test_a_tag_finds_no_attempt_of_another_account(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    account = move_front_desk(cast, BANDWIDTH).account
    assert (
        post_signed(account, BANDWIDTH, make_receipt("status_failed", attempt.token)).status_code
        == 200
    )
    assert message_state(attempt) == "sending"
    assert DeliveryReceipt.objects.get().attempt is None


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        *((code, "bad_address") for code in (4303, 4406, 4720, 4721)),
        *((code, "filtered") for code in (4470, 4770)),
        *((code, "registration") for code in (4773, 4795)),
        *((code, "throttled") for code in (4781, 4785)),
        *((code, "server") for code in (5100, 5600, 5999, 5678)),
        (4780, "daily_limit"),
        *((code, "ambiguous") for code in (9902, 9999)),
        (4775, "opted_out"),
        (4999, "other"),
    ],
)
def test_the_documented_errors_are_classified(code: int, error_class: str) -> None:
    body = json.dumps(make_receipt("status_failed", "", errorCode=code)).encode()
    [receipt] = Bandwidth().parse(events.RawRequest("POST", "/", {}, body))
    assert isinstance(receipt, events.Receipt)
    assert (receipt.error_code, receipt.error_class) == (str(code), error_class)
    assert receipt.state == ("unknown" if error_class == "ambiguous" else "failed")


def look_up(
    *listed: dict[str, Any], is_alone: bool = True
) -> tuple[results.LookUpResult, httpx.URL]:
    urls: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        urls.append(request.url)
        return httpx.Response(200, json={"totalCount": len(listed), "messages": list(listed)})

    sought = replace(
        make_sought(BANDWIDTH), not_these=frozenset({"another-attempts"}), is_alone=is_alone
    )
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        return Bandwidth().look_up(sought, BANDWIDTH.credentials, http), urls[0]


def make_record(message_id: str, *, length: int, **more: object) -> dict[str, Any]:
    return {"messageId": message_id, "messageLength": length, "messageStatus": "SENT", **more}


LENGTH = len(BANDWIDTH.outgoing.body)
CLAIMED = make_record("another-attempts", length=LENGTH)


def test_a_list_with_only_claimed_texts_does_not_have_ours() -> None:
    result, url = look_up(CLAIMED)
    assert result == results.NotFound()
    assert url.params["sourceTn"] == "+12025550110"
    assert url.params["destinationTn"] == "+12025550177"
    assert url.params["messageDirection"] == "OUTBOUND"
    assert url.params["fromDateTime"] == "2026-11-22T12:00:00.000Z"
    assert url.params["toDateTime"] == "2026-11-22T12:05:00.000Z"


@pytest.mark.parametrize(
    ("more", "receipt"),
    [
        ({}, events.Receipt("m1", "sent")),
        ({"messageStatus": "DELIVERED"}, events.Receipt("m1", "delivered")),
        (
            {"messageStatus": "FAILED", "errorCode": 4720},
            events.Receipt("m1", "failed", "4720", "bad_address"),
        ),
        (
            {"messageStatus": "UNDELIVERED", "errorCode": 9902},
            events.Receipt("m1", "unknown", "9902", "ambiguous"),
        ),
    ],
)
@pytest.mark.parametrize("length", [LENGTH, LENGTH + 1], ids=["characters", "UTF-16 units"])
def test_the_only_text_of_that_length_is_ours_if_no_other_attempt_is_unknown(
    more: dict[str, object], receipt: events.Receipt, length: int
) -> None:
    assert look_up(CLAIMED, make_record("m1", length=length, **more))[0] == results.Found(receipt)


def test_an_ambiguous_list_cannot_tell() -> None:
    one, two = make_record("m1", length=LENGTH), make_record("m2", length=LENGTH)
    assert isinstance(look_up(one, two)[0], results.CannotTell)
    assert isinstance(look_up(one, is_alone=False)[0], results.CannotTell)
    assert isinstance(look_up(make_record("m1", length=LENGTH + 2))[0], results.CannotTell)
    assert isinstance(look_up({"messageLength": LENGTH})[0], results.CannotTell)


@pytest.mark.parametrize(
    "layout", ["0/part-0.xml", "1234.smil.xml", "0/smil.xml", "0.smil", "1/0/PART1.XML"]
)
def test_a_phones_layout_is_no_second_picture(cast: Cast, layout: str) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    [event] = payload(BANDWIDTH, "inbound_text")
    base = "https://messaging.bandwidth.com/api/v2/users/9900000/media/abc"
    event["message"]["media"] = [f"{base}/{layout}", f"{base}/0/photo.jpeg"]
    assert post_signed(account, BANDWIDTH, [event]).status_code == 200
    assert [one.source_url for one in Attachment.objects.all()] == [f"{base}/0/photo.jpeg"]
    assert Message.objects.get().picture_count == 1
