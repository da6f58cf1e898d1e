"""What every carrier's API may answer, or not answer, and what we make of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from messaging.carriers import events, results
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import PUBLIC_URL, CarrierFixture, Refusal, unsigned

every_carrier = pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES.keys())
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = PUBLIC_URL


def client(handler: Handler) -> httpx.Client:
    """Following redirects is what an adapter must forbid by itself."""
    return httpx.Client(transport=httpx.MockTransport(handler), follow_redirects=True)


def answering(status: int, answer: object, **headers: str) -> Handler:
    raw = answer if isinstance(answer, str) else json.dumps(answer)
    return lambda _: httpx.Response(status, text=raw, headers=headers)


def send(fixture: CarrierFixture, handler: Handler) -> results.SendResult:
    """The result of sending once; however it ends, the carrier is asked once."""
    calls: list[httpx.Request] = []

    def once(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return handler(request)

    with client(once) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert len(calls) == 1
    for private in (fixture.outgoing.recipient, fixture.outgoing.body):
        assert private not in repr(result)
    return result


@every_carrier
@pytest.mark.parametrize("media", [(), (f"{PUBLIC_URL}/m/1/?a=1&b=2", f"{PUBLIC_URL}/m/2/")])
def test_a_text_arrives_as_written(fixture: CarrierFixture, media: tuple[str, ...]) -> None:
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answering(*fixture.accepted)(request)

    outgoing = replace(fixture.outgoing, media_urls=media)
    with client(take) as http:
        result = fixture.carrier.send(outgoing, fixture.credentials, http)
    assert result == results.Accepted(fixture.accepted_id)
    [request] = seen
    assert (request.method, request.url.path) == ("POST", fixture.send_path)
    assert request.url.scheme == "https"
    assert "authorization" in request.headers
    assert fixture.read_sent(request) == outgoing


REFUSALS = [(fixture, refusal) for fixture in FIXTURES.values() for refusal in fixture.refusals]


@pytest.mark.parametrize(
    ("fixture", "refusal"),
    REFUSALS,
    ids=[f"{fixture.name}-{refusal.means!r}" for fixture, refusal in REFUSALS],
)
def test_every_refusal_has_its_meaning(fixture: CarrierFixture, refusal: Refusal) -> None:
    assert send(fixture, answering(refusal.status, refusal.answer)) == refusal.means


@every_carrier
def test_the_refusals_show_what_is_refused_for_good_and_for_whom(fixture: CarrierFixture) -> None:
    kinds = {type(refusal.means) for refusal in fixture.refusals}
    assert {results.Rejected, results.AuthFailed} <= kinds
    classes = {
        refusal.means.error_class
        for refusal in fixture.refusals
        if isinstance(refusal.means, results.Rejected)
    }
    assert classes <= set(events.REASONS)


@every_carrier
@pytest.mark.parametrize(
    ("given_", "seconds"),
    [("7", 7.0), ("", None), ("soon", None), ("-1", 0.0), ("1e9", 3600.0), ("nan", None)],
)
def test_a_throttled_text_says_when_to_try_again(
    fixture: CarrierFixture, given_: str, seconds: float | None
) -> None:
    handler = answering(429, {"message": "slow down"}, **{"Retry-After": given_})
    assert send(fixture, handler) == results.RateLimited(seconds)


@every_carrier
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_at_the_carrier_leaves_the_text_unknown(
    fixture: CarrierFixture, status: int
) -> None:
    kind = results.NotSent if fixture.errors_are_not_sent else results.OutcomeUnknown
    assert isinstance(send(fixture, answering(status, {"error": "x"})), kind)


@every_carrier
@pytest.mark.parametrize("status", [408, 409, 425])
def test_a_refusal_that_may_be_of_a_second_text_leaves_it_unknown(
    fixture: CarrierFixture, status: int
) -> None:
    assert isinstance(send(fixture, answering(status, {"error": "x"})), results.OutcomeUnknown)


@every_carrier
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(fixture: CarrierFixture, status: int) -> None:
    handler = answering(status, "", Location="https://elsewhere.example.com/")
    assert isinstance(send(fixture, handler), results.OutcomeUnknown)


@every_carrier
@pytest.mark.parametrize("answer", ["<html>created", "", "[]", "null", '{"a": 1}', "[" * 9999])
def test_an_answer_without_sense_leaves_the_text_unknown(
    fixture: CarrierFixture, answer: str
) -> None:
    assert isinstance(
        send(fixture, answering(fixture.accepted[0], answer)), results.OutcomeUnknown
    )


@every_carrier
@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_silence_after_the_request_leaves_the_text_unknown(
    fixture: CarrierFixture, error: type[httpx.RequestError]
) -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise error(f"broke at {request.url}")

    assert isinstance(send(fixture, break_off), results.OutcomeUnknown)


@pytest.fixture
def socket_at_the_carrier(
    settings: Settings,
) -> Iterator[Callable[[CarrierFixture], socket.socket]]:
    """A listening socket that never answers, where the carrier's API is thought to be."""
    opened: list[socket.socket] = []

    def listen(fixture: CarrierFixture) -> socket.socket:
        opened.append(socket.create_server(("127.0.0.1", 0)))
        address = f"http://127.0.0.1:{opened[-1].getsockname()[1]}"
        setattr(settings, fixture.api_setting, address)
        return opened[-1]

    yield listen
    for one in opened:
        one.close()


