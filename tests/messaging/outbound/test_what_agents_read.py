"""Say in plain English why a text was not sent, whichever carrier said so and however.

Every answer goes through the real worker to a far end that says what the carrier would, and every
receipt through the webhook. Each carrier's whole list of codes is in
`tests/messaging/carriers/errors/`.
"""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from messaging.models import Attempt, DeliveryReceipt, Message
from messaging.outbound.delivery import UNKNOWN_REASON
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, PAYLOADS, CarrierFixture
from tests.messaging.carriers.webhook_requests import move_front_desk, post_body
from tests.messaging.stepped_worker import carrier, end_waits, run_jobs

__all__ = ["carrier", "far_end"]

WORDS = "These are the words of the carrier"
CODE_ALONE = {"twilio", "plivo"}  # Their receipts hold no words.

_customers = itertools.count(12025550200)


# What a carrier says, in its own form.


def answer(name: str, code: str, status: int = 0, words: str = WORDS) -> dict[str, Any]:
    """Return a refusal with the error code, as the carrier writes it."""
    forms: dict[str, tuple[int, object]] = {
        "twilio": (400, {"code": _number(code), "message": words, "status": 400}),
        "signalwire": (422, {"code": code, "message": words, "status": 422}),
        "telnyx": (422, {"errors": [{"code": code, "title": words}]}),
        "bandwidth": (400, {"type": code, "description": words}),
        "vonage": (
            422,
            {
                "type": f"https://developer.vonage.com/api-errors/messages#{code}",
                "title": code if code.isdigit() else words,
                "detail": words if code.isdigit() else "",
            },
        ),
        "plivo": (400, {"api_id": "x", "error": words}),
    }
    usual, written = forms[name]
    return {"kind": "say", "status": status or usual, "json": written}


def receipt(name: str, code: str, recipient: str, words: str = WORDS) -> tuple[bytes, str]:
    """Return the receipt of an undelivered text with the code, and its content type."""
    file = {
        "twilio": "status_undelivered.form",
        "signalwire": "status_undelivered.form",
        "telnyx": "status_failed.json",
        "bandwidth": "status_failed.json",
        "vonage": "status_failed.json",
        "plivo": "status_undelivered.form",
    }[name]
    raw = (PAYLOADS / name / file).read_text().replace("12025550177", recipient.lstrip("+"))
    kind = CONTENT_TYPES[file[file.index(".") :]]
    if file.endswith(".form"):
        fields = {key: values[0] for key, values in parse_qs(raw.strip()).items()}
        fields["ErrorCode"] = code
        if name == "signalwire":
            fields["ErrorMessage"] = words
        for key in {"MessageSid", "SmsSid", "MessageUUID"} & set(fields):
            fields[key] = FIXTURES[name].accepted_id
        return urlencode(fields).encode(), kind
    told = json.loads(raw)
    match name:
        case "telnyx":
            told["data"]["payload"]["id"] = FIXTURES[name].accepted_id
            told["data"]["payload"]["errors"] = [{"code": code, "title": words}]
        case "bandwidth":
            told[0]["message"] |= {"id": FIXTURES[name].accepted_id, "tag": ""}
            told[0] |= {"errorCode": _number(code), "description": words}
        case "vonage":
            told["message_uuid"] = FIXTURES[name].accepted_id
            told.pop("client_ref")
            told["error"] |= {"title": _number(code), "detail": words}
            told["error"]["type"] = f"https://developer.vonage.com/api-errors/messages#{code}"
    return json.dumps(told).encode(), kind


def _number(code: str) -> int | str:
    return int(code) if code.isdigit() else code


# What becomes of the text.


class Desk:
    """Write texts as an agent, with the number at the carrier in question."""

    def __init__(self, far_end: FarEnd, cast: Cast, settings: Settings) -> None:
        self.far_end, self.cast, self.settings = far_end, cast, settings

    def send(self, fixture: CarrierFixture, *answers: dict[str, Any]) -> Message:
        """Send a text to somebody new through the carrier, which answers so."""
        setattr(self.settings, fixture.api_setting, self.far_end.url)
        self.cast = move_front_desk(self.cast, fixture)
        message = self.cast.answer(self.cast.thread(sender=f"+{next(_customers)}"), "Hello")
        self.far_end.plan(*answers)
        run_jobs()
        message.refresh_from_db()
        return message

    def refused(self, name: str, code: str, status: int = 0) -> Message:
        return self.send(FIXTURES[name], answer(name, code, status))

    def undelivered(self, name: str, code: str) -> Message:
        """Have the carrier accept a text and report with this code that it did not arrive."""
        fixture = FIXTURES[name]
        status, accepted = fixture.accepted
        taken = {"kind": "say", "status": status, "json": accepted, "taken": True}
        message = self.send(fixture, taken)
        assert message.state in ("queued", "sending", "sent")
        body, kind = receipt(name, code, message.thread.contact.address)
        assert post_body(self.cast.account, fixture, body, kind).status_code in (200, 204)
        message.refresh_from_db()
        return message


