from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import httpx
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from messaging.carriers import events, results
from messaging.carriers.base import Carrier
from messaging.carriers.twilio import Twilio
from tests.messaging.carriers.specimens.base import CONTENT_TYPES, Refusal, Sign, Specimen

SID = "SM1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"
ACCOUNT = "AC" + "0" * 32


class Fields(dict[str, list[str]]):
    """Repeated keys as the SDK expects them."""

    def getlist(self, key: str) -> list[str]:
        return self[key]


def signer(header: str) -> Sign:
    """Twilio's own SDK signs; SignalWire does the same under another header."""

    def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
        is_form = content_type == CONTENT_TYPES[".form"]
        if not is_form:
            url += f"?bodySHA256={hashlib.sha256(body).hexdigest()}"
        fields = Fields(parse_qs(body.decode(), keep_blank_values=True) if is_form else {})
        mark: str = RequestValidator(secret).compute_signature(url, fields)
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return events.RawRequest("POST", path, {"content-type": content_type, header: mark}, body)

    return sign


def read_sent(request: httpx.Request) -> results.Outgoing:
    form = parse_qs(request.content.decode(), keep_blank_values=True)
    [callback] = form["StatusCallback"]
    return results.Outgoing(
        attempt_token=callback.rstrip("/").rsplit("/", 1)[1],
        sender=form["From"][0],
        recipient=form["To"][0],
        body=form["Body"][0],
        callback_url=callback,
        media_urls=tuple(form.get("MediaUrl", ())),
    )


def refusals(label: str) -> tuple[Refusal, ...]:
    def said(status: int, code: int) -> str:
        return f"{label} answered {status}, error {code}"

    words = "The number +12025550177 was refused."
    plain = {
        21211: "bad_address",
        21614: "bad_address",
        21617: "too_long",
        21620: "media",
        30034: "registration",
        30007: "filtered",
        30003: "transient",
        21999: "other",
    }
    return (
        *(
            Refusal(
                status=400,
                answer={"code": code, "message": words},
                means=results.Rejected(str(code), kind, said(400, code)),  # type: ignore[arg-type]
            )
            for code, kind in plain.items()
        ),
        Refusal(
            status=400, answer={"code": 21610}, means=results.OptedOut("21610", said(400, 21610))
        ),
        Refusal(status=400, answer={"code": 21611}, means=results.RateLimited(None)),
        Refusal(status=400, answer={"code": 21408}, means=results.AuthFailed(said(400, 21408))),
        Refusal(status=401, answer={"code": 20003}, means=results.AuthFailed(said(401, 20003))),
        Refusal(status=403, answer={"code": 20003}, means=results.AuthFailed(said(403, 20003))),
        Refusal(
            status=404,
            answer="<html>",
            means=results.Rejected("404", "other", f"{label} answered 404, error not given"),
        ),
    )


def in_twilios_dialect(
    carrier: Carrier,
    *,
    credentials: Mapping[str, str],
    secret: str,
    account_path: str,
    message_id: str,
    account: str,
) -> Specimen:
    header = f"x-{carrier.name}-signature"
    return Specimen(
        carrier=carrier,
        credentials=credentials,
        secret=secret,
        other_secret="another-secret",
        sign=signer(header),
        signature_headers=(header,),
        covers=frozenset({"url", "body"}),
        api_setting=f"{carrier.name.upper()}_API_URL",
        send_path=f"{account_path}/Messages.json",
        accepted=(201, {"sid": message_id, "status": "queued", "error_code": None}),
        accepted_id=message_id,
        read_sent=read_sent,
        refusals=refusals(carrier.label),
        identity=(
            {"sid": account, "friendly_name": "Okafor & Sons", "status": "suspended"},
            results.Identity(account, "Okafor & Sons", "The account is suspended."),
        ),
    )


TWILIO = in_twilios_dialect(
    Twilio(),
    credentials={"account_sid": ACCOUNT, "auth_token": "a-secret-of-the-tests"},
    secret="auth_token",
    account_path=f"/2010-04-01/Accounts/{ACCOUNT}",
    message_id=SID,
    account=ACCOUNT,
)
