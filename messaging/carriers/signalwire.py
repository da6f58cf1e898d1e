"""SignalWire's Compatibility API: Twilio's dialect at the space's own address.

Follows SignalWire's "Webhook security", its OpenAPI description of the Compatibility API, its own
error codes, and the two ways to sign that its Python SDK accepts (`core/security`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from django.conf import settings

from messaging.carriers import events, http, numbers, parsing, results
from messaging.carriers.api_calls import Api
from messaging.carriers.base import CredentialField
from messaging.carriers.signalwire_errors import ERROR_CLASSES
from messaging.carriers.signalwire_numbers import SignalWireDirectory, read_error
from messaging.carriers.twilio import NOT_STORED, STATES, Twilio, url_spellings

# A block, by the contact's STOP or of our number; only the words of the error tell which.
BLOCKED = "21610"
STOP = re.compile(
    r"\bSTOP\b|\bopt(?:ed)?[ -]?out\b|unsubscribed|blacklist rule|blocked by the user",
    re.IGNORECASE,
)
# The usual words of that code name both causes: "…by the user or sent from a blacklisted number".
EITHER = re.compile(r"sent from a blacklisted", re.IGNORECASE)

SPACE = re.compile(r"(?:https://)?([a-z0-9-]+)(?:\.signalwire\.com)?/?", re.IGNORECASE)


class SignalWire(Twilio):
    """Speak SignalWire's dialect."""

    name: ClassVar[str] = "signalwire"
    label: ClassVar[str] = "SignalWire"
    answers_help: ClassVar[bool] = False
    confirmed_words: ClassVar[frozenset[str]] = frozenset()
    post_setting: ClassVar[str] = (
        "in SignalWire's space, at the number, Messaging settings, set the method to POST"
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("space", "Space", True, "The name before .signalwire.com."),
        CredentialField("project_id", "Project ID", True, ""),
        CredentialField(
            "api_token", "API token", True, "It needs the scopes Messaging and Numbers."
        ),
        *CredentialField(
            "signing_key", "Signing key", True, "Under API Credentials; it signs the webhooks."
        ).rotating(),
    )
    account_fields: ClassVar[tuple[str, ...]] = ("space", "project_id")
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1600,
        media_count=8,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
    )
    states: ClassVar[Mapping[str, events.State]] = {**STATES, "initiated": "sending"}
    error_classes: ClassVar[Mapping[str, events.ErrorClass]] = ERROR_CLASSES
    login: ClassVar[tuple[str, str]] = ("project_id", "api_token")
    resource_suffix: ClassVar[str] = ""
    signature_headers: ClassVar[tuple[str, ...]] = (
        "x-signalwire-signature",
        "x-twilio-signature",
    )
    signing_secret: ClassVar[tuple[str, str]] = ("signing_key", "signing key")
    other_channel: ClassVar[str] = (
        "It came by {channel}; Partyline serves SMS and MMS. In SignalWire's space, take this "
        "address out of the settings for {channel}."
    )
    conversations: ClassVar[str] = (
        "It is an event of a conversation, not of a text. In SignalWire's space, at the number, "
        "choose LaML Webhooks for incoming messages."
    )
    media_hosts: ClassVar[tuple[str, ...]] = (
        ".signalwire.com",
        "s3.us-east-2.amazonaws.com/files.signalwire.com/",
    )

    def signatures(self, request: events.RawRequest, url: str, tokens: list[str]) -> list[str]:
        """Return the signatures of both ways.

        Those of Twilio, base64 over the fields of a form, and SignalWire's own for bodies of any
        type, hexadecimal over the body as it is.
        """
        over_body = [
            hmac.new(
                token.encode(),
                spelling.encode("utf-8", "surrogatepass") + request.body,
                hashlib.sha1,
            ).hexdigest()
            for token in tokens
            for spelling in url_spellings(url)
        ]
        try:
            return over_body + super().signatures(request, url, tokens)
        except events.VerificationError:
            if parsing.media_type(request.headers)[0] == parsing.FORM:
                raise
            return over_body

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the project's numbers, by SignalWire's own REST API."""
        account = self.account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        api = Api(self.label, client, {"auth": account[1]}, read_error=read_error)
        rest_url = f"{self.api_url(credentials).removesuffix('/api/laml')}/api/relay/rest"
        return SignalWireDirectory(api, rest_url, account[0])

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of the space's pages."""
        where = "Phone Numbers, the number, Edit settings, Messaging settings"
        space = SPACE.fullmatch(credentials.get("space", "").strip())
        return numbers.ConsoleGuide(
            (
                numbers.GuideField("Handle messages using", "LaML Webhooks", where),
                numbers.GuideField("When a message comes in", webhook_url, where),
                numbers.GuideField("Method", "POST", where),
            ),
            f"https://{space[1].lower()}.signalwire.com/phone_numbers"
            if space
            else "https://signalwire.com/signin",
        )

    @property
    def answers(self) -> http.Answers:
        """Describe SignalWire's answer to a new Message, whose errors come in two forms."""
        return http.Answers(
            self.label,
            self.error_classes,
            message_id=lambda answer: answer.get("sid"),
            code=lambda answer: _error(answer).get("code"),
            words=lambda answer: (_error(answer).get("message"),),
            class_by_words=lambda answer: _class_by_words(
                str(_error(answer).get("code")), str(_error(answer).get("message"))
            ),
        )

    def class_of(self, code: str, words: str) -> events.ErrorClass:
        """Return what an error code means; of BLOCKED what the words say."""
        return _class_by_words(code, words) or super().class_of(code, words)

    def api_url(self, credentials: Mapping[str, str]) -> str:
        """Return the space's address; empty if no space is stored."""
        if given := getattr(settings, "SIGNALWIRE_API_URL", ""):
            return f"{str(given).rstrip('/')}/api/laml"
        space = SPACE.fullmatch(credentials.get("space", "").strip())
        return f"https://{space[1].lower()}.signalwire.com/api/laml" if space else ""


def _error(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the error of an answer: the whole, or the first of its list."""
    listed = answer.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else answer
    return first if isinstance(first, dict) else {"message": first}


def _class_by_words(code: str, words: str) -> events.ErrorClass | None:
    """Return "opted_out" for BLOCKED if its words say that the person wants no texts.

    The same code also stands for a number of ours that is blocked, which is no opt-out; nor are
    words that leave open which of the two it is.
    """
    is_stop = STOP.search(words) and not EITHER.search(words)
    return "opted_out" if code == BLOCKED and is_stop else None
