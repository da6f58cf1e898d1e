"""Define what the far ends have in common: requests, answers, and what may go wrong with them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

# "reset" does what it was asked to and gives no answer, "reset_untaken" does not do it.
Kind = Literal["status", "silence", "reset", "reset_untaken", "refused", "garbled"]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @classmethod
    def read(cls, method: str, url: str, headers: dict[str, str], body: bytes) -> Request:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method, unquote(parts.path), query, lower, body)

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def is_change(self) -> bool:
        return self.method != "GET" and not self.path.endswith("/oauth2/token")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> Answer:
        return cls(status, json.dumps(value).encode(), {"content-type": "application/json"})


@dataclass(slots=True)
class Failure:
    """Say what goes wrong with the next request that is a change, or that is none."""

    kind: Kind
    on: Literal["change", "read"]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""  # A part of the path that it has to have
    skip: int = 0  # So many such requests are answered before

    def is_for(self, request: Request) -> bool:
        return request.is_change == (self.on == "change") and self.path in request.path


class NumberFarEnd(ABC):
    """One carrier account's numbers, and what says where their texts go."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.failures: list[Failure] = []

    def fail(self, kind: Kind, on: Literal["change", "read"] = "change", **more: Any) -> None:
        self.failures.append(Failure(kind, on, **more))

    def take_failure(self, request: Request) -> Failure | None:
        """Record a request, and return the failure that is planned for it."""
        self.requests.append(request)
        for failure in self.failures:
            if failure.is_for(request):
                if failure.skip:
                    failure.skip -= 1
                    return None
                self.failures.remove(failure)
                return failure
        return None

    @property
    def changes(self) -> list[Request]:
        return [request for request in self.requests if request.is_change]

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do what the request asks for, and answer it."""

    @abstractmethod
    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        """Return an error as this carrier words it."""

    @abstractmethod
    def add(
        self,
        address: str,
        *,
        url: str = "",
        together_with: str = "",
        can_sms: bool = True,
        can_mms: bool = True,
        state: str = "good",
    ) -> None:
        """Add a number whose texts go to `url`, by a resource that another number may share.

        `state` is that of its registration: good, waiting, refused, missing.
        """

    @abstractmethod
    def url_of(self, address: str) -> str:
        """Return where the number's texts go; empty if nowhere."""

    @abstractmethod
    def change_elsewhere(self, address: str, url: str) -> None:
        """Set where the number's texts go, as somebody at the carrier's console does."""