@pytest.fixture
def desk(carrier: FarEnd, cast: Cast, settings: Settings) -> Desk:
    return Desk(carrier, cast, settings)


def assert_reads(
    message: Message, sentence: str, name: str, code: str, words: str = WORDS
) -> None:
    """Check the sentence, what the attempt keeps, and that nothing is tried again by itself."""
    case = f"{name} {code}"
    assert message.state == "failed", case
    assert message.reason.startswith(sentence), f"{case}: {message.reason}"
    attempt = Attempt.objects.get(message=message)
    assert attempt.error_code == code, case
    assert attempt.carrier_words == words, case
    assert not ProcrastinateJob.objects.exists(), case


REFUSED = {
    "The carrier doesn't send to this country. Retrying won't help": {
        "twilio": "21408",
        "telnyx": "40309",
        "bandwidth": "4432",
    },
    "Our carrier account is a trial and can only text verified numbers. Retrying won't help": {
        "twilio": "21608 572002 572005",
        "signalwire": "10002",
        "vonage": "1160",
    },
    "The carrier doesn't let us text from our number. Retrying won't help": {
        "twilio": "21659 21660",
        "telnyx": "40321",
        "vonage": "1120",
    },
    "Pictures can't be sent between our number and this one. Retrying won't help": {
        "twilio": "21621",
        "signalwire": "30011 30012",
    },
    "The carrier rejected the picture.": {"signalwire": "21612"},
    "This number can't receive texts. Retrying won't help": {
        "signalwire": "21606",
        "vonage": "1050",
    },
    "Our number isn't registered for business texting yet. Retrying won't help": {
        "signalwire": "21717",
    },
    "The carrier has suspended, closed, or restricted our account. Retrying won't help": {
        "telnyx": "20012 20013 20014 20015 20016 20017",
    },
    "Our carrier account is out of money": {"signalwire": "4001"},
    "The carrier rejected our credentials.": {
        "telnyx": "20002 20006",
        "vonage": "jwt-expired jwt-revoked invalid-signature",
    },
    "The carrier couldn't process this text as written. Retrying it unchanged won't help": {
        "telnyx": "40009",
        "bandwidth": "4301",
    },
}

REPORTED = {
    "Our number has reached its daily limit. Retry tomorrow": {
        "twilio": "30023 30027",
        "signalwire": "30027",
        "telnyx": "40016",
    },
    "The carrier couldn't deliver this text in time. Retry if it still matters": {
        "signalwire": "30009",
        "bandwidth": "4360",
    },
    "Pictures can't be sent between our number and this one. Retrying won't help": {
        "twilio": "30011",
        "signalwire": "30011 30012",
    },
    "Our number isn't registered for business texting yet. Retrying won't help": {
        "twilio": "30018 30024",
    },
    "The carrier or a network behind it had a problem. Retry in a few minutes": {
        "twilio": "30017"
    },
    "The carrier blocked this text as unwanted. Retrying it unchanged won't help": {
        "telnyx": "40017",
    },
    "Too many texts at once. Wait a minute, then retry.": {"telnyx": "40018"},
    "The person's network or phone refused this text without a clear reason. Retry once": {
        "telnyx": "40008",
        "bandwidth": "4750 4753",
    },
    "The carrier couldn't process this text as written. Retrying it unchanged won't help": {
        "bandwidth": "4301 4752",
    },
    "The carrier can't route texts from our number to this one. Retrying rarely helps": {
        "bandwidth": "4401",
        "plivo": "90",
    },
    "The carrier doesn't send to this country. Retrying won't help": {
        "bandwidth": "4432",
        "plivo": "450",
    },
    "This number can't receive texts. Retrying won't help": {"vonage": "1050"},
}


