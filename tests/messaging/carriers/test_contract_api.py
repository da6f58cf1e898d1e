"""Tests of every carrier's API: what it may answer, or fail to answer, and what follows."""

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
from messaging.carriers.http import UNCLEAR
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import PUBLIC_URL, CarrierFixture, Refusal, unsigned

every_carrier = pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES.keys())
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = PUBLIC_URL


def mock_client(handler: Handler) -> httpx.Client:
    """Return a client that follows redirects, which an adapter must prevent."""
    return httpx.Client(transport=httpx.MockTransport(handler), follow_redirects=True)


def answer_with(status: int, answer: object, **headers: str) -> Handler:
    raw = answer if isinstance(answer, str) else json.dumps(answer)
    return lambda _: httpx.Response(status, text=raw, headers=headers)


def send(fixture: CarrierFixture, handler: Handler) -> results.SendResult:
    """Return the result of sending. Fail unless the carrier is called exactly once."""
    calls: list[httpx.Request] = []

    def record_call(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return handler(request)

    with mock_client(record_call) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert len(calls) == 1
    for private in (fixture.outgoing.recipient, fixture.outgoing.body):
        assert private not in repr(result)
    return result


@every_carrier
@pytest.mark.parametrize("media", [(), (f"{PUBLIC_URL}/m/1/?a=1&b=2", f"{PUBLIC_URL}/m/2/")])
def test_a_text_arrives_as_written(fixture: CarrierFixture, media: tuple[str, ...]) -> None:
    seen: list[httpx.Request] = []

    def accept(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer_with(*fixture.accepted)(request)

    outgoing = replace(fixture.outgoing, media_urls=media)
    with mock_client(accept) as http:
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
def test_every_refusal_has_its_documented_result(
    fixture: CarrierFixture, refusal: Refusal
) -> None:
    result = send(fixture, answer_with(refusal.status, refusal.answer))
    assert result == refusal.means
    assert not isinstance(result, results.Accepted)
    assert result.words == refusal.words
    assert not refusal.words or refusal.words not in repr(result)


@every_carrier
def test_every_carrier_has_a_rejection_and_an_authentication_error(
    fixture: CarrierFixture,
) -> None:
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
    ("header", "seconds"),
    [("7", 7.0), ("", None), ("soon", None), ("-1", 0.0), ("1e9", 3600.0), ("nan", None)],
)
def test_a_throttled_text_has_the_time_to_wait(
    fixture: CarrierFixture, header: str, seconds: float | None
) -> None:
    handler = answer_with(429, {"message": "slow down"}, **{"Retry-After": header})
    assert send(fixture, handler) == results.RateLimited(seconds)


THROTTLED = {
    "bandwidth": {"type": "max-message-queue-size-exceeded"},
    "plivo": {"error": "slow down"},  # It refuses without codes
    "signalwire": {"code": 20429},
    "simulator": {"code": "throttled"},
    "telnyx": {"errors": [{"code": "10011"}]},
    "twilio": {"code": 20429},
    "vonage": {"title": "1000"},
}


@every_carrier
@pytest.mark.parametrize("status", [200, 202, 408, 409, 425, 500, 502, 503, 504])
def test_a_throttled_text_that_may_have_been_taken_is_not_sent_again_by_itself(
    fixture: CarrierFixture, status: int
) -> None:
    result = send(fixture, answer_with(status, THROTTLED[fixture.name]))
    if status >= 500 and fixture.errors_are_not_sent:
        assert isinstance(result, results.NotSent)
    else:
        assert isinstance(result, results.OutcomeUnknown)


@every_carrier
def test_a_text_is_throttled_by_its_error_code_if_it_was_refused(fixture: CarrierFixture) -> None:
    if fixture.name != "plivo":
        result = send(fixture, answer_with(403, THROTTLED[fixture.name]))
        assert isinstance(result, results.RateLimited)


@every_carrier
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_the_carrier_leaves_the_text_unknown(
    fixture: CarrierFixture, status: int
) -> None:
    kind = results.NotSent if fixture.errors_are_not_sent else results.OutcomeUnknown
    assert isinstance(send(fixture, answer_with(status, {"error": "x"})), kind)


@every_carrier
@pytest.mark.parametrize("status", [408, 409, 425])
def test_a_refusal_that_may_mean_a_duplicate_leaves_the_text_unknown(
    fixture: CarrierFixture, status: int
) -> None:
    assert isinstance(send(fixture, answer_with(status, {"error": "x"})), results.OutcomeUnknown)


@every_carrier
@pytest.mark.parametrize("status", [400, 403, 408, 409, 422, 500, 503])
def test_a_refusal_with_a_known_error_code_is_judged_by_the_code_whatever_the_status(
    fixture: CarrierFixture, status: int
) -> None:
    judged = 0
    for refusal in fixture.refusals:
        means = refusal.means
        if isinstance(means, results.Rejected):
            if means.error_class == "other" or means.code == str(refusal.status):
                continue
        elif not isinstance(means, results.OptedOut):
            continue
        result = send(fixture, answer_with(status, refusal.answer))
        if status not in (400, 403, 422) and getattr(means, "error_class", "") in UNCLEAR:
            # Such trouble may have come after the text was taken.
            unclear = results.NotSent if fixture.errors_are_not_sent else results.OutcomeUnknown
            assert isinstance(result, unclear)
            continue
        detail = means.detail.replace(f" {refusal.status},", f" {status},")
        assert result == replace(means, detail=detail)
        judged += 1
    assert judged or fixture.name == "plivo"  # which refuses without codes


@every_carrier
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(fixture: CarrierFixture, status: int) -> None:
    handler = answer_with(status, "", Location="https://elsewhere.example.com/")
    assert isinstance(send(fixture, handler), results.OutcomeUnknown)


@every_carrier
@pytest.mark.parametrize("answer", ["<html>created", "", "[]", "null", '{"a": 1}', "[" * 9999])
def test_a_meaningless_answer_leaves_the_text_unknown(
    fixture: CarrierFixture, answer: str
) -> None:
    assert isinstance(
        send(fixture, answer_with(fixture.accepted[0], answer)), results.OutcomeUnknown
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
    """Return a function that puts a silent listening socket where the carrier's API should be."""
    opened: list[socket.socket] = []

    def open_socket(fixture: CarrierFixture) -> socket.socket:
        opened.append(socket.create_server(("127.0.0.1", 0)))
        address = f"http://127.0.0.1:{opened[-1].getsockname()[1]}"
        setattr(settings, fixture.api_setting, address)
        return opened[-1]

    yield open_socket
    for one in opened:
        one.close()


@every_carrier
def test_a_real_connection_without_an_answer_leaves_the_text_unknown(
    fixture: CarrierFixture, socket_at_the_carrier: Callable[[CarrierFixture], socket.socket]
) -> None:
    socket_at_the_carrier(fixture)
    with httpx.Client(timeout=0.2, trust_env=False) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert isinstance(result, results.OutcomeUnknown)


@every_carrier
def test_a_refused_connection_means_not_sent(
    fixture: CarrierFixture, socket_at_the_carrier: Callable[[CarrierFixture], socket.socket]
) -> None:
    socket_at_the_carrier(fixture).close()
    with httpx.Client(timeout=0.5, trust_env=False) as http:
        result = fixture.carrier.send(fixture.outgoing, fixture.credentials, http)
    assert isinstance(result, results.NotSent)


def fail_on_call(request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing may be called")


@every_carrier
def test_without_credentials_nothing_is_called(fixture: CarrierFixture) -> None:
    with mock_client(fail_on_call) as http:
        carrier, outgoing = fixture.carrier, fixture.outgoing
        assert isinstance(carrier.send(outgoing, {}, http), results.AuthFailed)
        if fixture.identity is not None:
            assert isinstance(carrier.identify({}, http), results.AuthFailed)
        if carrier.capabilities.can_look_up:
            assert isinstance(carrier.look_up(make_sought(fixture), {}, http), results.AuthFailed)
        if carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), {}, http)
            assert isinstance(listed, results.AuthFailed)


@every_carrier
@pytest.mark.parametrize("character", ["\u200b", "\u2013", "\n", "é"])
def test_a_key_with_an_impossible_character_is_an_authentication_error(
    fixture: CarrierFixture, character: str
) -> None:
    handler = answer_with(401, {"code": 20003})
    for name, stored in fixture.credentials.items():
        changed = replace(fixture, credentials={**fixture.credentials, name: stored + character})
        with mock_client(handler) as http:
            result = changed.carrier.send(changed.outgoing, changed.credentials, http)
        assert isinstance(result, results.AuthFailed)
        assert all(
            isinstance(answer, results.AuthFailed) for answer in ask_everything(changed, handler)
        )


@every_carrier
def test_the_repr_of_an_outgoing_text_contains_nothing_private(fixture: CarrierFixture) -> None:
    outgoing = replace(fixture.outgoing, media_urls=("https://texts.example.com/m/canary/",))
    for private in ("+1202", outgoing.body, outgoing.attempt_token, "texts.example.com"):
        assert private not in repr(outgoing)
        assert private not in repr(make_sought(fixture))


def make_sought(fixture: CarrierFixture) -> results.Sought:
    sent = fixture.outgoing
    return results.Sought(
        attempt_token=sent.attempt_token,
        sender=sent.sender,
        recipient=sent.recipient,
        body=sent.body,
        earliest=NOON,
        latest=NOON + timedelta(minutes=5),
    )


def ask_everything(fixture: CarrierFixture, handler: Handler) -> list[object]:
    """Return the results of each question that the carrier can be asked."""
    carrier, credentials = fixture.carrier, fixture.credentials
    with mock_client(handler) as http:
        answers: list[object] = []
        if carrier.capabilities.can_look_up:
            answers.append(carrier.look_up(make_sought(fixture), credentials, http))
        if carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), credentials, http)
            answers.append(listed)
        if fixture.identity is not None:
            answers.append(carrier.identify(credentials, http))
    return answers


