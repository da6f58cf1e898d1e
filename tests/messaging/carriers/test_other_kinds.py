"""Requests of kinds that Partyline does not serve are kept, and name the setting to change."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import DeliveryReceipt, Message, Webhook
from tests.cast import Cast, client_of
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, PAYLOADS, CarrierFixture
from tests.messaging.carriers.webhook_requests import (
    move_front_desk,
    payload,
    post_body,
    post_signed,
)


def form_of(carrier: str, name: str = "inbound_text", **changes: str) -> bytes:
    """Return a payload file with some fields changed; None takes a field out."""
    fields = dict(parse_qsl((PAYLOADS / carrier / f"{name}.form").read_text()))
    return urlencode(fields | changes).encode()


def json_of(carrier: str, *path: str | int, **changes: object) -> bytes:
    """Return the payload of a text with some values changed in the object at the path."""
    event = payload(FIXTURES[carrier], "inbound_text")
    at: Any = event
    for step in path:
        at = at[step]
    at.update(changes)
    return json.dumps(event).encode()


VONAGE_0_1 = {
    "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "from": {"type": "sms", "number": "12025550177"},
    "to": {"type": "sms", "number": "12025550110"},
    "timestamp": "2026-11-22T10:42:04Z",
    "direction": "inbound",
    "message": {"content": {"type": "text", "text": "Hi"}},
}
VONAGE_SMS_API = {
    "msisdn": "12025550177",
    "to": "12025550110",
    "messageId": "0A0000000123ABCD1",
    "text": "Hi",
    "type": "text",
    "keyword": "HI",
    "message-timestamp": "2026-11-22 10:42:04",
}
VONAGE_SMS_API_RECEIPT = {
    "msisdn": "12025550177",
    "to": "12025550110",
    "messageId": "0A0000000123ABCD1",
    "status": "delivered",
    "err-code": "0",
}
FORM, JSON = CONTENT_TYPES[".form"], CONTENT_TYPES[".json"]
OTHER_KINDS: dict[str, tuple[str, bytes, str, str]] = {
    "WhatsApp by Twilio": (
        "twilio",
        form_of("twilio", From="whatsapp:+12025550177", To="whatsapp:+12025550110"),
        FORM,
        "Senders → WhatsApp senders",
    ),
    "Messenger by Twilio": (
        "twilio",
        form_of("twilio", From="messenger:123", To="messenger:456"),
        FORM,
        "Senders → Facebook Messenger senders",
    ),
    "RCS by Twilio": (
        "twilio",
        form_of("twilio", From="rcs:+12025550177", To="rcs:shop_agent"),
        FORM,
        "Senders → RCS senders",
    ),
    "a receipt of a WhatsApp text by Twilio": (
        "twilio",
        form_of("twilio", "status_delivered", To="whatsapp:+12025550177"),
        FORM,
        "Senders → WhatsApp senders",
    ),
    "Twilio Conversations": (
        "twilio",
        form_of("twilio", EventType="onMessageAdded", ConversationSid="CH1"),
        FORM,
        "Conversations → Manage → Webhooks",
    ),
    "a call by Twilio": (
        "twilio",
        b"CallSid=CA1&From=%2B12025550177&To=%2B12025550110&CallStatus=ringing",
        FORM,
        "out of the settings for voice",
    ),
    "WhatsApp by SignalWire": (
        "signalwire",
        form_of("signalwire", From="whatsapp:+12025550177"),
        FORM,
        "out of the settings for WhatsApp",
    ),
    "WhatsApp by Plivo": (
        "plivo",
        form_of("plivo", Type="whatsapp"),
        FORM,
        "give the WhatsApp number or agent an application of its own",
    ),
    "a call by Plivo": (
        "plivo",
        b"CallUUID=1&From=12025550177&To=12025550110&Event=StartApp",
        FORM,
        "Message URL only",
    ),
    "RCS by Telnyx": (
        "telnyx",
        json_of("telnyx", "data", "payload", type="RCS", body={"text": "Hi"}),
        JSON,
        "give the RCS agent or sender another webhook URL",
    ),
    "WhatsApp by Telnyx": (
        "telnyx",
        json_of("telnyx", "data", event_type="whatsapp.message.received"),
        JSON,
        "inbound settings of a messaging profile only",
    ),
    "a call by Telnyx": (
        "telnyx",
        json_of("telnyx", "data", event_type="call.initiated"),
        JSON,
        "inbound settings of a messaging profile only",
    ),
    "version 1 of Telnyx": (
        "telnyx",
        b'{"sms_id": "1", "direction": "inbound", "from": "+12025550177", "body": "Hi"}',
        JSON,
        "set the messaging profile's webhook API version to 2",
    ),
    "version 2010-04-01 of Telnyx": (
        "telnyx",
        b"MessageSid=1&From=%2B12025550177&Body=Hi",
        FORM,
        "set the messaging profile's webhook API version to 2",
    ),
    "RCS by Bandwidth": (
        "bandwidth",
        json_of("bandwidth", 0, "message", channel="RBM"),
        JSON,
        "give the RCS agent or other channel an application of its own",
    ),
    "a suggestion by Bandwidth": (
        "bandwidth",
        b'[{"type": "suggestion-response", "message": {}}]',
        JSON,
        "give the RCS agent or other channel an application of its own",
    ),
    "WhatsApp by Vonage": (
        "vonage",
        json_of("vonage", channel="whatsapp"),
        JSON,
        "link the WhatsApp account to another application",
    ),
    "a receipt of a WhatsApp text by Vonage": (
        "vonage",
        b'{"message_uuid": "1", "status": "delivered", "channel": "whatsapp"}',
        JSON,
        "link the WhatsApp account to another application",
    ),
    "a receipt of an RCS text by Telnyx": (
        "telnyx",
        json_of("telnyx", "data", event_type="message.finalized", payload={"type": "RCS"}),
        JSON,
        "give the RCS agent or sender another webhook URL",
    ),
    "a receipt of an RCS text by Bandwidth": (
        "bandwidth",
        b'[{"type": "message-delivered", "message": {"id": "1", "channel": "RBM"}}]',
        JSON,
        "give the RCS agent or other channel an application of its own",
    ),
    "RCS by Vonage": (
        "vonage",
        json_of("vonage", channel="rcs"),
        JSON,
        "link the RCS account to another application",
    ),
    "no channel by Vonage": ("vonage", b'{"message_uuid": "1"}', JSON, "In Vonage's dashboard"),
    "version 0.1 of Vonage": (
        "vonage",
        json.dumps(VONAGE_0_1).encode(),
        JSON,
        "set the version of both webhooks to v1",
    ),
    "the older API of Vonage": (
        "vonage",
        json.dumps(VONAGE_SMS_API).encode(),
        JSON,
        "set Messaging API Type to Messages API",
    ),
    "the older API of Vonage, as a form": (
        "vonage",
        urlencode(VONAGE_SMS_API).encode(),
        FORM,
        "set Messaging API Type to Messages API",
    ),
    "a receipt of Vonage's older API": (
        "vonage",
        json.dumps(VONAGE_SMS_API_RECEIPT).encode(),
        JSON,
        "set Messaging API Type to Messages API",
    ),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_what_partyline_does_not_serve_is_kept_with_the_setting_to_change(
    cast: Cast, kind: str
) -> None:
    name, body, content_type, setting = OTHER_KINDS[kind]
    account = move_front_desk(cast, FIXTURES[name]).account
    for _ in range(2):
        assert post_body(account, FIXTURES[name], body, content_type).status_code == 200
    assert not Message.objects.exists()
    assert not DeliveryReceipt.objects.exists()
    webhook = Webhook.objects.get()
    assert webhook.is_quarantined
    assert bytes(webhook.body) == body
    assert setting in webhook.reason
    assert len(webhook.reason) < 255
    page = client_of(cast.admin).get(reverse("admin:messaging_webhook_changelist"))
    assert setting in page.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("body", [json.dumps(VONAGE_SMS_API).encode(), b"msisdn=1&text=Hi"])
def test_unsigned_texts_of_vonages_older_api_are_refused_with_the_setting_to_change(
    cast: Cast, body: bytes
) -> None:
    """That API signs otherwise, if at all."""
    account = move_front_desk(cast, FIXTURES["vonage"]).account
    answer = Client().post(account.webhook_path, body, content_type=JSON)
    assert answer.status_code == 503
    account.refresh_from_db()
    assert "set Messaging API Type to Messages API" in account.last_rejection


MISSING = "the carrier doesn&#x27;t say where it is"
PICTURE = "https://tlnx-mms-media.s3.amazonaws.com/mms/1/2.jpeg"
UNREADABLE = "https://[abc/x.jpg"  # No host can be read from it
HALF_TOLD: dict[str, tuple[str, bytes, str, int]] = {
    "Twilio counts two and gives one": (
        "twilio",
        form_of("twilio", "inbound_picture", NumMedia="2", Body="Look"),
        FORM,
        2,
    ),
    "SignalWire counts one and gives none": (
        "signalwire",
        form_of("signalwire", NumMedia="1"),
        FORM,
        1,
    ),
    "Plivo counts one and gives none": (
        "plivo",
        form_of("plivo", Type="mms", MediaCount="1", Body="Look"),
        FORM,
        1,
    ),
    "Plivo counts three and gives two": (
        "plivo",
        form_of("plivo", "inbound_pictures_from_0", MediaCount="3"),
        FORM,
        3,
    ),
    "Telnyx lists one without its address": (
        "telnyx",
        json_of("telnyx", "data", "payload", type="MMS", media=[{"content_type": "image/png"}]),
        JSON,
        1,
    ),
    "Telnyx sends a picture message with nothing in it": (
        "telnyx",
        json_of("telnyx", "data", "payload", type="MMS", text=""),
        JSON,
        1,
    ),
    "Telnyx gives an address of endless length": (
        "telnyx",
        json_of("telnyx", "data", "payload", media=[{"url": PICTURE + "x" * 5000}]),
        JSON,
        1,
    ),
    "Bandwidth lists one without its address": (
        "bandwidth",
        json_of("bandwidth", 0, "message", media=[None, "https://messaging.bandwidth.com/1.jpg"]),
        JSON,
        2,
    ),
    **{
        f"{name} gives an address that cannot be read": (name, body, kind, 1)
        for name, body, kind in (
            ("telnyx", json_of("telnyx", "data", "payload", media=[{"url": UNREADABLE}]), JSON),
            ("bandwidth", json_of("bandwidth", 0, "message", media=[UNREADABLE]), JSON),
        )
    },
    "Vonage names a picture and gives none": (
        "vonage",
        json_of("vonage", channel="mms", message_type="image", text=None),
        JSON,
        1,
    ),
    "Vonage sends what it cannot pass on": (
        "vonage",
        json_of("vonage", channel="mms", message_type="unsupported", text=None),
        JSON,
        1,
    ),
}


@pytest.mark.parametrize("case", HALF_TOLD)
def test_a_picture_that_the_carrier_does_not_hand_over_is_said_on_the_message(
    cast: Cast, case: str
) -> None:
    name, body, content_type, count = HALF_TOLD[case]
    account = move_front_desk(cast, FIXTURES[name]).account
    assert post_body(account, FIXTURES[name], body, content_type).status_code == 200
    assert not Webhook.objects.quarantined().exists()
    message = Message.objects.get()
    assert message.picture_count == count
    failed = message.attachments.filter(state="failed")
    assert [one.can_be_fetched_again for one in failed] == [False]
    page = client_of(cast.ana).get(f"/threads/{message.thread_id}/").content.decode()
    assert page.count(MISSING) == 1


def test_words_among_the_parts_of_a_message_are_not_lost(cast: Cast) -> None:
    fixture = FIXTURES["vonage"]
    account = move_front_desk(cast, fixture).account
    event = payload(fixture, "inbound_pictures")
    event["content"].append({"type": "text", "text": "Which one?"})
    assert post_signed(account, fixture, event).status_code == 200
    assert Message.objects.get().body == "Both\nWhich one?"
    event |= {"message_uuid": "bbbbbbbb-bbbb-4ccc-8ddd-0123456789ad"}
    event["content"] = [{"type": "text", "text": "Words alone"}]
    assert post_signed(account, fixture, event).status_code == 200
    assert Message.objects.latest("pk").body == "Words alone"
    assert Message.objects.latest("pk").picture_count == 0


def test_pictures_beyond_the_carriers_count_are_taken_as_well(cast: Cast) -> None:
    fixture: CarrierFixture = FIXTURES["twilio"]
    account = move_front_desk(cast, fixture).account
    body = form_of("twilio", "inbound_picture", NumMedia="0")
    assert post_body(account, fixture, body, FORM).status_code == 200
    assert Message.objects.get().picture_count == 1


def test_a_count_without_end_makes_no_more_than_we_take(cast: Cast) -> None:
    fixture = FIXTURES["plivo"]
    account = move_front_desk(cast, fixture).account
    body = form_of("plivo", Type="mms", MediaCount="999999")
    assert post_body(account, fixture, body, FORM).status_code == 200
    assert Message.objects.get().picture_count == 20


def test_a_text_beside_a_kind_that_is_not_served_is_stored(cast: Cast) -> None:
    fixture = FIXTURES["bandwidth"]
    account = move_front_desk(cast, fixture).account
    [text] = payload(fixture, "inbound_text")
    other = deepcopy(text)
    other["message"]["channel"] = "RBM"
    assert post_signed(account, fixture, [other, text]).status_code == 200
    assert Message.objects.get().body == text["message"]["text"]
    assert "RCS" in Webhook.objects.quarantined().get().reason
