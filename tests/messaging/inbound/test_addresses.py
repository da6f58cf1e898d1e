"""Take webhooks at every spelling of their address, or refuse and count them by name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.test import Client
from plivo.utils import (  # type: ignore[import-untyped]
    signature_v3,
    validate_signature,
)
from pytest_django import Settings
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from inboxes.models import Inbox
from messaging.inbound.receiving import replay_webhook
from messaging.models import CarrierAccount, Message, Number, Rejection, Webhook
from messaging.outbound import delivery
from tests.cast import CUSTOMER, FRONT_DESK, SECRETS, Cast
from tests.messaging.carrier_calls import FORM, receipt_fields, text_fields
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.webhook_requests import move_front_desk

HTTPS = "https://texts.example.com"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def call(
    target: str,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    scheme: str = "http",
) -> Answer:
    """Call at exactly this path and query, as Daphne hands it over, through all middleware."""
    path, _, query = target.partition("?")
    named = {"host": urlsplit(django_settings.PUBLIC_URL).netloc, **(headers or {})}
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
    }
    handler = BaseHandler()
    handler.load_middleware()
    response = handler.get_response(ASGIRequest(scope, BytesIO(body)))
    found = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, found, getattr(response, "content", b""))


def call_signed(
    path: str, fields: dict[str, str], *, given: str = "", token: str = SECRETS["auth_token"]
) -> Answer:
    """Post as Twilio does at the path; `given` is the whole address in its console, if not that
    path at PUBLIC_URL."""
    url = given or django_settings.PUBLIC_URL + path
    mark = RequestValidator(token).compute_signature(url, fields)
    headers = {"content-type": FORM, "x-twilio-signature": mark}
    return call(path, headers=headers, body=urlencode(fields).encode())


SPELLINGS = {
    "as it should be": "/webhooks/twilio/{token}/",
    "no last slash": "/webhooks/twilio/{token}",
    "a slash too many behind the host": "//webhooks/twilio/{token}/",
    "a slash too many in the middle": "/webhooks//twilio/{token}/",
    "a slash too many at the end": "/webhooks/twilio/{token}//",
    "slashes too many everywhere": "///webhooks//twilio///{token}",
    "a carrier in capitals": "/webhooks/Twilio/{token}/",
    "all in capitals but the token": "/Webhooks/TWILIO/{token}",
    "a page's name behind it": "/webhooks/twilio/{token}/index.html",
    "more behind it": "/webhooks/twilio/{token}/sms/incoming/",
    "a full stop behind it": "/webhooks/twilio/{token}.",
    "a space behind it": "/webhooks/twilio/{token}/%20",
    "a query": "/webhooks/twilio/{token}/?from=console",
    "a query without the last slash": "/webhooks/twilio/{token}?a=1&b=%20",
}
every_spelling = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())


@every_spelling
def test_a_text_is_taken_at_every_spelling_of_the_address(cast: Cast, spelling: str) -> None:
    path = spelling.format(token=cast.account.token)
    answer = call_signed(path, text_fields("Hello?"))
    assert (answer.status, answer.body) == (200, b"<Response/>")
    assert Message.objects.get().body == "Hello?"


@every_spelling
def test_a_forged_text_is_refused_and_counted_at_every_spelling(cast: Cast, spelling: str) -> None:
    path = spelling.format(token=cast.account.token)
    assert call_signed(path, text_fields("Forged"), token="guessed").status == 403
    usual = django_settings.PUBLIC_URL + cast.account.webhook_path
    if path != cast.account.webhook_path:
        # Another address was signed than the one that is called.
        assert call_signed(path, text_fields("Moved"), given=usual).status == 403
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == 1 + (path != cast.account.webhook_path)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "spelling",
    [
        "/webhooks/twilio/{token}/{attempt}/",
        "/webhooks/twilio/{token}/{attempt}",
        "//webhooks/twilio//{token}//{attempt}//",
        "/webhooks/Twilio/{token}/{attempt}/more?a=b",
    ],
)
def test_a_receipt_finds_its_attempt_at_every_spelling(cast: Cast, spelling: str) -> None:
    message = cast.answer(cast.thread(), "Yes.")
    attempt = delivery._claim_next_attempt(message.thread)
    assert attempt is not None
    path = spelling.format(token=cast.account.token, attempt=attempt.token)
    assert call_signed(path, receipt_fields("SM-out-1", "delivered")).status == 200
    attempt.refresh_from_db()
    assert (attempt.state, attempt.carrier_message_id) == ("delivered", "SM-out-1")


def test_a_token_that_no_account_has_is_unknown_at_every_spelling(cast: Cast) -> None:
    for spelling in SPELLINGS.values():
        path = spelling.format(token="no-such-token")
        assert call_signed(path, text_fields("Hello?")).status == 404
    assert call(f"/webhooks/twilio/{cast.account.token}%00/").status == 403
    for path in ("/webhooks/twilio/", "/webhooks/twilio", "/webhooks/"):
        assert call(path).status == 404


@pytest.mark.parametrize("given", ["https", "http"])
def test_a_text_that_seems_to_come_by_http_is_not_redirected(
    cast: Cast, settings: Settings, given: str
) -> None:
    """The proxy does not say https, or the console has the address by http."""
    settings.PUBLIC_URL = HTTPS
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for path in (cast.account.webhook_path, cast.account.webhook_path.rstrip("/")):
        fields = text_fields("Hello?", sid=str(uuid.uuid4()))
        address = f"{given}://texts.example.com{path}"
        assert call_signed(path, fields, given=address).status == 200
        assert call_signed(path, fields, given=address, token="guessed").status == 403
    assert Message.objects.count() == 2
    settings.ALLOWED_HOSTS = ["texts.example.com"]
    assert call("/sign-in/", method="GET").status == 301, "pages still are"


def test_a_console_with_http_is_served_by_plivos_signature_that_covers_the_words(
    cast: Cast, settings: Settings
) -> None:
    settings.PUBLIC_URL = HTTPS
    fixture = FIXTURES["plivo"]
    account = move_front_desk(cast, fixture).account
    secret = fixture.credentials[fixture.secret]
    fields = plivo_fields("Hello?")
    url = f"http://texts.example.com{account.webhook_path}"
    signed = fixture.sign(urlencode(fields).encode(), FORM, secret, url)
    answer = Client().post(signed.path, signed.body, content_type=FORM, headers=signed.headers)
    assert answer.status_code == 200
    nonce = "12345678901234567890"
    mark = second_signature(secret, url, nonce)
    headers = {"X-Plivo-Signature-V2": mark, "X-Plivo-Signature-V2-Nonce": nonce}
    answer = Client().post(signed.path, signed.body, content_type=FORM, headers=headers)
    assert answer.status_code == 403


def plivo_fields(body: str, message_id: str = "1") -> dict[str, str]:
    return {
        "From": CUSTOMER[1:],
        "To": FRONT_DESK[1:],
        "MessageUUID": message_id,
        "Type": "sms",
        "Text": body,
    }


def second_signature(secret: str, url: str, nonce: str) -> str:
    """Sign by Plivo's older rule, which its SDK confirms."""
    bare = url.partition("?")[0]
    digest = hmac.new(secret.encode(), (bare + nonce).encode(), hashlib.sha256).digest()
    mark = base64.b64encode(digest).decode()
    assert validate_signature(url, nonce, mark, secret)
    return mark