@every_carrier
def test_a_question_with_refused_credentials_is_an_authentication_error(
    fixture: CarrierFixture,
) -> None:
    handler = answer_with(401, {"code": 20003})
    assert all(
        isinstance(answer, results.AuthFailed) for answer in ask_everything(fixture, handler)
    )


@every_carrier
@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, "{}"), (503, ""), (429, "{}"), (200, "<html>"), (200, "[]"), (404, "{}")],
)
def test_a_question_without_a_clear_answer_cannot_tell(
    fixture: CarrierFixture, status: int, answer: str
) -> None:
    handler = answer_with(status, answer)
    assert all(
        isinstance(answer, results.CannotTell) for answer in ask_everything(fixture, handler)
    )


@every_carrier
@pytest.mark.parametrize("status", [201, 404, 429, 500, 503])
def test_an_answer_other_than_200_cannot_tell_whatever_its_body(
    fixture: CarrierFixture, status: int
) -> None:
    empty: dict[str, Any] = {"messages": [], "objects": [], "data": [], "records": []}
    known = fixture.identity[0] if fixture.identity is not None else {}
    answer = empty | (known if isinstance(known, dict) else {})
    answers = ask_everything(fixture, answer_with(status, answer))
    assert all(isinstance(answer, results.CannotTell) for answer in answers)


