"""Twilio's numbers: requests and answers held against Twilio's OpenAPI description and its SDK."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from messaging.carriers import numbers, results
from messaging.carriers.signalwire import SignalWire
from messaging.carriers.twilio import Twilio
from messaging.carriers.twilio_numbers import KEYS
from tests.messaging.carriers import test_twilio_openapi as openapi
from tests.messaging.carriers.number_far_ends import signalwire
from tests.messaging.carriers.number_far_ends.base import Request
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.twilio import ACCOUNT, TOKEN, TwilioNumbers

DESCRIPTION = json.loads((Path(__file__).with_name("openapi") / "twilio_numbers.json").read_text())
SCHEMAS = DESCRIPTION["components"]["schemas"]
OURS = "https://texts.example.com/webhooks/twilio/a-token/"
THEIRS = "https://hooks.example.net/sms"
ONE, TWO, CODE, TOLL_FREE = "+12025550110", "+12025550120", "12345", "+18005550199"


@pytest.fixture
def far_end() -> TwilioNumbers:
    return TwilioNumbers()


def open_directory(
    far_end: TwilioNumbers, client: httpx.Client | None = None
) -> numbers.Directory:
    credentials = {"account_sid": ACCOUNT, "auth_token": TOKEN}
    opened = Twilio().open_directory(credentials, client or client_of(far_end))
    assert isinstance(opened, numbers.Directory)
    return opened


def page_of(far_end: TwilioNumbers) -> dict[str, numbers.OfferedNumber]:
    page = open_directory(far_end).read_page()
    assert isinstance(page, numbers.Page)
    return {one.address: one for one in page.numbers}


def connect(far_end: TwilioNumbers, address: str) -> tuple[numbers.Step, ...]:
    directory = open_directory(far_end)
    steps = directory.plan(page_of(far_end)[address], OURS)
    for step in steps:
        assert isinstance(directory.apply(step), numbers.Applied)
    return steps


def test_every_request_and_every_field_is_described(
    far_end: TwilioNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read and change numbers of each kind, and check all that was sent and answered."""
    monkeypatch.setattr(openapi, "DESCRIPTION", DESCRIPTION)
    sent: list[tuple[httpx.Request, httpx.Response]] = []
    inner = client_of(far_end)
    hooks = {"response": [lambda response: sent.append((response.request, response))]}
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, url="https://other.example.org/")
    far_end.make_application(THEIRS, far_end.sid_of(TWO))
    far_end.add(CODE, url=THEIRS, state="waiting")
    far_end.add(TOLL_FREE, state="waiting")
    far_end.add("+12025550130", together_with=TOLL_FREE)
    far_end.add("+12025550131", state="waiting")
    inner.event_hooks = hooks
    directory = open_directory(far_end, inner)
    page = directory.read_page()
    assert isinstance(page, numbers.Page)
    for one in page.numbers:
        directory.read_number(one.address, one.carrier_id)
        for step in directory.plan(one, OURS):
            assert isinstance(directory.apply(step), numbers.Applied)
            directory.current(step)
    called = set()
    for request, response in sent:
        response.read()
        as_twilios = httpx.URL(str(request.url)).copy_with(host="api.twilio.com")
        checked = httpx.Request(
            request.method, as_twilios, headers=request.headers, content=request.content
        )
        described, _ = openapi.find_operation(checked)
        called.add(id(described))
        if request.method == "GET":
            openapi.check_request(checked)
        else:
            check_form(request, described)
        check_answer(response.json(), described)
    assert {request.method for request, _ in sent} == {"GET", "POST"}
    operations = [one for methods in DESCRIPTION["paths"].values() for one in methods.values()]
    assert called == {id(one) for one in operations}, "each operation of it is called"


def check_form(request: httpx.Request, described: dict[str, Any]) -> None:
    """Fail for a field that the description doesn't have. An empty one clears the value."""
    content = described["requestBody"]["content"][request.headers["content-type"]]
    for name, value in parse_qsl(request.content.decode(), keep_blank_values=True):
        schema = content["schema"]["properties"][name]
        if value:
            openapi.check_value(value, {"type": "string", **schema})


def check_answer(answer: dict[str, Any], described: dict[str, Any]) -> None:
    """Fail if our far end answers what the description doesn't have."""
    [response] = described["responses"].values()
    schema = response["content"]["application/json"]["schema"]
    compare(answer, schema)


