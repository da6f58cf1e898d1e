"""What every carrier adapter speaks: plain values in, plain values out.

An adapter verifies and reads webhooks, sends texts, and asks its carrier what became of them. It
knows its carrier's dialect and nothing else: no models, no database. Fields that hold a
customer's words, numbers or secrets stay out of every `repr`, since reprs end in logs.

The values live in `events` and `results`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import httpx

from messaging.carriers import events, results


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing an administrator enters for a carrier account."""

    name: str
    label: str
    is_required: bool
    help_text: str

    def rotating(self) -> tuple[CredentialField, CredentialField]:
        """This field and one for the value before it, which stays good for webhooks meanwhile.

        `parsing.valid_secrets` reads both.
        """
        previous = CredentialField(
            f"previous_{self.name}",
            f"Previous {self.label[0].lower()}{self.label[1:]}",
            False,
            "While you change it: webhooks signed with this one are accepted as well.",
        )
        return self, previous


class Carrier(ABC):
    """One carrier's dialect. An adapter holds no state; one instance serves all accounts.

    Credentials are those of `credential_fields`, by name. Timeouts are the client's, redirects
    are never followed, and carrier trouble is a result, not an error.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    credential_fields: ClassVar[tuple[CredentialField, ...]]
    capabilities: ClassVar[results.Capabilities]
    rejection_status: ClassVar[int] = 403
    """HTTP status for a webhook that fails `verify`."""
    challenge: ClassVar[str] = ""
    """What a request without credentials is asked by, with 401 (RFC 9110 §11.6.1). A carrier that
    needs that calls without them first, which is then no rejection to count."""
    answers_help: ClassVar[bool] = False
    """Whether the carrier itself answers HELP and INFO."""

    @abstractmethod
    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Raise VerificationError unless the request is proven to be the carrier's."""

    def nonce(self, request: events.RawRequest) -> str:
        """What of a verified request may come with this body only; empty for most carriers.

        For signatures that do not cover the body: the caller refuses the same nonce with another.
        """
        return ""

    @abstractmethod
    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read a verified request; raise Unparsable when it makes no sense as a whole."""

    def ack(self) -> tuple[bytes, str]:
        """The body and content type of a 2xx answer."""
        return b"", "text/plain"

    @abstractmethod
    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Send one text."""

    @abstractmethod
    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """How to fetch the picture at `url`, which came in an event. Asks nobody."""

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Ask what became of an attempt; see `capabilities.can_look_up`.

        Never Found unless it is certain that the text is this attempt's, or one worded alike to
        the same person that no other attempt has claimed.
        """
        return results.CannotTell(f"{self.label} cannot be asked for a text")

    def list_inbound(
        self,
        number: str,
        since: datetime,
        known: frozenset[str],
        credentials: Mapping[str, str],
        client: httpx.Client,
    ) -> results.ListResult:
        """The texts that came to our `number` since then; see `capabilities.can_list_inbound`.

        Those whose carrier's id is `known` are left out.
        """
        return results.CannotTell(f"{self.label} cannot be asked for texts that came in")

    @abstractmethod
    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Ask the carrier's API who we are, to prove the credentials."""

    @abstractmethod
    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """A POST to our public `url` that `verify` accepts and `parse` ignores, for the self-test.

        None where only the carrier can sign.
        """