@every_carrier
def test_a_real_connection_that_falls_silent_leaves_the_text_unknown(
    fixture: CarrierFixture, socket_at_the_carrier: Callable[[CarrierFixture], socket.socket]
) -> None:
    socket_at_the_carrier(fixture)
    with httpx.Client(timeout=0.2, trust_env=False) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert isinstance(result, results.OutcomeUnknown)


@every_carrier
def test_nobody_listening_is_surely_not_sent(
    fixture: CarrierFixture, socket_at_the_carrier: Callable[[CarrierFixture], socket.socket]
) -> None:
    socket_at_the_carrier(fixture).close()
    with httpx.Client(timeout=0.5, trust_env=False) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert isinstance(result, results.NotSent)


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing may be called")


@every_carrier
def test_without_credentials_nothing_is_called(fixture: CarrierFixture) -> None:
    with client(never) as http:
        carrier, outgoing = fixture.carrier, fixture.outgoing
        assert isinstance(carrier.send(outgoing, {}, http), results.AuthFailed)
        if fixture.identity is not None:
            assert isinstance(carrier.identify({}, http), results.AuthFailed)
        if carrier.capabilities.can_look_up:
            assert isinstance(carrier.look_up(sought(fixture), {}, http), results.AuthFailed)
        if carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), {}, http)
            assert isinstance(listed, results.AuthFailed)


@every_carrier
@pytest.mark.parametrize("character", ["\u200b", "\u2013", "\n", "é"])
def test_a_key_with_a_character_that_no_key_has_is_refused_in_plain_words(
    fixture: CarrierFixture, character: str
) -> None:
    handler = answering(401, {"code": 20003})
    for name, stored in fixture.credentials.items():
        spoilt = replace(fixture, credentials={**fixture.credentials, name: stored + character})
        with client(handler) as http:
            result = spoilt.carrier.send(spoilt.outgoing, spoilt.credentials, http)
        assert isinstance(result, results.AuthFailed)
        assert all(isinstance(answer, results.AuthFailed) for answer in questions(spoilt, handler))


@every_carrier
def test_nothing_private_stands_in_the_repr_of_what_goes_out(fixture: CarrierFixture) -> None:
    outgoing = replace(fixture.outgoing, media_urls=("https://texts.example.com/m/canary/",))
    for private in ("+1202", outgoing.body, outgoing.attempt_token, "texts.example.com"):
        assert private not in repr(outgoing)
        assert private not in repr(sought(fixture))


def sought(fixture: CarrierFixture) -> results.Sought:
    sent = fixture.outgoing
    return results.Sought(
        attempt_token=sent.attempt_token,
        sender=sent.sender,
        recipient=sent.recipient,
        body=sent.body,
        earliest=NOON,
        latest=NOON + timedelta(minutes=5),
    )


def questions(fixture: CarrierFixture, handler: Handler) -> list[object]:
    """What comes of each question that the carrier can be asked."""
    carrier, credentials = fixture.carrier, fixture.credentials
    with client(handler) as http:
        answers: list[object] = []
        if carrier.capabilities.can_look_up:
            answers.append(carrier.look_up(sought(fixture), credentials, http))
        if carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), credentials, http)
            answers.append(listed)
        if fixture.identity is not None:
            answers.append(carrier.identify(credentials, http))
    return answers


@every_carrier
def test_questions_with_credentials_that_are_refused_say_so(fixture: CarrierFixture) -> None:
    handler = answering(401, {"code": 20003})
    assert all(isinstance(answer, results.AuthFailed) for answer in questions(fixture, handler))


