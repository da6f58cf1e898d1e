"""What the contract has to know of a carrier: how its vendor signs, refuses and names things."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from messaging.carriers import events, results
from messaging.carriers.base import Carrier

PAYLOADS = Path(__file__).parents[2] / "payloads"
PUBLIC_URL = "https://texts.example.com"
ATTEMPT = "5f0c3e0a-9f3e-4c52-8f5c-0a4f7a7c9f10"
CONTENT_TYPES = {
    ".form": "application/x-www-form-urlencoded; charset=UTF-8",
    ".json": "application/json",
}

Sign = Callable[[bytes, str, str, str], events.RawRequest]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer to a request to send, and what it means."""

    status: int
    answer: object
    means: results.SendResult


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One carrier under the contract. See `test_contract.py` for what is done with it."""

    carrier: Carrier
    credentials: Mapping[str, str]
    secret: str
    """The name of the credential with which webhooks are verified."""
    other_secret: str
    """A value of the right form that is not stored."""
    sign: Sign
    """(body, content type, the stored secret, full URL) → the request as the vendor signs it."""
    signature_headers: tuple[str, ...]
    covers: frozenset[str]
    """What of a request the signature covers: "url", "body"."""
    api_setting: str
    """The setting that points the API elsewhere."""
    send_path: str
    accepted: tuple[int, object]
    accepted_id: str
    read_sent: Callable[[httpx.Request], results.Outgoing]
    """What a request to send says, as what was to be sent. The token where it is found."""
    refusals: tuple[Refusal, ...]
    errors_are_not_sent: bool = False
    identity: tuple[object, results.Identity] | None
    """What the API answers to who we are; None where nobody is asked."""

    @property
    def name(self) -> str:
        return self.carrier.name

    @property
    def path(self) -> str:
        return f"/webhooks/{self.name}/an-account-token/"

    @property
    def outgoing(self) -> results.Outgoing:
        """A text with everything that a text can have."""
        return results.Outgoing(
            attempt_token=ATTEMPT,
            sender="+12025550110",
            recipient="+12025550177",
            body="Yes, it’s here 📦 & costs 5 % + tax = ?",
            callback_url=f"{PUBLIC_URL}{self.path}{ATTEMPT}/",
        )

    def payloads(self) -> list[Path]:
        found = (PAYLOADS / self.name).glob("*.*")
        return sorted(file for file in found if not file.name.endswith(".events.json"))

    def request(self, file: Path) -> events.RawRequest:
        """A payload file as the vendor would send it now, signed."""
        return self.signed(file.read_bytes(), CONTENT_TYPES[file.suffix])

    def signed(self, body: bytes, content_type: str, *, secret: str = "") -> events.RawRequest:
        stored = secret or self.credentials[self.secret]
        return self.sign(body, content_type, stored, PUBLIC_URL + self.path)


def unsigned(file: Path) -> events.RawRequest:
    headers = {"content-type": CONTENT_TYPES[file.suffix]}
    return events.RawRequest("POST", "/", headers, file.read_bytes())


def expected(file: Path) -> list[dict[str, Any]]:
    """What the sidecar of a payload says that it means."""
    recorded: list[dict[str, Any]] = json.loads(file.with_suffix(".events.json").read_text())
    return recorded


def plain(value: object) -> Any:
    """An event as in a sidecar: its kind and what is not left at the default."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    told = {
        item.name: plain(given)
        for item in fields(value)  # type: ignore[arg-type]
        if (given := getattr(value, item.name)) != item.default or item.default is MISSING
    }
    return {"event": type(value).__name__, **told} if isinstance(value, events.Event) else told