# Webhooks by GET


@pytest.mark.parametrize("carrier", ["twilio", "signalwire"])
@pytest.mark.parametrize("end", ["", "/", "/?from=console"])
def test_a_text_by_get_is_taken_where_its_signature_covers_it(
    cast: Cast, carrier: str, end: str
) -> None:
    fixture = FIXTURES[carrier]
    account = move_front_desk(cast, fixture).account
    fields = text_fields("Größe 42 & more? +1")
    path = account.webhook_path.rstrip("/") + end
    path += ("&" if "?" in path else "?") + urlencode(fields)
    mark = RequestValidator(fixture.credentials[fixture.secret]).compute_signature(
        django_settings.PUBLIC_URL + path, {}
    )
    headers = {fixture.signature_headers[0]: mark}
    for _ in range(2):
        assert call(path, method="GET", headers=headers).status == 200
    message = Message.objects.get()
    assert (message.body, message.carrier_message_id) == ("Größe 42 & more? +1", "SM-in-1")
    kept = Webhook.objects.get()
    assert "Body" not in kept.path
    assert b"Body=Gr%C3%B6%C3%9Fe" in bytes(kept.body)
    forged = path.replace("+42+", "+43+")
    assert forged != path
    assert call(forged, method="GET", headers=headers).status == 403
    account.refresh_from_db()
    assert account.rejected_count == 1
    assert "it came by GET" in account.last_rejection
    assert "to POST" in account.last_rejection or "to HTTP POST" in account.last_rejection


