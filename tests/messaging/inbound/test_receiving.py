"""Store each inbound text once, in the right thread, whoever sent it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from messaging.models import CarrierAccount, DeliveryReceipt, Message, Number, Webhook
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, FRONT_DESK, Cast
from tests.messaging.carrier_calls import post_webhook, receipt_fields, text_fields
from threads.models import Contact, Thread


def test_a_text_updates_its_thread_and_its_inbox(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("First line\n  second   line"))
    thread = Thread.objects.get()
    cast.front_desk.refresh_from_db()
    message = Message.objects.get()
    for row in (thread, cast.front_desk):
        assert row.last_excerpt == "First line second line"
        assert (row.last_kind, row.last_author) == ("inbound", None)
        assert (row.last_message_id, row.last_at) == (message.pk, message.created_at)
    assert message.seq == thread.seq == cast.front_desk.seq == 1
    assert thread.our_address == FRONT_DESK


@pytest.mark.parametrize(
    ("sender", "address", "kind"),
    [
        ("+1 (202) 555-0177", CUSTOMER, "phone"),
        ("72645", "72645", "short_code"),
        ("PARCELBOX", "PARCELBOX", "name"),
        ("‮odd\u200b sender", "odd sender", "name"),
    ],
)
def test_no_text_is_dropped_because_of_its_sender(
    cast: Cast, sender: str, address: str, kind: str
) -> None:
    assert post_webhook(cast.account, text_fields("Hi", sender=sender)).status_code == 200
    contact = Contact.objects.get()
    assert (contact.address, contact.kind, contact.raw_address) == (address, kind, sender)


def test_each_contact_has_one_thread_in_an_inbox(cast: Cast) -> None:
    for index, to in enumerate([FRONT_DESK, FRONT_DESK, DISPATCH, ANAS_LINE]):
        post_webhook(cast.account, text_fields("Hi", sid=f"SM{index}", to=to))
    inboxes = sorted(Thread.objects.values_list("inbox", flat=True))
    assert inboxes == sorted([cast.front_desk.pk, cast.dispatch.pk, cast.anas_line.pk])
    assert Message.objects.filter(inbox=cast.front_desk).count() == 2


@pytest.mark.parametrize("kind", ["text", "receipt"])
@pytest.mark.parametrize(
    ("constraint", "removal"),
    [
        ("CREATE UNIQUE INDEX another ON {table} (account_id)", "DROP INDEX another"),
        (
            "ALTER TABLE {table} ADD CONSTRAINT another CHECK (carrier_message_id <> 'SM-2')",
            "ALTER TABLE {table} DROP CONSTRAINT another",
        ),
    ],
)
def test_an_event_that_another_constraint_refuses_is_not_taken_for_a_duplicate(
    cast: Cast, kind: str, constraint: str, removal: str
) -> None:
    """The carrier is told that we do not have it, and sends it again."""
    model = Message if kind == "text" else DeliveryReceipt
    table = model._meta.db_table
    first, second = (
        text_fields("Hi", sid=sid) if kind == "text" else receipt_fields(sid, "sent")
        for sid in ("SM-1", "SM-2")
    )
    post_webhook(cast.account, first)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(constraint.format(table=table))
        assert post_webhook(cast.account, second, raise_exceptions=False).status_code == 500
        assert (model._default_manager.count(), Webhook.objects.count()) == (1, 1)
        cursor.execute(removal.format(table=table))
    assert post_webhook(cast.account, second).status_code == 200
    assert (model._default_manager.count(), Webhook.objects.count()) == (2, 2)


def test_a_repeated_text_is_acknowledged_and_stored_once(cast: Cast) -> None:
    for _ in range(3):
        assert post_webhook(cast.account, text_fields("Once")).status_code == 200
    assert Message.objects.count() == 1
    assert Webhook.objects.count() == 1
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.last_message_id == Message.objects.get().pk


def test_the_same_id_of_another_account_is_another_text(cast: Cast) -> None:
    other = CarrierAccount(carrier="twilio", name="Another")
    other.set_credentials({"account_sid": "AC2", "auth_token": "two"})
    other.save()
    Number.objects.filter(inbox=cast.dispatch).update(account=other)
    post_webhook(cast.account, text_fields("To the desk"))
    post_webhook(other, text_fields("To dispatch", to=DISPATCH), token="two")
    assert Message.objects.count() == 2


def test_an_account_cannot_speak_for_the_number_of_another(cast: Cast) -> None:
    other = CarrierAccount(carrier="twilio", name="Another")
    other.set_credentials({"account_sid": "AC2", "auth_token": "two"})
    other.save()
    assert post_webhook(other, text_fields("Hi", to=DISPATCH), token="two").status_code == 200
    assert not Message.objects.exists()
    assert Webhook.objects.quarantined().get().account == other


@pytest.mark.django_db(transaction=True)
def test_the_same_text_at_the_same_time_is_stored_once(cast: Cast) -> None:
    """Four callers send one text; all are told that we have it, and it is stored once."""
    start = threading.Barrier(4, timeout=10)

    def post_same_text() -> int:
        try:
            start.wait()
            status: int = post_webhook(cast.account, text_fields("Once")).status_code
            return status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post_same_text) for _ in range(4)]
        assert [answer.result(timeout=20) for answer in answers] == [200] * 4
    assert Message.objects.count() == 1
    assert Thread.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_first_texts_of_one_sender_at_the_same_time_share_a_thread(cast: Cast) -> None:
    start = threading.Barrier(4, timeout=10)

    def post_text(index: int) -> int:
        try:
            start.wait()
            fields = text_fields(f"Text {index}", sid=f"SM{index}")
            status: int = post_webhook(cast.account, fields).status_code
            return status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post_text, index) for index in range(4)]
        assert [answer.result(timeout=20) for answer in answers] == [200] * 4
    assert Thread.objects.count() == 1
    assert Message.objects.count() == 4
    assert sorted(Message.objects.values_list("seq", flat=True)) == [1, 2, 3, 4]
    in_order = list(Message.objects.order_by("seq").values_list("pk", flat=True))
    assert in_order == sorted(in_order)
