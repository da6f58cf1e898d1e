"""A customer's wish is heard through every carrier's webhook, signed as the vendor signs it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from messaging.carriers import events
from messaging.models import Message, OptOut
from messaging.stream.refusals import find_refusal
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, PAYLOADS, CarrierFixture
from tests.messaging.carriers.webhook_requests import move_front_desk
from threads.models import Thread

every_carrier = pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
_ids = itertools.count(1)

# Where each carrier's webhook holds the text, and the id of the message.
PLACES: Mapping[str, tuple[tuple[str | int, ...], tuple[str | int, ...]]] = {
    "telnyx": (("data", "payload", "text"), ("data", "payload", "id")),
    "bandwidth": ((0, "message", "text"), (0, "message", "id")),
    "vonage": (("text",), ("message_uuid",)),
    "simulator": (("text",), ("id",)),
    "twilio": (("Body",), ("MessageSid",)),
    "signalwire": (("Body",), ("MessageSid",)),
    "plivo": (("Text",), ("MessageUUID",)),
}


@pytest.fixture(autouse=True)
def public_address(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://texts.example.com"
    settings.ALLOWED_HOSTS = ["*"]


def put(event: Any, place: tuple[str | int, ...], value: object) -> None:
    for step in place[:-1]:
        event = event[step]
    event[place[-1]] = value


def build_event(fixture: CarrierFixture, body: str) -> Any:
    """Return the vendor's payload of an inbound text, with these words and an id of its own."""
    file = next((PAYLOADS / fixture.name).glob("inbound_text.[fj]*[mn]"))
    raw = file.read_text()
    is_form = file.suffix == ".form"
    event = dict(parse_qsl(raw, keep_blank_values=True)) if is_form else json.loads(raw)
    words, key = PLACES[fixture.name]
    put(event, words, body)
    put(event, key, f"in-{next(_ids)}")
    return event


def post_event(cast: Cast, fixture: CarrierFixture, event: Any) -> None:
    """POST the event to the account's webhook, signed by the vendor's own code if there is any."""
    is_form = (PAYLOADS / fixture.name / "inbound_text.form").exists()
    raw = urlencode(event).encode() if is_form else json.dumps(event).encode()
    kind = CONTENT_TYPES[".form" if is_form else ".json"]
    url = settings.PUBLIC_URL + cast.account.webhook_path
    request = fixture.sign(raw, kind, fixture.credentials[fixture.secret], url)
    headers = {key: value for key, value in request.headers.items() if key != "content-type"}
    answer = Client().post(
        request.path, request.body, content_type=kind, headers=headers, secure=True
    )
    assert answer.status_code == 200


def receive(cast: Cast, fixture: CarrierFixture, body: str) -> Message:
    post_event(cast, fixture, build_event(fixture, body))
    return Message.objects.filter(kind="inbound").latest("pk")


def is_opted_out(cast: Cast) -> bool:
    """Return True if no text can be sent, in the record and in what the composer shows."""
    thread = Thread.objects.select_related("contact", "inbox").get(inbox=cast.front_desk)
    open_rows = OptOut.objects.filter(ended_at=None).values_list("our_address", "address")
    page = client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode()
    is_refused = "opted out of texts from" in str(find_refusal(thread))
    assert is_refused == ("opted out of texts from" in page) == bool(open_rows)
    assert list(open_rows) in ([], [(FRONT_DESK, CUSTOMER)])
    return bool(open_rows)


SPELLINGS = [
    "OPT OUT",
    "Stop.",
    "STOP!",
    '"STOP"',
    "opt-out",
    "STOP please",
    "stop texting me",
    "remove me",
    "ARRET",
    "STOP\u200d",
    "\u200bSTOP",
    "ＳＴＯＰ",
]


@every_carrier
@pytest.mark.parametrize("body", SPELLINGS)
def test_a_customer_who_says_it_their_own_way_is_opted_out(
    cast: Cast, fixture: CarrierFixture, body: str
) -> None:
    cast = move_front_desk(cast, fixture)
    assert receive(cast, fixture, body).keyword == "opt_out"
    assert is_opted_out(cast)


@every_carrier
def test_a_customer_who_texts_start_is_written_to_again(
    cast: Cast, fixture: CarrierFixture
) -> None:
    cast = move_front_desk(cast, fixture)
    receive(cast, fixture, "Stop")
    assert is_opted_out(cast)
    assert receive(cast, fixture, "Start!").keyword == "opt_in"
    assert not is_opted_out(cast)


@every_carrier
def test_a_longer_text_with_such_a_word_leaves_the_decision_to_people(
    cast: Cast, fixture: CarrierFixture
) -> None:
    cast = move_front_desk(cast, fixture)
    assert receive(cast, fixture, "stop by at 5").keyword == ""
    assert not is_opted_out(cast)


def build_event_with_word(fixture: CarrierFixture, body: str, word: str) -> Any:
    event = build_event(fixture, body)
    if fixture.name == "telnyx":
        event["data"]["payload"]["autoresponse_type"] = word
    else:
        event["OptOutType"] = word
    return event


@pytest.mark.parametrize("name", ["twilio", "signalwire", "telnyx"])
def test_the_carriers_own_word_opts_out_whatever_the_text_says(cast: Cast, name: str) -> None:
    fixture = FIXTURES[name]
    cast = move_front_desk(cast, fixture)
    post_event(cast, fixture, build_event_with_word(fixture, "BASTA", "STOP"))
    assert is_opted_out(cast)
    assert Message.objects.latest("pk").keyword == "opt_out"
    post_event(cast, fixture, build_event_with_word(fixture, "Otra vez", "START"))
    assert not is_opted_out(cast)


@pytest.mark.parametrize("name", ["twilio", "signalwire", "telnyx"])
def test_the_carriers_own_word_wins_over_the_text(cast: Cast, name: str) -> None:
    fixture = FIXTURES[name]
    cast = move_front_desk(cast, fixture)
    post_event(cast, fixture, build_event_with_word(fixture, "STOP", "HELP"))
    assert not is_opted_out(cast)
    post_event(cast, fixture, build_event_with_word(fixture, "START", "STOP"))
    assert is_opted_out(cast)


@pytest.mark.parametrize("name", ["twilio", "telnyx"])
def test_a_word_that_the_carrier_has_not_documented_means_nothing(cast: Cast, name: str) -> None:
    fixture = FIXTURES[name]
    cast = move_front_desk(cast, fixture)
    post_event(cast, fixture, build_event_with_word(fixture, "Hello", "PAUSE"))
    assert not is_opted_out(cast)


@pytest.mark.parametrize("subject", ["NoSubject", "Re: your appointment"])
def test_a_stop_in_a_picture_message_counts_beside_any_subject(cast: Cast, subject: str) -> None:
    fixture = FIXTURES["telnyx"]
    cast = move_front_desk(cast, fixture)
    event = build_event(fixture, "STOP")
    event["data"]["payload"] |= {"type": "MMS", "subject": subject}
    post_event(cast, fixture, event)
    assert is_opted_out(cast)
    body = Message.objects.latest("pk").body
    assert body == ("STOP" if subject == "NoSubject" else "Re: your appointment\nSTOP")


def test_a_carriers_word_is_a_plain_value_of_the_event() -> None:
    [text] = FIXTURES["telnyx"].carrier.parse(
        events.RawRequest(
            "POST",
            "/",
            {},
            json.dumps(build_event_with_word(FIXTURES["telnyx"], "x", "STOP")).encode(),
        )
    )
    assert isinstance(text, events.InboundText)
    assert text.keyword == "opt_out"
