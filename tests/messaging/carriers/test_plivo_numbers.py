"""Plivo's numbers: applications that route calls too, and its own SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import plivo  # type: ignore[import-untyped]
import pytest
import requests

from messaging.carriers import numbers, results
from messaging.carriers.numbers import Step
from tests.messaging.carriers.number_far_ends.plivo import AUTH_ID, PlivoNumbers
from tests.messaging.carriers.test_numbers import ONE, OURS, THEIRS, THREE, TWO, Account

CALLS = {
    "answer_url": "https://calls.example.net/answer",
    "hangup_url": "https://calls.example.net/",
}


@pytest.fixture
def account() -> Account:
    return Account("plivo", PlivoNumbers())


@pytest.fixture
def far_end(account: Account) -> PlivoNumbers:
    assert isinstance(account.far_end, PlivoNumbers)
    return account.far_end


def values(step: Step) -> dict[str, tuple[str, str]]:
    return {one.name: (one.now, one.will_be) for one in step.fields}


def test_the_application_of_one_number_is_changed(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    [step] = account.plan(ONE)
    assert values(step) == {"message_url": (THEIRS, OURS)}
    account.connect(ONE)
    assert json.loads(account.far_end.changes[-1].body) == {"message_url": OURS}


def test_an_application_in_use_by_others_is_left_alone_and_calls_go_where_they_went(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.application_of(ONE).update(CALLS | {"app_name": "Front desk"})
    account.connect(ONE)
    ours = far_end.application_of(ONE)
    assert (far_end.url_of(ONE), far_end.url_of(TWO)) == (OURS, THEIRS)
    assert ours["app_name"] == "Partyline-Front-desk"
    assert {name: ours[name] for name in CALLS} == CALLS
    assert account.plan(ONE) == ()


def test_an_application_without_a_message_url_is_used_and_its_other_numbers_are_named(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.application_of(ONE)["message_url"] = ""
    far_end.add(TWO, together_with=ONE)
    [step] = account.plan(ONE)
    assert (step.others, step.other_count) == ((TWO,), 1)


def test_in_an_account_too_large_to_know_who_shares_an_application_none_is_changed(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    for at in range(300):
        far_end.add(f"+120255{at:05}")
    page = account.open().read_page()
    assert isinstance(page, numbers.Page)
    assert page.cursor == "200"
    steps = account.open().plan(page.numbers[0], OURS)
    assert [step.resource for step in steps] == ["application", "number"]
    assert steps[0].resource_id == ""


def test_a_get_is_made_a_post(account: Account, far_end: PlivoNumbers) -> None:
    far_end.add(ONE, url=OURS)
    far_end.application_of(ONE)["message_method"] = "GET"
    [step] = account.plan(ONE)
    assert values(step) == {"message_method": ("GET", "POST")}


def test_an_application_that_was_made_without_an_answer_is_not_made_twice(
    account: Account, far_end: PlivoNumbers
) -> None:
    for address in (ONE, TWO, THREE):
        far_end.add(address)
    far_end.fail("reset")
    account.apply(account.plan(ONE))
    for address in (ONE, TWO, THREE):
        account.connect(address)
    assert len(far_end.applications) == 1


def test_a_number_that_had_no_application_is_taken_out_of_ours(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE)
    *_, last = account.connect(ONE)
    assert account.open().apply(last.reversed()) == numbers.Applied()
    assert json.loads(far_end.changes[-1].body) == {"app_id": ""}
    assert far_end.application_of(ONE) == {}


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_number_that_plivo_leaves_in_our_application_is_said_to_be_there_still(
    account: Account, far_end: PlivoNumbers, is_refused: bool
) -> None:
    far_end.add(ONE)
    *_, last = account.connect(ONE)
    far_end.can_unlink = False
    if is_refused:
        far_end.fail("status", status=400)
    undone = account.open().apply(last.reversed())
    assert isinstance(undone, results.Refused)
    assert "didn't take the number out of the application" in undone.detail


def test_an_application_is_ours_by_its_address_and_not_by_its_name(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.application_of(ONE)["app_name"] = "Partyline-of-somebody"
    assert [step.resource for step in account.plan(ONE)] == ["application", "number"]
    path = OURS.removeprefix("https://").partition("/")[2]
    far_end.application_of(ONE)["message_url"] = f"https://earlier.example.org/{path}"
    [step] = account.plan(ONE)
    assert (step.resource, step.others) == ("application", (TWO,))


def test_an_application_that_is_gone_takes_no_texts(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.applications.clear()
    route = account.find(ONE).route
    assert route is not None
    assert (route.url, route.is_free) == ("", True)


# The requests, beside those that Plivo's own SDK makes of the same


def by_sdk(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[plivo.RestClient], object]
) -> tuple[object, ...]:
    """Return what of the SDK's request the API looks at."""
    seen: list[requests.PreparedRequest] = []

    def send(_: object, request: requests.PreparedRequest, **more: object) -> requests.Response:
        seen.append(request)
        answer = requests.Response()
        answer.status_code = 202
        answer._content = b'{"objects": [], "meta": {}, "message": "changed"}'
        return answer

    monkeypatch.setattr(requests.Session, "send", send)
    call(plivo.RestClient(AUTH_ID, "the-auth-token"))
    [request] = seen
    parts = urlsplit(str(request.url))
    body = json.loads(str(request.body, "utf-8")) if request.method != "GET" else None  # type: ignore[arg-type]
    if body is not None:
        body.pop("number", None)  # The SDK puts the address's number into the body as well
    query = dict(parse_qsl(parts.query))
    return request.method, parts.path, query, body, request.headers["Authorization"]


def test_the_requests_are_those_of_plivos_own_sdk(
    account: Account, far_end: PlivoNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    account.connect(ONE)
    carrier_id = account.find(ONE).carrier_id
    account.read(ONE, carrier_id)
    app_id = far_end.application_of(ONE)["app_id"]
    ours = [
        (
            request.method,
            request.path,
            request.query,
            request.json if request.body else None,
            request.headers["authorization"],
        )
        for request in far_end.requests
    ]
    calls: list[Callable[[plivo.RestClient], object]] = [
        lambda c: c.numbers.list(limit=20, offset=0),
        lambda c: c.numbers.get(carrier_id),
        lambda c: c.numbers.update(carrier_id, app_id=app_id),
        lambda c: c.applications.list(limit=20, offset=0),
        lambda c: c.applications.get(app_id),
    ]
    for call in calls:
        assert by_sdk(monkeypatch, call) in ours


def test_a_new_application_has_no_field_that_plivos_own_sdk_does_not_send(
    account: Account, far_end: PlivoNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    far_end.application_of(ONE).update(CALLS)
    account.connect(ONE)
    [made] = [one for one in far_end.changes if one.path.endswith("/Application/")]
    sdk = by_sdk(
        monkeypatch,
        lambda c: c.applications.create(**{**CALLS, **made.json}),
    )
    assert (made.method, made.path) == sdk[:2]
    sent = sdk[3]
    assert isinstance(sent, dict)
    assert made.json.items() <= sent.items()


def test_only_the_answer_for_the_number_itself_says_that_it_is_gone(
    account: Account, far_end: PlivoNumbers
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.fail("status", on="read", status=404, path="/Number/", skip=1)
    assert isinstance(account.open().read_number(ONE, ONE[1:]), results.Refused)