def compare(value: Any, schema: dict[str, Any]) -> None:
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        assert value in schema["enum"]
    if isinstance(value, list):
        for one in value:
            compare(one, schema["items"])
    elif isinstance(value, dict) and schema.get("properties"):
        assert set(value) <= set(schema["properties"]), sorted(value)
        for name, one in value.items():
            if name != "meta":
                compare(one, schema["properties"][name])


def test_what_we_read_is_described() -> None:
    number = SCHEMAS["api.v2010.account.incoming_phone_number"]["properties"]
    service = SCHEMAS["messaging.v1.service"]["properties"]
    assert {"sid", "phone_number", "friendly_name", "capabilities", "type"} <= set(number)
    assert {"use_inbound_webhook_on_number", "us_app_to_person_registered"} <= set(service)
    assert set(KEYS.values()) <= set(number) | set(service)


class Recorder(HttpClient):  # type: ignore[misc]
    """Give the SDK's requests to the far end."""

    def __init__(self, far_end: TwilioNumbers) -> None:
        super().__init__(logging.getLogger("twilio"), False)
        self.client = client_of(far_end)

    def request(self, method: str, url: str, **more: Any) -> Response:
        answer = self.client.request(
            method, url, params=more.get("params"), data=more.get("data"), auth=more.get("auth")
        )
        return Response(answer.status_code, answer.text)