@every_carrier
@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, "{}"), (503, ""), (429, "{}"), (200, "<html>"), (200, "[]"), (404, "{}")],
)
def test_questions_without_a_clear_answer_settle_nothing(
    fixture: CarrierFixture, status: int, answer: str
) -> None:
    handler = answering(status, answer)
    assert all(isinstance(answer, results.CannotTell) for answer in questions(fixture, handler))


@every_carrier
@pytest.mark.parametrize("status", [201, 404, 429, 500, 503])
def test_an_answer_that_is_no_success_settles_nothing_whatever_it_says(
    fixture: CarrierFixture, status: int
) -> None:
    empty: dict[str, Any] = {"messages": [], "objects": [], "data": [], "records": []}
    known = fixture.identity[0] if fixture.identity is not None else {}
    told = empty | (known if isinstance(known, dict) else {})
    asked = questions(fixture, answering(status, told))
    assert all(isinstance(answer, results.CannotTell) for answer in asked)


@every_carrier
def test_questions_follow_no_redirect(fixture: CarrierFixture) -> None:
    hosts = set()

    def redirect(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.com/"})

    assert all(isinstance(answer, results.CannotTell) for answer in questions(fixture, redirect))
    assert "elsewhere.example.com" not in hosts


@every_carrier
def test_questions_over_a_broken_line_settle_nothing(fixture: CarrierFixture) -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert all(isinstance(answer, results.CannotTell) for answer in questions(fixture, break_off))


NAMES = st.sampled_from(
    [
        "messages",
        "data",
        "objects",
        "meta",
        "records",
        "sid",
        "id",
        "date_created",
        "next_page_uri",
    ]
)
ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@every_carrier
@given(answer=st.dictionaries(NAMES, ANSWERS, max_size=4))
@examples(max_examples=50, deadline=None)
def test_no_answer_to_a_question_finds_a_text_that_is_not_in_it(
    fixture: CarrierFixture, answer: dict[str, Any]
) -> None:
    for result in questions(fixture, answering(200, answer)):
        assert isinstance(
            result,
            results.NotFound
            | results.CannotTell
            | results.AuthFailed
            | results.Listed
            | results.Identity,
        )
        assert not isinstance(result, results.Found)
        assert not isinstance(result, results.Listed) or result.texts == ()


@every_carrier
def test_a_carrier_that_cannot_be_asked_says_so(fixture: CarrierFixture) -> None:
    carrier, credentials = fixture.carrier, fixture.credentials
    with client(never) as http:
        if not carrier.capabilities.can_look_up:
            assert isinstance(
                carrier.look_up(sought(fixture), credentials, http), results.CannotTell
            )
        if not carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), credentials, http)
            assert isinstance(listed, results.CannotTell)


@every_carrier
def test_the_carrier_says_who_we_are(fixture: CarrierFixture) -> None:
    if fixture.identity is None:
        return
    answer, identity = fixture.identity
    with client(answering(200, answer)) as http:
        assert fixture.carrier.identify(fixture.credentials, http) == identity


@every_carrier
def test_pictures_are_fetched_from_the_carrier_and_logins_go_nowhere_else(
    fixture: CarrierFixture,
) -> None:
    media = [
        medium
        for file in fixture.payloads()
        for event in fixture.carrier.parse(unsigned(file))
        if isinstance(event, events.InboundText)
        for medium in event.media
    ]
    for medium in media:
        request = fixture.carrier.media_request(medium.url, fixture.credentials)
        host = httpx.URL(medium.url).host
        assert any(host == one or (one[:1] == "." and host.endswith(one)) for one in request.hosts)
        assert medium.url not in repr(request)
        for header in request.headers.values():
            assert header not in repr(request)
    for elsewhere in ("https://evil.example.com/a.jpg", "https://[::1/", "x", ""):
        request = fixture.carrier.media_request(elsewhere, fixture.credentials)
        assert request.headers == {}


@every_carrier
def test_the_limits_make_sense(fixture: CarrierFixture) -> None:
    limits = fixture.carrier.capabilities
    assert 160 <= limits.longest_text <= 5000
    assert 1 <= limits.media_count <= 20
    assert 100_000 <= limits.media_bytes <= 10_000_000
    assert "image/jpeg" in limits.media_types
    assert 0 < limits.segments_per_second <= 100
    assert fixture.carrier.rejection_status in (403, 503)
