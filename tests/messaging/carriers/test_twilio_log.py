"""Reading Twilio's and SignalWire's log, for lost outcomes and unseen inbound texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from messaging.carriers import events, results
from messaging.carriers.twilio_log import MAX_PAGES
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CarrierFixture

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OURS, THEIRS = "+12025550110", "+12025550177"
both = pytest.mark.parametrize(
    "fixture", [FIXTURES["twilio"], FIXTURES["signalwire"]], ids=["twilio", "signalwire"]
)


def outbound_record(sid: str, seconds: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an outbound Message of the log, created so long after noon."""
    record = {
        "sid": sid,
        "body": "Yes, until six.",
        "status": "delivered",
        "direction": "outbound-api",
        "from": OURS,
        "to": THEIRS,
        "num_media": "0",
        "error_code": None,
        "date_created": format_datetime(NOON + timedelta(seconds=seconds)),
        "date_sent": None,
    }
    return record | changes


def inbound_record(sid: str, seconds: int = 0, **changes: Any) -> dict[str, Any]:
    record = outbound_record(sid, seconds, direction="inbound", status="received")
    return record | {"from": THEIRS, "to": OURS} | changes


class LogServer:
    """Answer with pages of Messages, newest first, and record the requests."""

    def __init__(self, *pages: list[dict[str, Any]], media: object = None) -> None:
        self.pages = pages
        self.media = media
        self.urls: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(request.url)
        assert "authorization" in request.headers
        if request.url.path.endswith(("/Media", "/Media.json")):
            return httpx.Response(200, json=self.media)
        page = int(request.url.params.get("Page", "0"))
        following = f"{request.url.path}?Page={page + 1}" if page + 1 < len(self.pages) else None
        answer = {"messages": self.pages[page], "next_page_uri": following}
        return httpx.Response(200, json=answer)


def look_up(
    fixture: CarrierFixture, log: Callable[..., httpx.Response], **more: Any
) -> results.LookUpResult:
    sought: dict[str, Any] = {
        "attempt_token": "t",
        "sender": OURS,
        "recipient": THEIRS,
        "body": "Yes, until six.",
        "earliest": NOON,
        "latest": NOON + timedelta(minutes=1),
    }
    with httpx.Client(transport=httpx.MockTransport(log)) as http:
        return fixture.carrier.look_up(results.Sought(**sought | more), fixture.credentials, http)


def list_inbound(fixture: CarrierFixture, log: LogServer, *known: str) -> results.ListResult:
    with httpx.Client(transport=httpx.MockTransport(log)) as http:
        return fixture.carrier.list_inbound(
            OURS, NOON, frozenset(known), fixture.credentials, http
        )


@both
def test_a_text_in_the_log_is_found_with_its_state(fixture: CarrierFixture) -> None:
    log = LogServer(
        [
            outbound_record("SM2", 90),
            outbound_record("SM1", 5, status="undelivered", error_code=30005),
        ]
    )
    found = look_up(fixture, log)
    assert found == results.Found(events.Receipt("SM1", "failed", "30005", "bad_address"))
    [url] = log.urls
    assert (url.params["From"], url.params["To"]) == (OURS, THEIRS)
    assert "DateSent" not in str(url), "a text that waits there has none"


