"""Whatever a carrier answers about its numbers ends in a result, and never in an error of ours."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from messaging.carriers import get_carrier, numbers
from messaging.carriers.numbers import FieldChange, OfferedNumber, Step
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.serve import FAR_ENDS
from tests.messaging.carriers.test_numbers import CREDENTIALS, ONE, OURS, THEIRS

every_carrier = pytest.mark.parametrize("name", sorted(FAR_ENDS))

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", ONE, [], {}, [None], [[]], ["x"], {"id": None}]
)


def ask_everything(name: str, client: httpx.Client) -> None:
    """Ask and change everything; fail by whatever is raised."""
    carrier = get_carrier(name)
    steps = [
        Step(resource, resource_id, "x", (FieldChange(field, field, "", "y"),))
        for resource, resource_id, field in STEPS[name]
    ]

    def opened() -> numbers.Directory:
        directory = carrier.open_directory(CREDENTIALS[name], client)
        assert isinstance(directory, numbers.Directory)
        return directory

    page = opened().read_page()
    found = [*page.numbers] if isinstance(page, numbers.Page) else []
    carrier_id = found[0].carrier_id if found else "12025550110"
    read = opened().read_number(ONE, carrier_id, with_registration=True)
    found += [read] if isinstance(read, OfferedNumber) else []
    for one in found:
        opened().plan(one, OURS)
        assert OfferedNumber.read(json.loads(json.dumps(one.as_values()))) == one
    for step in steps:
        opened().current(step)
        opened().apply(step)


STEPS = {
    "bandwidth": [
        ("application", "app-ours", "InboundCallbackUrl"),
        ("location", "482/500018", "HttpMessagingV2AppId"),
    ],
    "plivo": [
        ("application", "1", "message_url"),
        ("application", "", "app_name"),
        ("number", "12025550110", "app_id"),
    ],
    "signalwire": [("number", "PN1", "SmsUrl")],
    "telnyx": [
        ("profile", "1", "webhook_url"),
        ("number", "1", "messaging_profile_id"),
        ("short_code", "1", "messaging_profile_id"),
    ],
    "twilio": [("number", "PN1", "SmsUrl"), ("service", "MG1", "InboundRequestUrl")],
    "vonage": [("application", "1", "inbound_url"), ("number", "12025550110", "app_id")],
}


def spoil(value: Any, path: list[int], odd: Any) -> Any:
    """Return the value with one part of it, that the path leads to, replaced by an odd one."""
    if not path or not isinstance(value, dict | list) or not value:
        return odd
    if isinstance(value, dict):
        names = sorted(value)
        chosen = names[path[0] % len(names)]
        return {**value, chosen: spoil(value[chosen], path[1:], odd)}
    at = path[0] % len(value)
    return [*value[:at], spoil(value[at], path[1:], odd), *value[at + 1 :]]


@every_carrier
@given(path=st.lists(st.integers(0, 30), min_size=1, max_size=6), odd=ODD, which=st.integers(0, 5))
@examples(max_examples=30, deadline=None)
def test_one_odd_part_of_an_answer_ends_in_a_result(
    name: str, path: list[int], odd: Any, which: int
) -> None:
    far_end = FAR_ENDS[name]()
    far_end.add(ONE, url=THEIRS)
    far_end.add("+18005550199")
    calls = [0]
    client = client_of(far_end)
    answer = far_end.answer

    def spoilt(request: Any) -> Any:
        try:
            told = answer(request)
        except (KeyError, ValueError, AssertionError):  # asked for what an odd answer named
            return far_end.refuse(404, {})
        calls[0] += 1
        if (calls[0] - 1) % 6 != which or request.path.endswith("/token"):
            return told
        if told.body.startswith(b"{"):
            return type(told).of(spoil(json.loads(told.body), path, odd), told.status)
        text = told.body.decode()
        at = path[0] * len(text) // 31
        return type(told)(
            told.status, (text[:at] + str(odd) + text[at + 1 :]).encode(), told.headers
        )

    far_end.answer = spoilt  # type: ignore[method-assign]
    ask_everything(name, client)


KEYS = st.sampled_from(
    [
        *("data", "meta", "id", "phone_number", "features", "sms", "records", "objects", "number"),
        *("application", "numbers", "msisdn", "count", "_embedded", "applications", "services"),
        *("capabilities", "messages", "webhooks", "inbound_url", "incoming_phone_numbers", "sid"),
        *("next_page_uri", "SitesResponse", "Sites", "Site", "Id", "SipPeers", "FullNumber"),
    ]
)
ANY = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@every_carrier
@given(answer=st.dictionaries(KEYS, ANY, max_size=5))
@examples(max_examples=30, deadline=None)
def test_an_arbitrary_answer_ends_in_a_result(name: str, answer: dict[str, Any]) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        if name == "bandwidth":
            return httpx.Response(200, text=as_xml(answer))
        return httpx.Response(200, json=answer)

    ask_everything(name, httpx.Client(transport=httpx.MockTransport(reply)))


def as_xml(value: Any, tag: str = "Response") -> str:
    match value:
        case dict():
            inner = "".join(as_xml(one, name) for name, one in value.items())
        case list():
            return "".join(as_xml(one, tag) for one in value)
        case _:
            inner = escape(str(value))
    return f"<{tag}>{inner}</{tag}>"
