"""Quarantine webhooks that are not understood, show them and replay them on request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from inboxes.models import Inbox
from messaging.inbound.receiving import replay_webhooks
from messaging.models import Message, Number, Webhook
from messaging.outbound import delivery
from tests.cast import Cast, client_of
from tests.messaging.carrier_calls import post_webhook, receipt_fields, text_fields
from tests.messaging.stepped_worker import run_jobs

ELSEWHERE = "+12025550119"
CHANGELIST = "admin:messaging_webhook_changelist"


def replay_in_admin(cast: Cast, webhook: Webhook) -> Any:
    action = {"action": "replay", "_selected_action": [webhook.pk]}
    return client_of(cast.admin).post(reverse(CHANGELIST), action, follow=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"To": ELSEWHERE}, "a number that is not set up here"),
        ({"MessageSid": ""}, "MessageSid is missing"),
        ({"From": " "}, "From is missing"),
        ({"MessageSid": "\x00\x07"}, "MessageSid is missing"),
        ({"NumMedia": "many"}, "NumMedia"),
        ({"From": "9" * 65}, "longer than"),
    ],
)
def test_a_webhook_that_is_not_understood_is_accepted_and_quarantined(
    cast: Cast, changes: dict[str, str], reason: str
) -> None:
    fields = text_fields("Hello?") | changes
    assert post_webhook(cast.account, fields).status_code == 200
    assert not Message.objects.exists()
    webhook = Webhook.objects.quarantined().get()
    assert reason in webhook.reason
    assert b"Hello" in bytes(webhook.body)
    page = client_of(cast.admin).get(reverse(CHANGELIST)).content.decode()
    assert reason in page


def test_a_repeated_webhook_is_quarantined_once(cast: Cast) -> None:
    for _ in range(3):
        assert post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE)).status_code == 200
    assert Webhook.objects.quarantined().count() == 1


def test_a_quarantined_webhook_keeps_no_signature_and_no_secret(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    assert "content-type" in webhook.headers
    assert not [name for name in webhook.headers if "signature" in name or "auth" in name]


def test_a_replay_stores_the_text_when_its_number_is_known(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Better late", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    assert "0 understood now, 1 still not" in replay_in_admin(cast, webhook).content.decode()
    assert Webhook.objects.quarantined().count() == 1

    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    assert "1 understood now, 0 still not" in replay_in_admin(cast, webhook).content.decode()
    message = Message.objects.get()
    assert (message.body, message.inbox) == ("Better late", inbox)
    assert not Webhook.objects.quarantined().exists()
    assert "Better late" not in client_of(cast.admin).get(reverse(CHANGELIST)).content.decode()


def test_a_replay_after_the_carriers_own_repetition_stores_nothing_twice(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    webhook = Webhook.objects.get()
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    replay_in_admin(cast, webhook)
    assert Message.objects.count() == 1


def test_a_replayed_text_joins_its_thread_at_the_time_when_it_came(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("The day before", to=ELSEWHERE))
    yesterday = timezone.now() - timedelta(days=1)
    Webhook.objects.update(received_at=yesterday)
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    post_webhook(cast.account, text_fields("Today", to=ELSEWHERE, sid="SM-in-2"))
    replay_in_admin(cast, Webhook.objects.quarantined().get())
    late = Message.objects.get(body="The day before")
    assert (late.is_late, late.shown_at) == (True, yesterday)
    assert late.history_order < Message.objects.get(body="Today").history_order < (late.pk, 0, 0)


def test_a_replayed_receipt_still_finds_its_attempt(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes.")
    attempt = delivery._claim_next_attempt(message.thread)
    assert attempt is not None
    fields = receipt_fields("SM-out-1", "undelivered", ErrorCode="3" * 65)
    post_webhook(cast.account, fields, attempt_token=str(attempt.token))
    webhook = Webhook.objects.quarantined().get()
    mended = bytes(webhook.body).replace(b"3" * 65, b"30005")
    Webhook.objects.filter(pk=webhook.pk).update(body=mended, path=webhook.path + "?a=b")
    replay_in_admin(cast, webhook)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.carrier_message_id) == ("failed", "SM-out-1")


def test_a_worker_replays_all_webhooks_of_one_cause_and_no_others(
    transactional_db: None, cast: Cast
) -> None:
    for number in range(3):
        fields = text_fields(f"text {number}", to=ELSEWHERE, sid=f"SM-in-{number}")
        post_webhook(cast.account, fields)
    post_webhook(cast.account, text_fields("Hello?", sid=""))
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=ELSEWHERE, account=cast.account, inbox=inbox)
    one = Webhook.objects.filter(reason__contains="number").order_by("?")[0]
    action = {"action": "replay_cause", "_selected_action": [one.pk]}
    page = client_of(cast.admin).post(reverse(CHANGELIST), action, follow=True)
    assert "Trying all with that reason again" in page.content.decode()
    assert not Message.objects.exists(), "a worker does that"
    run_jobs()
    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == [
        "text 0",
        "text 1",
        "text 2",
    ]
    assert Webhook.objects.quarantined().get().reason == "MessageSid is missing"
    client_of(cast.admin).post(reverse(CHANGELIST), action, follow=True)
    run_jobs()
    assert Message.objects.count() == 3


def test_a_replay_that_fails_shows_the_new_reason(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    Webhook.objects.update(reason="Body is missing")
    one = Webhook.objects.get()
    counts = replay_webhooks(account_id=one.account_id, reason="Body is missing", upto=one.pk)
    assert counts == (0, 1)
    assert "a number that is not set up here" in Webhook.objects.get().reason


def test_the_quarantine_shows_the_raw_body_and_cannot_be_edited(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("<script>alert(1)</script>", to=ELSEWHERE))
    admin = client_of(cast.admin)
    address = reverse("admin:messaging_webhook_change", args=[Webhook.objects.get().pk])
    page = admin.get(address).content.decode()
    assert "%3Cscript%3Ealert" in page
    assert admin.post(address, {"reason": "none"}).status_code == 403
    assert admin.get(reverse("admin:messaging_webhook_add")).status_code == 403


def test_only_administrators_see_the_quarantine(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    response = client_of(cast.ana).get(reverse(CHANGELIST))
    assert response.status_code == 403