@every_carrier
def test_a_question_follows_no_redirect(fixture: CarrierFixture) -> None:
    hosts = set()

    def redirect(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.com/"})

    assert all(
        isinstance(answer, results.CannotTell) for answer in ask_everything(fixture, redirect)
    )
    assert "elsewhere.example.com" not in hosts


@every_carrier
def test_a_question_over_a_broken_connection_cannot_tell(fixture: CarrierFixture) -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert all(
        isinstance(answer, results.CannotTell) for answer in ask_everything(fixture, break_off)
    )


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
def test_an_arbitrary_answer_finds_no_text(
    fixture: CarrierFixture, answer: dict[str, Any]
) -> None:
    for result in ask_everything(fixture, answer_with(200, answer)):
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
def test_a_carrier_without_lookups_cannot_tell(fixture: CarrierFixture) -> None:
    carrier, credentials = fixture.carrier, fixture.credentials
    with mock_client(fail_on_call) as http:
        if not carrier.capabilities.can_look_up:
            assert isinstance(
                carrier.look_up(make_sought(fixture), credentials, http), results.CannotTell
            )
        if not carrier.capabilities.can_list_inbound:
            listed = carrier.list_inbound("+12025550110", NOON, frozenset(), credentials, http)
            assert isinstance(listed, results.CannotTell)


@every_carrier
def test_the_carrier_identifies_our_account(fixture: CarrierFixture) -> None:
    if fixture.identity is None:
        return
    answer, identity = fixture.identity
    with mock_client(answer_with(200, answer)) as http:
        assert fixture.carrier.identify(fixture.credentials, http) == identity


@every_carrier
def test_pictures_are_fetched_from_the_carrier_and_credentials_go_nowhere_else(
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
def test_the_limits_are_plausible(fixture: CarrierFixture) -> None:
    limits = fixture.carrier.capabilities
    assert 160 <= limits.longest_text <= 5000
    assert 1 <= limits.media_count <= 20
    assert 100_000 <= limits.media_bytes <= 10_000_000
    assert "image/jpeg" in limits.media_types
    assert 0 < limits.segments_per_second <= 100
    assert fixture.carrier.rejection_status in (403, 503)