@both
@pytest.mark.parametrize(
    "other",
    [
        {"to": "+12025550178"},
        {"direction": "inbound"},
        {"date_created": format_datetime(NOON - timedelta(seconds=2))},
        {"date_created": format_datetime(NOON + timedelta(minutes=2))},
        {"sid": "SM-of-another-attempt"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_text_is_never_mistaken_for_it(
    fixture: CarrierFixture, other: dict[str, Any]
) -> None:
    log = LogServer([outbound_record("SM1", 5) | other])
    taken = frozenset({"SM-of-another-attempt"})
    assert look_up(fixture, log, not_these=taken) == results.NotFound()


@both
@pytest.mark.parametrize(
    "body",
    ["Sent from your Twilio trial account - Yes, until six.", "Yes; until six.", None],
    ids=["trial prefix", "smart encoding", "withheld"],
)
def test_another_text_of_the_same_time_cannot_tell(
    fixture: CarrierFixture, body: str | None
) -> None:
    log = LogServer([outbound_record("SM1", 5, body=body)])
    assert isinstance(look_up(fixture, log), results.CannotTell)
    assert look_up(fixture, log, not_these=frozenset({"SM1"})) == results.NotFound()
    log = LogServer([outbound_record("SM2", 20), outbound_record("SM1", 5, body=body)])
    assert look_up(fixture, log) == results.Found(events.Receipt("SM2", "delivered"))


@both
def test_of_two_equal_texts_the_older_is_found(fixture: CarrierFixture) -> None:
    log = LogServer([outbound_record("SM2", 20), outbound_record("SM1", 5)])
    assert look_up(fixture, log) == results.Found(events.Receipt("SM1", "delivered"))
    assert look_up(fixture, log, not_these=frozenset({"SM1"})) == results.Found(
        events.Receipt("SM2", "delivered")
    )


@both
def test_the_log_is_read_no_further_back_than_the_earliest_time(fixture: CarrierFixture) -> None:
    old = outbound_record("SM0", -3600)
    log = LogServer([outbound_record("SM9", 500)], [outbound_record("SM1", 5)], [old], [old])
    assert look_up(fixture, log) == results.Found(events.Receipt("SM1", "delivered"))
    assert len(log.urls) == 3
    assert {url.host for url in log.urls} == {log.urls[0].host}


@both
def test_a_log_that_is_too_long_cannot_tell(fixture: CarrierFixture) -> None:
    log = LogServer(*[[outbound_record(f"SM{page}", 500)] for page in range(MAX_PAGES + 5)])
    assert isinstance(look_up(fixture, log), results.CannotTell)
    assert len(log.urls) == MAX_PAGES


@both
@pytest.mark.parametrize("elsewhere", ["https://evil.example.com/x", "//evil.example.com/x"])
def test_credentials_never_go_to_another_host(fixture: CarrierFixture, elsewhere: str) -> None:
    hosts = set()

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        page = {"messages": [outbound_record("SM9", 500)], "next_page_uri": elsewhere}
        return httpx.Response(200, json=page)

    assert look_up(fixture, answer) == results.NotFound()
    assert len(hosts) == 1
    assert "evil.example.com" not in hosts


@both
def test_a_meaningless_page_cannot_tell(fixture: CarrierFixture) -> None:
    for broken in ({"sid": None}, {"date_created": "soon"}, {"date_created": None}):
        assert isinstance(
            look_up(fixture, LogServer([outbound_record("SM1") | broken])), results.CannotTell
        )


@both
def test_inbound_texts_are_listed_in_their_order(fixture: CarrierFixture) -> None:
    newer = inbound_record("SM2", 60, body="And on Monday?")
    log = LogServer(
        [newer, outbound_record("SM3", 30)], [inbound_record("SM1", 5), inbound_record("SM0", -5)]
    )
    result = list_inbound(fixture, log)
    assert isinstance(result, results.Listed)
    assert result.is_all
    assert [text.carrier_message_id for text in result.texts] == ["SM1", "SM2"]
    first, second = result.texts
    assert (first.sender, first.recipient, second.body) == (THEIRS, OURS, "And on Monday?")
    assert first.sent_at == NOON + timedelta(seconds=5)
    assert log.urls[0].params["To"] == OURS
    assert log.urls[0].params["DateSent>"] == "2026-11-22"


@both
def test_known_texts_are_left_out_and_their_pictures_are_not_requested(
    fixture: CarrierFixture,
) -> None:
    log = LogServer([inbound_record("SM1", 5, num_media="1")])
    assert list_inbound(fixture, log, "SM1") == results.Listed(())
    assert len(log.urls) == 1


@both
def test_inbound_pictures_are_listed(fixture: CarrierFixture) -> None:
    media = {"media_list": [{"sid": "ME1", "content_type": "image/jpeg"}, "?", {"sid": 5}]}
    log = LogServer([inbound_record("MM1", 5, num_media="1", body=None)], media=media)
    result = list_inbound(fixture, log)
    assert isinstance(result, results.Listed)
    [text] = result.texts
    url = str(log.urls[1]).removesuffix(".json") + "/ME1"
    assert text.media == (events.InboundMedia(url, "image/jpeg"),)
    request = fixture.carrier.media_request(url, fixture.credentials)
    assert "authorization" in request.headers


@both
def test_an_unreadable_text_does_not_hide_the_others(fixture: CarrierFixture) -> None:
    log = LogServer([inbound_record("SM2", 9, **{"from": "\x00"}), inbound_record("SM1", 5)])
    result = list_inbound(fixture, log)
    assert isinstance(result, results.Listed)
    assert not result.is_all
    assert [text.carrier_message_id for text in result.texts] == ["SM1"]


@both
def test_missing_pictures_hide_only_their_own_text(fixture: CarrierFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(("/MM1/Media", "/MM1/Media.json")):
            return httpx.Response(404)
        records = [
            inbound_record("SM2", 9),
            inbound_record("MM1", 5, num_media="1"),
            inbound_record("SM0", 1),
        ]
        return httpx.Response(200, json={"messages": records})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        result = fixture.carrier.list_inbound(OURS, NOON, frozenset(), fixture.credentials, http)
    assert isinstance(result, results.Listed)
    assert [text.carrier_message_id for text in result.texts] == ["SM0", "SM2"]
    assert not result.is_all


@both
def test_refused_pictures_stop_the_listing(fixture: CarrierFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(("/Media", "/Media.json")):
            return httpx.Response(401)
        return httpx.Response(200, json={"messages": [inbound_record("MM1", 5, num_media="1")]})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        result = fixture.carrier.list_inbound(OURS, NOON, frozenset(), fixture.credentials, http)
    assert isinstance(result, results.AuthFailed)
