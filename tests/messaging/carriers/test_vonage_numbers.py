"""Vonage's numbers: applications that do more than texts, the older SMS API, and its own SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from vonage_application import (  # type: ignore[import-untyped]
    Application,
    ApplicationConfig,
    ListApplicationsFilter,
)
from vonage_http_client import Auth, HttpClient  # type: ignore[import-untyped]
from vonage_numbers import (  # type: ignore[import-untyped]
    ListOwnedNumbersFilter,
    Numbers,
    UpdateNumberParams,
)

from messaging.carriers import numbers, results
from messaging.carriers.numbers import Step
from tests.messaging.carriers.number_far_ends.base import Request
from tests.messaging.carriers.number_far_ends.vonage import PUBLIC_KEY, VonageNumbers
from tests.messaging.carriers.test_numbers import ONE, OURS, THEIRS, TOLL_FREE, TWO, Account

VOICE = {
    "webhooks": {"answer_url": {"address": "https://calls.example.net/", "http_method": "GET"}}
}


@pytest.fixture
def account() -> Account:
    return Account("vonage", VonageNumbers())


@pytest.fixture
def far_end(account: Account) -> VonageNumbers:
    assert isinstance(account.far_end, VonageNumbers)
    return account.far_end


def values(step: Step) -> dict[str, tuple[str, str]]:
    return {one.name: (one.now, one.will_be) for one in step.fields}


def test_of_an_application_only_the_texts_are_changed(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.application_of(ONE)["capabilities"]["voice"] = VOICE
    [step] = account.connect(ONE)
    assert values(step) == {"inbound_url": (THEIRS, OURS), "status_url": (THEIRS, OURS)}
    now = far_end.application_of(ONE)
    assert now["capabilities"]["voice"] == VOICE
    assert now["capabilities"]["messages"]["webhooks"] == {
        "inbound_url": {"address": OURS, "http_method": "POST"},
        "status_url": {"address": OURS, "http_method": "POST"},
    }
    assert (now["name"], now["privacy"]) == (f"For {ONE}", {"improve_ai": False})
    assert now["keys"] == {"public_key": PUBLIC_KEY}


def test_an_application_for_texts_only_that_others_use_is_left_alone(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    account.connect(ONE)
    assert (far_end.url_of(ONE), far_end.url_of(TWO)) == (OURS, THEIRS)


def test_an_application_that_answers_calls_is_kept_and_its_other_numbers_are_named(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.application_of(ONE)["capabilities"]["voice"] = VOICE
    [step] = account.plan(ONE)
    assert (step.others, step.other_count) == ((TWO,), 1)


def test_an_application_without_texts_gets_them_and_loses_them_again(
    account: Account, far_end: VonageNumbers
) -> None:
    app_id = far_end.store({"name": "Calls", "capabilities": {"voice": VOICE}})
    far_end.add(ONE)
    far_end.numbers[ONE[1:]]["app_id"] = app_id
    [step] = account.connect(ONE)
    assert far_end.url_of(ONE) == OURS
    assert isinstance(account.open().apply(step.reversed()), numbers.Applied)
    assert far_end.applications[app_id]["capabilities"] == {"voice": VOICE}


def test_version_and_media_are_set_as_partyline_needs_them(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE, url=OURS)
    messages = far_end.application_of(ONE)["capabilities"]["messages"]
    messages |= {"version": "v0.1", "authenticate_inbound_media": True}
    [step] = account.connect(ONE)
    assert values(step) == {
        "version": ("v0.1", "v1"),
        "authenticate_inbound_media": ("on", "off"),
    }
    now = far_end.application_of(ONE)["capabilities"]["messages"]
    assert (now["version"], now["authenticate_inbound_media"]) == ("v1", False)


def test_a_number_of_the_older_sms_api_says_so_and_comes_over_with_its_calls(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE)
    forwarded = {"voiceCallbackType": "tel", "voiceCallbackValue": "12025550199"}
    far_end.numbers[ONE[1:]] |= {"moHttpUrl": THEIRS, **forwarded}
    route = account.find(ONE).route
    assert route is not None
    assert route.url == THEIRS
    assert route.words == "Texts now go to hooks.example.net by Vonage's older SMS API"
    *_, link = account.connect(ONE)
    now = far_end.numbers[ONE[1:]]
    assert far_end.url_of(ONE) == OURS
    assert forwarded.items() <= now.items()
    assert "moHttpUrl" not in now
    assert isinstance(account.open().apply(link.reversed()), numbers.Applied)
    now = far_end.numbers[ONE[1:]]
    assert now["moHttpUrl"] == THEIRS
    assert "app_id" not in now
    assert forwarded.items() <= now.items()


def test_an_application_that_was_made_without_an_answer_is_not_made_twice(
    account: Account, far_end: VonageNumbers
) -> None:
    for address in (ONE, TWO):
        far_end.add(address)
    far_end.fail("reset")
    account.apply(account.plan(ONE))
    for address in (ONE, TWO):
        account.connect(address)
    assert len(far_end.applications) == 1


def test_an_account_without_numbers_has_none(account: Account) -> None:
    page = account.open().read_page()
    assert isinstance(page, numbers.Page)
    assert (page.numbers, page.cursor) == ((), "")


def test_what_vonage_does_not_tell_is_said(account: Account) -> None:
    account.far_end.add(TOLL_FREE)
    page = account.open().read_page()
    assert isinstance(page, numbers.Page)
    setting, registration = page.gaps
    assert "Messages API" in setting
    assert "registered" in registration


def test_a_failure_inside_a_successful_answer_is_a_failure(
    account: Account, far_end: VonageNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE)
    _, link = account.plan(ONE)
    refused = far_end.refuse(420, {})
    monkeypatch.setattr(far_end, "_update", lambda _: type(refused)(200, refused.body))
    result = account.open().apply(link.with_made("78d335fa"))
    assert isinstance(result, results.Refused)
    assert result.code == "420"


def test_a_link_to_an_application_that_is_gone_counts_as_none(
    account: Account, far_end: VonageNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.applications.clear()
    route = account.find(ONE).route
    assert route is not None
    assert route.is_free
    account.connect(ONE)
    assert far_end.url_of(ONE) == OURS


# The requests, beside those that Vonage's own SDK makes of the same


def by_sdk(
    monkeypatch: pytest.MonkeyPatch, answer: object, call: Callable[[HttpClient], object]
) -> tuple[object, ...]:
    """Return what of the SDK's request the API looks at."""
    seen: list[requests.PreparedRequest] = []

    def send(_: object, request: requests.PreparedRequest, **more: object) -> requests.Response:
        seen.append(request)
        response = requests.Response()
        response.status_code = 200
        response.headers["content-type"] = "application/json"
        response._content = json.dumps(answer).encode()
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    call(HttpClient(Auth(api_key="abcd1234", api_secret="the-api-secret")))
    [request] = seen
    parts = urlsplit(str(request.url))
    raw = request.body or b""
    return (
        request.method,
        f"{parts.scheme}://{parts.netloc}{parts.path}",
        dict(parse_qsl(parts.query)),
        _body(raw.encode() if isinstance(raw, str) else bytes(raw)),  # type: ignore[arg-type]
        request.headers["Authorization"],
    )


