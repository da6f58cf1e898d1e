"""Bandwidth's login: a token for an hour, fetched when it is needed, and never kept on disk."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx
import pytest

from messaging.carriers import bandwidth_login, results
from tests.messaging.carriers.fixtures.bandwidth import BANDWIDTH
from tests.messaging.carriers.test_contract_api import answer_with, mock_client

CREDENTIALS = dict(BANDWIDTH.credentials)
ACCEPTED = httpx.Response(202, json={"id": "m1"})


class Bandwidth:
    """Answer the login and the message, and keep what came."""

    def __init__(self, *logins: httpx.Response, message: httpx.Response = ACCEPTED) -> None:
        self.logins, self.message = list(logins), message
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/api/v1/oauth2/token":
            return self.logins.pop(0)
        return self.message

    @property
    def paths(self) -> list[str]:
        return [request.url.path.rpartition("/")[2] for request in self.requests]


def token(name: str = "t1", **more: object) -> httpx.Response:
    return httpx.Response(200, json={"access_token": name, "token_type": "Bearer", **more})


def send(far_end: Bandwidth, **credentials: str) -> results.SendResult:
    with mock_client(far_end) as client:
        return BANDWIDTH.carrier.send(BANDWIDTH.outgoing, CREDENTIALS | credentials, client)


@pytest.fixture(autouse=True)
def logged_out(logged_in_at_bandwidth: None) -> None:
    bandwidth_login.forget(CREDENTIALS)


def test_a_text_leaves_with_a_token_that_the_client_id_and_secret_bought() -> None:
    far_end = Bandwidth(token(expires_in=3600))
    assert isinstance(send(far_end), results.Accepted)
    login, text = far_end.requests
    assert str(login.url) == "https://api.bandwidth.com/api/v1/oauth2/token"
    assert parse_qs(login.content.decode()) == {"grant_type": ["client_credentials"]}
    sent = base64.b64decode(login.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "a-client:the-client-secret"
    assert text.headers["authorization"] == "Bearer t1"


def test_a_token_is_used_until_shortly_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(bandwidth_login, "time", SimpleNamespace(monotonic=lambda: now[0]))
    far_end = Bandwidth(token("t1", expires_in=3600), token("t2", expires_in=3600))
    for later in (0, 3500, 60):
        now[0] += later
        send(far_end)
    assert far_end.paths == ["token", "messages", "messages", "token", "messages"]
    assert far_end.requests[-1].headers["authorization"] == "Bearer t2"


def test_a_changed_secret_gets_a_token_of_its_own() -> None:
    far_end = Bandwidth(token("t1"), token("t2"))
    send(far_end)
    send(far_end, client_secret="a-new-one")
    assert far_end.paths == ["token", "messages", "token", "messages"]


@pytest.mark.parametrize(
    ("login", "kind"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), results.AuthFailed),
        (httpx.Response(400, json={"error": "invalid_client"}), results.AuthFailed),
        (httpx.Response(429, headers={"Retry-After": "7"}), results.RateLimited),
        (httpx.Response(500), results.NotSent),
        (httpx.Response(200, text="<html>"), results.NotSent),
        (httpx.Response(200, json={"access_token": "é"}), results.NotSent),
        (httpx.Response(302, headers={"Location": "https://elsewhere/"}), results.NotSent),
    ],
)
def test_a_login_that_fails_sends_nothing(login: httpx.Response, kind: type) -> None:
    far_end = Bandwidth(login)
    assert isinstance(send(far_end), kind)
    assert far_end.paths == ["token"]


def test_a_login_without_an_answer_sends_nothing_and_may_be_tried_again() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence")

    with mock_client(fail) as client:
        result = BANDWIDTH.carrier.send(BANDWIDTH.outgoing, CREDENTIALS, client)
    assert isinstance(result, results.NotSent)


def test_after_a_refused_token_the_next_text_logs_in_again() -> None:
    far_end = Bandwidth(token("t1"), token("t2"), message=httpx.Response(401))
    assert isinstance(send(far_end), results.AuthFailed)
    assert isinstance(send(far_end), results.AuthFailed)
    assert far_end.paths == ["token", "messages", "token", "messages"]


def test_an_account_with_the_name_and_password_of_an_older_api_user_still_sends() -> None:
    far_end = Bandwidth()
    older = {"client_id": "", "client_secret": "", "api_user": "sender", "api_password": "pw"}
    assert isinstance(send(far_end, **older), results.Accepted)
    [text] = far_end.requests
    assert text.headers["authorization"] == "Basic c2VuZGVyOnB3"


def test_a_question_that_could_not_log_in_cannot_tell() -> None:
    with mock_client(answer_with(503, "")) as client:
        answer = BANDWIDTH.carrier.identify(CREDENTIALS, client)
    assert isinstance(answer, results.CannotTell)


def test_a_picture_is_fetched_with_the_token() -> None:
    bandwidth_login.remember(CREDENTIALS, "t1")
    url = "https://messaging.bandwidth.com/api/v2/users/9900000/media/a.png"
    request = BANDWIDTH.carrier.media_request(url, CREDENTIALS)
    assert request.headers == {"authorization": "Bearer t1"}
    elsewhere = BANDWIDTH.carrier.media_request("https://elsewhere.example.com/a", CREDENTIALS)
    assert elsewhere.headers == {}