def test_our_changes_are_those_that_twilios_own_sdk_makes(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.make_application(THEIRS, far_end.sid_of(ONE))
    connect(far_end, ONE)
    ours = far_end.changes[-1]
    sdk = Client(ACCOUNT, TOKEN, http_client=Recorder(far_end))
    sid = far_end.sid_of(ONE)
    answer = sdk.incoming_phone_numbers(sid).update(sms_url=OURS, sms_application_sid="")
    theirs = far_end.changes[-1]
    assert (ours.method, ours.path, ours.form) == (theirs.method, theirs.path, theirs.form)
    assert (answer.sms_url, answer.phone_number) == (OURS, ONE)


def test_our_change_of_a_service_is_the_sdks(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.add(TWO, together_with=ONE)
    connect(far_end, ONE)
    ours = far_end.changes[-1]
    sdk = Client(ACCOUNT, TOKEN, http_client=Recorder(far_end))
    [service] = [sid for sid, one in far_end.services.items() if "With" in one["friendly_name"]]
    answer = sdk.messaging.v1.services(service).update(inbound_request_url=OURS)
    theirs = far_end.changes[-1]
    assert (ours.method, ours.path, ours.form) == (theirs.method, theirs.path, theirs.form)
    assert answer.inbound_request_url == OURS


def test_the_sdk_reads_the_same_numbers_and_services(far_end: TwilioNumbers) -> None:
    for address in (ONE, TWO, TOLL_FREE):
        far_end.add(address, url=THEIRS)
    sdk = Client(ACCOUNT, TOKEN, http_client=Recorder(far_end))
    listed = {one.phone_number: one for one in sdk.incoming_phone_numbers.list()}
    ours = page_of(far_end)
    assert set(listed) == set(ours)
    assert all(listed[one].sms_url == THEIRS for one in listed)
    assert [one.sid for one in sdk.messaging.v1.services.list()] == [*far_end.services]


def test_an_application_wins_over_the_numbers_own_address(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url=OURS)
    far_end.make_application(THEIRS, far_end.sid_of(ONE))
    route = page_of(far_end)[ONE].route
    assert route is not None
    assert (route.host, route.handler, route.handler_name) == (
        "hooks.example.net",
        "application",
        "An app",
    )
    assert not route.leads_to(OURS)


def test_a_service_wins_over_the_number_unless_it_leaves_it_to_it(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url=OURS)
    service = far_end.make_service("Front", url=THEIRS, takes_texts=True)
    far_end.put_into(service, far_end.sid_of(ONE))
    route = page_of(far_end)[ONE].route
    assert route is not None
    assert (route.handler, route.handler_name, route.host) == (
        "service",
        "Front",
        "hooks.example.net",
    )
    far_end.services[service]["use_inbound_webhook_on_number"] = True
    route = page_of(far_end)[ONE].route
    assert route is not None
    assert route.leads_to(OURS)


def test_a_service_without_an_address_drops_texts_and_says_so(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url=THEIRS)
    service = far_end.make_service("Front", url=None, takes_texts=True)
    far_end.put_into(service, far_end.sid_of(ONE))
    route = page_of(far_end)[ONE].route
    assert route is not None
    assert (route.url, route.words) == ("", "The messaging service drops them")


def test_a_number_with_twilios_example_address_is_free(far_end: TwilioNumbers) -> None:
    far_end.add(ONE, url="https://demo.twilio.com/welcome/sms/reply/")
    route = page_of(far_end)[ONE].route
    assert route is not None
    assert route.is_free


def test_a_next_page_at_another_host_is_not_followed(far_end: TwilioNumbers) -> None:
    far_end.add(ONE)

    def answer(request: httpx.Request) -> httpx.Response:
        read = Request.read(request.method, str(request.url), dict(request.headers), b"")
        body = json.loads(far_end.answer(read).body)
        if "next_page_uri" in body:
            body["next_page_uri"] = "https://evil.example.org/2010-04-01/more"
        return httpx.Response(200, json=body)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        page = open_directory(far_end, client).read_page()
    assert isinstance(page, numbers.Page)
    assert page.cursor == ""


def test_registrations_that_may_not_be_read_are_told_as_gaps(far_end: TwilioNumbers) -> None:
    far_end.add(TOLL_FREE)
    far_end.add(ONE, state="waiting")
    for path in ("Tollfree", "Usa2p"):
        far_end.fail("status", on="read", status=403, path=path)
    page = open_directory(far_end).read_page()
    assert isinstance(page, numbers.Page)
    assert [one.registration for one in page.numbers] == [None, None]
    assert len(page.gaps) == 2


def test_signalwires_relay_handlers_are_named_and_replaced() -> None:
    far_end = signalwire.SignalWireNumbers()
    far_end.add(ONE, url=OURS)
    far_end.let_relay_take(ONE, "sales")

    credentials = {
        "space": "example",
        "project_id": signalwire.PROJECT,
        "api_token": signalwire.TOKEN,
    }
    directory = SignalWire().open_directory(credentials, client_of(far_end))
    assert isinstance(directory, numbers.Directory)
    page = directory.read_page()
    assert isinstance(page, numbers.Page)
    [found] = page.numbers
    assert found.route is not None
    assert found.route.words == "A Relay topic takes them"
    [step] = directory.plan(found, OURS)
    assert [(one.name, one.now) for one in step.fields] == [("message_handler", "relay_topic")]
    assert isinstance(directory.apply(step), numbers.Applied)
    assert far_end.url_of(ONE) == OURS
    assert not isinstance(directory.apply(step.reversed()), results.Refused)
    assert far_end.url_of(ONE) == ""


def test_a_service_that_is_deleted_meanwhile_does_not_make_a_number_disappear(
    far_end: TwilioNumbers,
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.make_service("Gone", takes_texts=True)
    for _ in range(2):
        far_end.fail("status", on="read", status=404, path="/PhoneNumbers")
    read = open_directory(far_end).read_number(ONE, far_end.sid_of(ONE))
    assert isinstance(read, numbers.OfferedNumber)
    assert page_of(far_end)[ONE].route == read.route


def test_only_the_answer_for_the_number_itself_says_that_it_is_gone(
    far_end: TwilioNumbers,
) -> None:
    far_end.add(ONE, url=THEIRS)
    far_end.fail("status", on="read", status=404, path="/Services")
    read = open_directory(far_end).read_number(ONE, far_end.sid_of(ONE))
    assert isinstance(read, results.Refused)


def test_looking_at_a_number_ends_at_the_service_that_takes_its_texts(
    far_end: TwilioNumbers,
) -> None:
    far_end.add(ONE, state="missing")
    far_end.put_into(
        far_end.make_service("First", url=THEIRS, takes_texts=True), far_end.sid_of(ONE)
    )
    for at in range(30):
        far_end.make_service(f"Service {at}", takes_texts=at % 2 == 0)
    read = open_directory(far_end).read_number(ONE, far_end.sid_of(ONE))
    assert isinstance(read, numbers.OfferedNumber)
    assert len(far_end.requests) == 3
