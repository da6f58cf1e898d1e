"""Define what every carrier adapter speaks: plain values in, plain values out.

An adapter verifies and parses webhooks, sends texts, and asks its carrier what became of them. It
knows its carrier's dialect and nothing else: no models, no database. Fields that hold a customer's
words, numbers or secrets are left out of every `repr`, since reprs end up in logs.

The values are in `events`, `results` and `numbers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import httpx

from messaging.carriers import events, numbers, results


@dataclass(frozen=True, slots=True)
class CredentialField:
    """Describe one value that an administrator enters for a carrier account.

    One that `is_found` may be left empty, though it is needed: see `Carrier.find_credentials`.
    """

    name: str
    label: str
    is_required: bool
    help_text: str
    is_found: bool = False

    def rotating(self) -> tuple[CredentialField, CredentialField]:
        """Return this field and one for the previous value, which webhooks may still be signed
        with.

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
    """Speak one carrier's dialect. An adapter holds no state; one instance serves all accounts.

    Credentials are those of `credential_fields`, by name. The client sets the timeouts, redirects
    are never followed, and trouble with the carrier is a result, not an error.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    credential_fields: ClassVar[tuple[CredentialField, ...]]
    # The credentials that name the account and are no secrets of it; none if only `identify` tells
    account_fields: ClassVar[tuple[str, ...]] = ()
    capabilities: ClassVar[results.Capabilities]
    rejection_status: ClassVar[int] = 403  # HTTP status for a webhook that fails `verify`
    # What a request without credentials is asked by, with 401 (RFC 9110 §11.6.1). A carrier that
    # needs that calls without them first, which is then no rejection to count.
    challenge: ClassVar[str] = ""
    # Whether a webhook may come by GET, with its fields in the query, where the console says so
    takes_get: ClassVar[bool] = False
    post_setting: ClassVar[str] = "set the webhook's method to POST"
    answers_help: ClassVar[bool] = False  # Whether the carrier itself answers HELP and INFO
    # The opt-out words that the carrier itself confirms with a text, in small letters.
    confirmed_words: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Raise VerificationError unless the request is proven to be the carrier's."""

    def explain_method(self, request: events.RawRequest) -> str:
        """Return what to set so that a request like this one comes by POST."""
        return self.post_setting

    def nonce(self, request: events.RawRequest) -> str:
        """Return the part of a verified request that may come with this body only; mostly empty.

        For signatures that do not cover the body: the caller refuses the same nonce with another
        one.
        """
        return ""

    @abstractmethod
    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Parse a verified request. Raise Unparsable if it makes no sense as a whole."""

    def ack(self) -> tuple[bytes, str]:
        """Return the body and content type of a 2xx answer."""
        return b"", "text/plain"

    def answers_help_to(self, our_number: str) -> bool:
        """Return True if the carrier answers HELP that was texted to this number of ours."""
        return self.answers_help

    def confirms_opt_out(self, word: str, our_number: str) -> bool:
        """Return True if a text confirms the opt-out without us. `word` is the whole text
        in small letters; carriers know no other spelling.

        Behind every carrier the network confirms STOP to a toll-free number of North America.
        """
        is_toll_free = numbers.TOLL_FREE.match(our_number) is not None
        return word in self.confirmed_words or (is_toll_free and word == "stop")

    @abstractmethod
    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Send one text."""

    @abstractmethod
    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Return how to fetch the picture at `url`, which came in an event.

        Makes no request, except to log in.
        """

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
        """Return the texts that came to our `number` since then; see
        `capabilities.can_list_inbound`.

        Those whose carrier's id is `known` are left out.
        """
        return results.CannotTell(f"{self.label} cannot be asked for texts that came in")

    @property
    def routes_numbers(self) -> bool:
        """Return True if the carrier's API lists an account's numbers and sets their webhook."""
        return type(self).open_directory is not Carrier.open_directory

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's numbers, to read and to route; None if the carrier's API can't.

        AuthFailed if what to log in with is not stored. Makes no call.
        """
        return None

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return what to enter by hand in the carrier's console, where its API can't."""
        return numbers.ConsoleGuide((numbers.GuideField("Webhook address", webhook_url),))

    def find_credentials(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> dict[str, str] | results.AuthFailed | results.CannotTell:
        """Return credentials that are not stored and need not be typed, by name.

        They are told by the carrier's API, or ours to choose.
        """
        return {}

    @abstractmethod
    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Ask the carrier's API who we are, to prove the credentials."""

    @abstractmethod
    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Return a POST to our public `url` that `verify` accepts and `parse` ignores, for the
        self-test.

        Return None where only the carrier can sign.
        """
