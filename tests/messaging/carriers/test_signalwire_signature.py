"""SignalWire's two ways to sign, under its own header or Twilio's, as its SDK accepts them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode

import pytest

from messaging.carriers import events
from messaging.carriers.signalwire import SignalWire

KEY = "PSK_a-signing-key-of-the-tests"
PUBLIC_URL = "https://texts.example.com"
PATH = "/webhooks/signalwire/an-account-token/"
FORM = urlencode({"MessageSid": "0a059168", "Body": "Yes, it is 📦", "From": "+12025550177"})
JSON = '{"MessageSid": "0a059168", "Body": "Yes, it is 📦"}'
HEADERS = ["x-signalwire-signature", "x-twilio-signature"]


def in_base64(body: str, key: str = KEY) -> str:
    """Sign as Twilio does: the address, and each field with its value."""
    fields = "".join(name + value for name, value in sorted(parse_qsl(body)))
    text = PUBLIC_URL + PATH + fields
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def in_hex(body: str, key: str = KEY) -> str:
    """Sign as SignalWire does with JSON: the address, and the body as it is."""
    return hmac.new(key.encode(), (PUBLIC_URL + PATH + body).encode(), hashlib.sha1).hexdigest()


def verify(body: str, content_type: str, headers: dict[str, str]) -> None:
    request = events.RawRequest(
        "POST", PATH, {"content-type": content_type, **headers}, body.encode()
    )
    SignalWire().verify(request, {"signing_key": KEY}, PUBLIC_URL)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("body", "content_type", "signature"),
    [
        (FORM, "application/x-www-form-urlencoded", in_base64(FORM)),
        (FORM, "application/x-www-form-urlencoded", in_hex(FORM)),
        (JSON, "application/json", in_hex(JSON)),
    ],
    ids=["form, base64", "form, hex", "JSON, hex"],
)
def test_it_is_accepted(header: str, body: str, content_type: str, signature: str) -> None:
    verify(body, content_type, {header: signature})


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("body", "content_type", "signature"),
    [
        (FORM, "application/x-www-form-urlencoded", in_base64(FORM, "another-key")),
        (FORM.replace("Yes", "No"), "application/x-www-form-urlencoded", in_base64(FORM)),
        (JSON, "application/json", in_hex(JSON, "another-key")),
        (JSON.replace("Yes", "No"), "application/json", in_hex(JSON)),
        (JSON, "application/json", in_base64("")),
        (JSON, "application/json", ""),
    ],
    ids=[
        "another key",
        "changed form",
        "JSON, another key",
        "changed JSON",
        "address alone",
        "empty",
    ],
)
def test_it_is_refused(header: str, body: str, content_type: str, signature: str) -> None:
    with pytest.raises(events.VerificationError):
        verify(body, content_type, {header: signature})


def test_a_request_without_any_signature_is_refused() -> None:
    with pytest.raises(events.VerificationError):
        verify(JSON, "application/json", {})


def test_a_good_signature_counts_beside_a_wrong_one_under_the_other_header() -> None:
    """Find SignalWire's own signature behind what a forger adds under Twilio's name."""
    verify(JSON, "application/json", {HEADERS[0]: in_hex(JSON), HEADERS[1]: "forged"})
    with pytest.raises(events.VerificationError):
        verify(JSON, "application/json", {HEADERS[0]: "forged", HEADERS[1]: "forged"})