def test_a_quarantined_text_by_get_can_be_tried_again(cast: Cast) -> None:
    elsewhere = "+12025550119"
    path = f"{cast.account.webhook_path}?{urlencode(text_fields('Late', to=elsewhere))}"
    url = django_settings.PUBLIC_URL + path
    mark = RequestValidator(SECRETS["auth_token"]).compute_signature(url, {})
    assert call(path, method="GET", headers={"x-twilio-signature": mark}).status == 200
    inbox = Inbox.objects.create(name="Elsewhere")
    Number.objects.create(address=elsewhere, account=cast.account, inbox=inbox)
    assert replay_webhook(webhook=Webhook.objects.quarantined().get())
    assert Message.objects.get().body == "Late"


def test_a_text_by_get_from_plivo_is_taken(cast: Cast) -> None:
    fixture = FIXTURES["plivo"]
    account = move_front_desk(cast, fixture).account
    secret = fixture.credentials[fixture.secret]
    path = f"{account.webhook_path}?{urlencode(plivo_fields('Open on Sunday? + more'))}"
    url, nonce = django_settings.PUBLIC_URL + path, "05429567804466091622"
    base = signature_v3.construct_get_url(url, {}).decode()
    mark = signature_v3.get_signature_v3(secret.encode(), base, nonce).decode()
    assert signature_v3.validate_v3_signature("GET", url, nonce, secret, mark)
    headers = {"X-Plivo-Signature-V3": mark, "X-Plivo-Signature-V3-Nonce": nonce}
    assert call(path, method="GET", headers=headers).status == 200
    assert Message.objects.get().body == "Open on Sunday? + more"
    assert call(path.replace("Open", "Shut"), method="GET", headers=headers).status == 403


def test_plivos_older_signature_by_get_is_good_for_one_text_only(
    cast: Cast, settings: Settings
) -> None:
    """It covers neither body nor query."""
    settings.PUBLIC_URL = HTTPS
    fixture = FIXTURES["plivo"]
    account = move_front_desk(cast, fixture).account
    nonce = "05429567804466091622"
    mark = second_signature(
        fixture.credentials[fixture.secret], HTTPS + account.webhook_path, nonce
    )
    headers = {"X-Plivo-Signature-V2": mark, "X-Plivo-Signature-V2-Nonce": nonce}

    def send(body: str, message_id: str) -> int:
        path = f"{account.webhook_path}?{urlencode(plivo_fields(body, message_id))}"
        return call(path, method="GET", headers=headers, scheme="https").status

    assert [send("True", "1"), send("True", "1"), send("Forged", "2")] == [200, 200, 403]
    assert Message.objects.get().body == "True"


@pytest.mark.parametrize("carrier", ["telnyx", "bandwidth", "vonage"])
def test_where_get_is_no_choice_it_is_refused_and_counted(cast: Cast, carrier: str) -> None:
    account = move_front_desk(cast, FIXTURES[carrier]).account
    answer = call(account.webhook_path + "?text=Hi", method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "came by GET instead of POST" in Rejection.objects.get(account=account).reason


def test_texts_of_vonages_older_api_by_get_name_the_setting_to_change(cast: Cast) -> None:
    account = move_front_desk(cast, FIXTURES["vonage"]).account
    query = urlencode({"msisdn": "12025550177", "to": "12025550110", "text": "Hi"})
    assert call(f"{account.webhook_path.rstrip('/')}?{query}", method="GET").status == 405
    reason = Rejection.objects.get().reason
    assert "set Messaging API Type to Messages API" in reason
    assert "12025550177" not in reason


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "BREW"])
def test_other_methods_are_refused_and_counted_by_few_names(cast: Cast, method: str) -> None:
    account: CarrierAccount = cast.account
    answer = call(account.webhook_path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
    reason = Rejection.objects.get().reason
    assert "instead of POST" in reason
    assert "BREW" not in reason


def test_an_unsigned_visit_is_refused_and_says_what_to_set(cast: Cast) -> None:
    """Call as an administrator does who opens the address in a browser."""
    assert call(cast.account.webhook_path, method="GET").status == 403
    reason = Rejection.objects.get().reason
    assert reason == (
        "it came by GET, and the signature header is missing: in Twilio's console, Active "
        "numbers, the number, set A message comes in to HTTP POST"
    )
