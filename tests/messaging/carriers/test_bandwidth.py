"""Bandwidth's dialect where it differs: a challenge, one address for all, a list without words."""

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
from messaging.models import DeliveryReceipt, Message, Number, Webhook
from tests.cast import Cast
from tests.messaging.carriers.fixtures.bandwidth import BANDWIDTH
from tests.messaging.carriers.test_contract_api import sought
from tests.messaging.carriers.webhook_requests import (
    knock_unsigned,
    move_front_desk,
    payload,
    post_signed,
)
from tests.messaging.outbound.test_receipts import begin_attempt, message_state

ELSEWHERE = ("+12025550118", "+12025550119")


def texts() -> QuerySet[Message, str]:
    return Message.objects.order_by("pk").values_list("body", flat=True)


def test_a_call_without_credentials_is_asked_for_them_and_not_counted(cast: Cast) -> None:
    account = move_front_desk(cast, BANDWIDTH).account
    response = knock_unsigned(account, payload(BANDWIDTH, "inbound_text"))
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


def test_events_that_cannot_be_used_hide_no_others_and_are_kept(cast: Cast) -> None:
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
        assert list(texts()) == ["One", "Two"]
        assert DeliveryReceipt.objects.count() == 1
    webhook = Webhook.objects.quarantined().get()
    assert webhook.reason == "an event is not a JSON object"

    for index, address in enumerate(ELSEWHERE, 1):
        inbox = Inbox.objects.create(name=f"Elsewhere {index}")
        Number.objects.create(address=address, account=cast.account, inbox=inbox)
        assert not replay_webhook(webhook=webhook)
        assert len(texts()) == 2 + index
    assert post_signed(cast.account, BANDWIDTH, body).status_code == 200
    assert len(texts()) == 4
    assert Webhook.objects.quarantined().get() == webhook


def test_what_is_routed_now_and_came_with_what_is_not_is_quarantined_once(cast: Cast) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    [one] = payload(BANDWIDTH, "inbound_text")
    body = [{**one, "to": to, "message": {**one["message"], "id": to}} for to in ELSEWHERE]
    post_signed(cast.account, BANDWIDTH, body)
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE[0], account=cast.account, inbox=inbox)
    assert post_signed(cast.account, BANDWIDTH, body).status_code == 200
    assert len(texts()) == 1
    assert Webhook.objects.quarantined().count() == 1


def told(name: str, token: object, **more: object) -> Any:
    [event] = payload(BANDWIDTH, name)
    event["message"]["tag"] = str(token)
    return [{**event, **more}]


def test_the_tag_of_a_receipt_finds_its_attempt_before_the_answer_came(cast: Cast) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    attempt = begin_attempt(cast)
    post_signed(cast.account, BANDWIDTH, told("status_delivered", attempt.token))
    assert message_state(attempt) == "delivered"
    attempt.refresh_from_db()
    assert attempt.carrier_message_id == "1593110555875xo7watq5px6rbe5d"


@pytest.mark.parametrize("tag", ["v2 lab", "", "x" * 1024])
def test_a_foreign_tag_parks_the_receipt(cast: Cast, tag: str) -> None:
    cast = move_front_desk(cast, BANDWIDTH)
    attempt = begin_attempt(cast)
    assert post_signed(cast.account, BANDWIDTH, told("status_delivered", tag)).status_code == 200
    assert message_state(attempt) == "sending"
    assert DeliveryReceipt.objects.get().attempt is None


def test_a_tag_reaches_no_attempt_of_another_account(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    account = move_front_desk(cast, BANDWIDTH).account
    assert post_signed(account, BANDWIDTH, told("status_failed", attempt.token)).status_code == 200
    assert message_state(attempt) == "sending"
    assert DeliveryReceipt.objects.get().attempt is None


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        *((code, "bad_address") for code in (4303, 4406, 4720, 4721)),
        *((code, "filtered") for code in (4470, 4770)),
        *((code, "registration") for code in (4773, 4795)),
        *((code, "throttled") for code in (429, 4780, 4781, 4785)),
        *((code, "transient") for code in (5100, 5600, 5999)),
        *((code, "ambiguous") for code in (9902, 9999)),
        (4775, "opted_out"),
        (4999, "other"),
    ],
)
def test_the_documented_errors_have_their_class(code: int, error_class: str) -> None:
    body = json.dumps(told("status_failed", "", errorCode=code)).encode()
    [receipt] = Bandwidth().parse(events.RawRequest("POST", "/", {}, body))
    assert isinstance(receipt, events.Receipt)
    assert (receipt.error_code, receipt.error_class) == (str(code), error_class)
    assert receipt.state == ("unknown" if error_class == "ambiguous" else "failed")


def look_up(
    *listed: dict[str, Any], is_alone: bool = True
) -> tuple[results.LookUpResult, httpx.URL]:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"totalCount": len(listed), "messages": list(listed)})

    wanted = replace(
        sought(BANDWIDTH), not_these=frozenset({"another-attempts"}), is_alone=is_alone
    )
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        return Bandwidth().look_up(wanted, BANDWIDTH.credentials, http), asked[0]


def listed(message_id: str, *, length: int, **more: object) -> dict[str, Any]:
    return {"messageId": message_id, "messageLength": length, "messageStatus": "SENT", **more}


LENGTH = len(BANDWIDTH.outgoing.body)
CLAIMED = listed("another-attempts", length=LENGTH)


def test_a_list_without_an_unclaimed_text_denies_it() -> None:
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
def test_the_only_text_of_its_length_is_an_attempt_that_is_alone(
    more: dict[str, object], receipt: events.Receipt, length: int
) -> None:
    assert look_up(CLAIMED, listed("m1", length=length, **more))[0] == results.Found(receipt)


def test_any_doubt_settles_nothing() -> None:
    one, two = listed("m1", length=LENGTH), listed("m2", length=LENGTH)
    assert isinstance(look_up(one, two)[0], results.CannotTell)
    assert isinstance(look_up(one, is_alone=False)[0], results.CannotTell)
    assert isinstance(look_up(listed("m1", length=LENGTH + 2))[0], results.CannotTell)
    assert isinstance(look_up({"messageLength": LENGTH})[0], results.CannotTell)
