"""Requests to Twilio's API, checked against Twilio's own OpenAPI description (see openapi/)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from messaging.carriers import results
from messaging.carriers.twilio import STATES
from tests.messaging.carriers.fixtures.twilio import TWILIO

DESCRIPTION = json.loads(
    (Path(__file__).with_name("openapi") / "twilio_api_v2010.json").read_text()
)
SCHEMAS = DESCRIPTION["components"]["schemas"]
MESSAGE = SCHEMAS["api.v2010.account.message"]["properties"]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG = replace(TWILIO.outgoing, media_urls=("https://texts.example.com/m/1/?a=1&b=2",) * 2)


def find_operation(request: httpx.Request) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the described operation and the parts of its path. Fail if there is none."""
    assert request.url.host == "api.twilio.com"
    for template, methods in DESCRIPTION["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        if found := re.fullmatch(pattern, request.url.path):
            return methods[request.method.lower()], found.groupdict()
    raise AssertionError(f"{request.url.path} is not described")


def check_request(request: httpx.Request) -> None:
    """Fail for anything in a request that the description does not allow."""
    described, parts = find_operation(request)
    parameters = {one["name"]: one for one in described.get("parameters", ())}
    query = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
    for name, value in {**parts, **query}.items():
        check_value(value, parameters[name]["schema"])
    required = {name for name, one in parameters.items() if one.get("required")}
    assert required <= set(parts) | set(query)
    if request.method == "POST":
        check_form(request, described["requestBody"]["content"])


def check_form(request: httpx.Request, content: dict[str, Any]) -> None:
    schema = content[request.headers["content-type"]]["schema"]
    pairs = parse_qsl(request.content.decode(), keep_blank_values=True)
    assert set(schema["required"]) <= {name for name, _ in pairs}
    for name in {name for name, _ in pairs}:
        values = [value for key, value in pairs if key == name]
        described = schema["properties"][name]
        if described["type"] == "array":
            described = described["items"]
        else:
            assert len(values) == 1
        for value in values:
            check_value(value, described)


def check_value(value: str, schema: dict[str, Any]) -> None:
    if schema["type"] == "integer":
        number = int(value)
        assert schema.get("minimum", number) <= number <= schema.get("maximum", number)
        return
    assert schema["type"] == "string"
    assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    assert re.search(schema.get("pattern", ""), value)
    match schema.get("format"):
        case "uri":
            assert httpx.URL(value).scheme == "https"
        case "phone-number":
            assert re.fullmatch(r"\+[1-9]\d{6,14}|\d{3,8}", value)
        case "date-time":
            datetime.fromisoformat(value)


@pytest.mark.parametrize("outgoing", [TWILIO.outgoing, LONG], ids=["text", "pictures"])
def test_sending_is_as_described(outgoing: results.Outgoing) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(201, json={"sid": TWILIO.accepted_id})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        TWILIO.carrier.send(outgoing, TWILIO.credentials, http)
    [request] = requests
    check_request(request)


def test_lookups_are_as_described() -> None:
    requests: list[httpx.Request] = []
    inbound = {
        "sid": "MM" + "1" * 32,
        "date_created": "Sun, 22 Nov 2026 12:00:00 +0000",
        "direction": "inbound",
        "from": "+12025550177",
        "to": "+12025550110",
        "num_media": "1",
    }

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"messages": [inbound]})

    sent = TWILIO.outgoing
    sought = results.Sought(
        "", sent.sender, sent.recipient, "x", NOON, NOON + timedelta(minutes=5)
    )
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        TWILIO.carrier.look_up(sought, TWILIO.credentials, http)
        TWILIO.carrier.list_inbound(sent.sender, NOON, frozenset(), TWILIO.credentials, http)
        assert not isinstance(
            TWILIO.carrier.identify(TWILIO.credentials, http), results.CannotTell
        )
    assert len(requests) == 4
    for request in requests:
        check_request(request)


def test_a_request_that_is_not_described_fails_the_check() -> None:
    url = f"https://api.twilio.com{TWILIO.send_path}"
    for form in ({"Body": "x"}, {"To": "x", "Body": "x"}, {"To": "+12025550177", "Bodi": "x"}):
        with pytest.raises((AssertionError, KeyError)):
            check_request(httpx.Request("POST", url, data=form))


def test_every_status_that_is_described_has_a_state() -> None:
    of_inbound = {"received", "receiving"}
    assert set(SCHEMAS["message_enum_status"]["enum"]) - of_inbound == set(STATES)


def test_what_we_read_of_a_message_is_described() -> None:
    read = {
        "sid",
        "status",
        "error_code",
        "direction",
        "from",
        "to",
        "body",
        "num_media",
        "date_created",
        "date_sent",
    }
    assert read <= set(MESSAGE)
    assert MESSAGE["date_created"]["format"] == "date-time-rfc-2822"
    assert {"inbound", "outbound-api"} <= set(SCHEMAS["message_enum_direction"]["enum"])