def _body(raw: bytes) -> Any:
    if not raw:
        return None
    return json.loads(raw) if raw.startswith(b"{") else dict(parse_qsl(raw.decode()))


def shape(request: Request) -> tuple[object, ...]:
    url = f"https://{request.headers['host']}{request.path}"
    authorization = request.headers["authorization"]
    return request.method, url, request.query, _body(request.body), authorization


def test_the_requests_are_those_of_vonages_own_sdk(
    account: Account, far_end: VonageNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE)
    account.connect(ONE)
    app_id = far_end.numbers[ONE[1:]]["app_id"]
    application = far_end.applications[app_id]
    account.read(ONE, ONE[1:])
    ours = [shape(request) for request in far_end.requests]
    some: dict[str, Any] = {"name": "x", "id": "y", "keys": {"public_key": "z"}}
    listed = {
        "page_size": 100,
        "page": 1,
        "total_items": 0,
        "total_pages": 1,
        "_embedded": {"applications": []},
        "_links": {"self": {"href": "x"}},
    }
    made = ApplicationConfig(
        name="Partyline",
        capabilities={"messages": application["capabilities"]["messages"]},
    )
    update = UpdateNumberParams(country="US", msisdn=ONE[1:], app_id=app_id)
    calls: list[tuple[object, Callable[[HttpClient], object]]] = [
        ({}, lambda c: Numbers(c).list_owned_numbers(ListOwnedNumbersFilter(size=100, index=1))),
        (
            {},
            lambda c: Numbers(c).list_owned_numbers(
                ListOwnedNumbersFilter(pattern=ONE[1:], search_pattern=0, size=10, index=1)
            ),
        ),
        (
            {},
            lambda c: Numbers(c).list_owned_numbers(
                ListOwnedNumbersFilter(application_id=app_id, size=21, index=1)
            ),
        ),
        ({"error-code": "200"}, lambda c: Numbers(c).update_number(update)),
        (
            listed,
            lambda c: Application(c).list_applications(
                ListApplicationsFilter(page_size=100, page=1)
            ),
        ),
        (some, lambda c: Application(c).create_application(made)),
        (some, lambda c: Application(c).get_application(app_id)),
    ]
    for answer, call in calls:
        assert by_sdk(monkeypatch, answer, call) in ours


def test_an_updated_application_is_written_as_vonages_own_sdk_does(
    account: Account, far_end: VonageNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE, url=THEIRS)
    account.connect(ONE)
    [ours] = [shape(request) for request in far_end.changes]
    application = far_end.application_of(ONE)
    given = {name: application[name] for name in ("name", "capabilities", "privacy", "keys")}
    config = ApplicationConfig(**given)
    some = {"name": "x", "id": "y", "keys": {"public_key": "z"}}
    sdk = by_sdk(
        monkeypatch, some, lambda c: Application(c).update_application(application["id"], config)
    )
    assert ours == sdk