def named(rows: dict[str, dict[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("sentence", "codes"), rows.items(), ids=[sentence[:60] for sentence in rows]
    )


@named(REFUSED)
def test_a_refused_text_says(desk: Desk, sentence: str, codes: dict[str, str]) -> None:
    for name, of_carrier in codes.items():
        for code in of_carrier.split():
            assert_reads(desk.refused(name, code), sentence, name, code)


@named(REPORTED)
def test_a_text_that_did_not_arrive_says(desk: Desk, sentence: str, codes: dict[str, str]) -> None:
    for name, of_carrier in codes.items():
        words = "" if name in CODE_ALONE else WORDS
        for code in of_carrier.split():
            assert_reads(desk.undelivered(name, code), sentence, name, code, words)


@pytest.mark.parametrize(
    ("name", "status", "said", "code", "sentence", "words"),
    [
        (
            "plivo",
            400,
            {"api_id": "x", "error": "src parameter is not a number of yours"},
            "400",
            "The carrier didn't deliver this text.",
            "src parameter is not a number of yours",
        ),
        (
            "plivo",
            402,
            {"api_id": "x", "error": "insufficient credit"},
            "402",
            "Our carrier account is out of money",
            "insufficient credit",
        ),
        (
            "bandwidth",
            400,
            {"type": "request-validation", "description": "'from' is not in your application"},
            "request-validation",
            "The carrier didn't deliver this text.",
            "'from' is not in your application",
        ),
        (
            "bandwidth",
            403,
            {"type": "forbidden", "description": "The account has no access"},
            "forbidden",
            "The carrier rejected our credentials.",
            "The account has no access",
        ),
    ],
)
def test_a_refusal_without_a_code_keeps_what_the_carrier_says(
    desk: Desk, name: str, status: int, said: object, code: str, sentence: str, words: str
) -> None:
    message = desk.send(FIXTURES[name], {"kind": "say", "status": status, "json": said})
    attempt = Attempt.objects.get(message=message)
    assert (message.state, attempt.error_code) == ("failed", code)
    assert message.reason.startswith(sentence)
    assert attempt.carrier_words == words


def test_no_clear_answer_keeps_what_the_carrier_says_too(desk: Desk) -> None:
    message = desk.refused("telnyx", "10007", status=500)
    attempt = Attempt.objects.get(message=message)
    assert (message.state, attempt.error_code, attempt.carrier_words) == (
        "unknown",
        "10007",
        WORDS,
    )
    assert message.reason == UNKNOWN_REASON
    assert not ProcrastinateJob.objects.exists()


def test_only_a_carrier_that_is_busy_is_asked_again_by_itself(desk: Desk) -> None:
    fixture = FIXTURES["telnyx"]
    status, accepted = fixture.accepted
    taken = {"kind": "say", "status": status, "json": accepted, "taken": True}
    message = desk.send(fixture, answer("telnyx", "40318", 429), taken)
    assert message.state == "queued"
    end_waits()
    run_jobs()
    message.refresh_from_db()
    assert message.state == "sent"
    assert [entry["taken"] for entry in desk.far_end.ledger()] == [False, True]


def test_a_receipt_that_overtakes_the_answer_keeps_its_words(desk: Desk) -> None:
    fixture = FIXTURES["signalwire"]
    desk.cast = move_front_desk(desk.cast, fixture)
    body, kind = receipt("signalwire", "30027", "+12025550177")
    assert post_body(desk.cast.account, fixture, body, kind).status_code in (200, 204)
    assert DeliveryReceipt.objects.get().carrier_words == WORDS
    setattr(desk.settings, fixture.api_setting, desk.far_end.url)
    message = desk.cast.answer(desk.cast.thread(), "Hello")
    status, accepted = fixture.accepted
    desk.far_end.plan({"kind": "say", "status": status, "json": accepted, "taken": True})
    run_jobs()
    message.refresh_from_db()
    sentence = "Our number has reached its daily limit. Retry tomorrow"
    assert_reads(message, sentence, "signalwire", "30027")


def test_the_carriers_words_are_kept_on_one_line_of_limited_length_and_never_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    said = "The number +12025550177\x00 is\r\nnot ours\u202e, " + "really " * 100
    message = desk.send(FIXTURES["twilio"], answer("twilio", "21659", words=said))
    attempt = Attempt.objects.get(message=message)
    assert attempt.carrier_words.startswith("The number +12025550177 is not ours, really really")
    assert len(attempt.carrier_words) <= 300
    assert "not ours" not in caplog.text
    assert "not ours" not in attempt.detail + message.reason
