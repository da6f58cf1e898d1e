"""Bandwidth Programmable Messaging, API v2.

Follows Bandwidth's "Webhooks" (a JSON array), "Authenticated callbacks" (Basic, RFC 7617, asked
for by a challenge), "Create message", "List messages", "Media" and its messaging error codes.

An application has one callback address for all of its messages: our attempt travels as `tag`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

import httpx

from messaging.carriers import (
    bandwidth_api,
    bandwidth_applications,
    bandwidth_locations,
    bandwidth_login,
    bandwidth_numbers,
    events,
    http,
    numbers,
    parsing,
    results,
)
from messaging.carriers.bandwidth_errors import ERROR_CLASSES
from messaging.carriers.base import Carrier, CredentialField

STATES: dict[str, events.State] = {
    "message-sending": "sending",
    "message-sent": "sent",
    "message-delivered": "delivered",
    "message-read": "delivered",
    "message-failed": "failed",
}

LISTED_STATES: dict[str, events.State] = {
    "DELIVERED": "delivered",
    "FAILED": "failed",
    "UNDELIVERED": "failed",
}

# A refused request names the field that is wrong, or a type of error.
FIELD_CLASSES: dict[str, events.ErrorClass] = {
    "applicationId": "auth",
    "from": "sender",
    "media": "media",
    "text": "too_long",
    "to": "bad_address",
}

SELF_TEST = "self-test"
CHANNELS = {"RBM": "RCS"}
SWITCH = (
    "In the Bandwidth App, give the RCS agent or other channel an application of its own, whose "
    "callback URL is not this address."
)

NO_LOGIN = results.AuthFailed(bandwidth_login.NOT_STORED)

HOST = "messaging.bandwidth.com"
LAYOUT = re.compile(r"\.smil$|[./]smil\.xml$|/part-?[0-9]+\.xml$")


class Bandwidth(Carrier):
    """Speak Bandwidth's dialect."""

    name: ClassVar[str] = "bandwidth"
    label: ClassVar[str] = "Bandwidth"
    post_setting: ClassVar[str] = "Bandwidth itself always posts, so something else called"
    challenge: ClassVar[str] = 'Basic realm="Partyline"'
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("account_id", "Account ID", True, "Seven digits."),
        CredentialField(
            "application_id",
            "Application ID",
            True,
            "Of the messaging application. If empty, the account's only one is taken.",
            is_found=True,
        ),
        CredentialField(
            "client_id", "Client ID", True, "Of an API credential: Account, API Credentials."
        ),
        CredentialField("client_secret", "Client secret", True, "Of that API credential."),
        CredentialField(
            "callback_user",
            "Callback user name",
            True,
            "As entered in the application. If empty, one is made up.",
            is_found=True,
        ),
        *CredentialField(
            "callback_password",
            "Callback password",
            True,
            "As entered in the application. If empty, one is made up: nothing else proves a "
            "webhook.",
            is_found=True,
        ).rotating(),
    )
    account_fields: ClassVar[tuple[str, ...]] = ("account_id",)
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=2048,
        media_count=10,
        media_bytes=500_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Compare Basic credentials. Fails closed. Bandwidth signs nothing else."""
        user = credentials.get("callback_user", "")
        passwords = parsing.valid_secrets(credentials, "callback_password", "callback password")
        if not user:
            raise events.VerificationError("no callback user name is stored for this account")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise events.VerificationError("the callback user name and password are missing")
        expected = [
            http.basic_auth(name, password).partition(" ")[2]
            for password in passwords
            for name in (bandwidth_applications.login_name(user, password), user)
        ]
        if not parsing.digest_is_any(given.strip(), expected):
            raise events.VerificationError("the callback user name or password is wrong")

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read the events of one call, texts and states mixed."""
        items = parsing.read_list("the body", parsing.json_body(request))
        if not items:
            raise events.Unparsable("the body holds no event")
        return [_event_or_trouble(item) for item in items]

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Create a message. Bandwidth documents that a 4xx or 5xx answer means "not sent"."""
        url = _url(credentials, "/messages")
        if url is None or not credentials.get("application_id"):
            return results.AuthFailed("the account or the application is not stored")
        login = bandwidth_login.authorize(credentials, client)
        if not isinstance(login, str):
            return login
        body: dict[str, object] = {
            "applicationId": credentials["application_id"],
            "to": [outgoing.recipient],
            "from": outgoing.sender,
            "text": outgoing.body,
            "tag": outgoing.attempt_token,
        }
        if outgoing.media_urls:
            body["media"] = list(outgoing.media_urls)
        headers = {"authorization": login}
        result = http.post_text(client, url, ANSWERS, json=body, headers=headers)
        if isinstance(result, results.AuthFailed):
            bandwidth_login.forget(credentials)
        return result

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Log in, if we are not logged in yet. Bandwidth keeps pictures for two days."""
        headers = {}
        if parsing.host_of(url) == HOST:
            with http.new_client() as client:
                login = bandwidth_login.authorize(credentials, client)
            headers = {"authorization": login} if isinstance(login, str) else {}
        return results.MediaRequest(url, (HOST,), headers)

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Search the messages between the two numbers.

        The list has lengths but neither words nor tags, so it identifies an attempt only if no
        other is like it.
        """
        answer = _ask(
            credentials,
            client,
            messageDirection="OUTBOUND",
            sourceTn=sought.sender,
            destinationTn=sought.recipient,
            fromDateTime=_stamp(sought.earliest),
            toDateTime=_stamp(sought.latest),
        )
        if isinstance(answer, results.AuthFailed | results.CannotTell):
            return answer
        try:
            listed = parsing.read_objects("messages", answer.get("messages"))
        except events.Unparsable as error:
            return results.CannotTell(f"Bandwidth's answer makes no sense: {error.reason}")
        unclaimed = [one for one in listed if one.get("messageId") not in sought.not_these]
        if not unclaimed:
            return results.NotFound()
        if sought.is_alone and len(unclaimed) == 1 and _has_length(unclaimed[0], sought.body):
            return _found(unclaimed[0])
        return results.CannotTell(
            "Bandwidth lists texts of that time, but not whether one is this"
        )

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's numbers, with their locations and messaging applications."""
        needed = ("account_id", "application_id", "callback_user", "callback_password")
        if not all(credentials.get(name) for name in needed):
            return results.AuthFailed("the account, its application or the callback is not stored")
        api = bandwidth_api.open_api(credentials, client)
        return bandwidth_numbers.BandwidthDirectory(api) if api else NO_LOGIN

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of the Bandwidth App."""
        return bandwidth_numbers.console_guide(webhook_url, credentials)

    def find_credentials(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> dict[str, str] | results.AuthFailed | results.CannotTell:
        """Make up the callback's login, and look for the account's only messaging application."""
        found = {}
        if not credentials.get("callback_user"):
            found["callback_user"] = "partyline"
        if not credentials.get("callback_password"):
            found["callback_password"] = secrets.token_urlsafe(32)
        api = bandwidth_api.open_api(credentials, client)
        if api and not credentials.get("application_id"):
            found |= bandwidth_locations.find_only_application(api)
        return found

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """List one message, which proves the account and its credentials."""
        answer = _ask(credentials, client, messageDirection="OUTBOUND", limit="1")
        if isinstance(answer, results.AuthFailed | results.CannotTell):
            return answer
        named = credentials.get("client_id") or credentials.get("api_user", "")
        return results.Identity(credentials["account_id"][:64], named[:120])

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Make an event of a type that does not exist."""
        login = (credentials.get("callback_user", ""), credentials.get("callback_password", ""))
        headers = {"content-type": "application/json", "authorization": http.basic_auth(*login)}
        return events.RawRequest(
            "POST", parsing.path_of(url), headers, f'[{{"type": "{SELF_TEST}"}}]'.encode()
        )


def _fault(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first bad field of a refused request; empty if it names none."""
    faults = answer.get("fieldErrors")
    first = faults[0] if isinstance(faults, list) and faults else None
    return first if isinstance(first, dict) else {}


def _field_or_type(answer: Mapping[str, Any]) -> object:
    """Return what a refused request names as wrong: the first bad field, or the type of error."""
    field = _fault(answer).get("fieldName")
    return field.partition("[")[0] if isinstance(field, str) else answer.get("type")


ANSWERS = http.Answers(
    Bandwidth.label,
    {**ERROR_CLASSES, **FIELD_CLASSES},
    message_id=lambda answer: answer.get("id"),
    code=_field_or_type,
    words=lambda answer: (
        answer.get("description") or answer.get("message"),
        _fault(answer).get("description"),
    ),
    errors_are_not_sent=True,
)


def _has_length(listed: Mapping[str, object], body: str) -> bool:
    """Return True if it is as long as what we sent, in characters or in UTF-16 units."""
    return listed.get("messageLength") in (len(body), len(body.encode("utf-16-le")) // 2)


def _found(listed: Mapping[str, object]) -> results.LookUpResult:
    message_id = listed.get("messageId")
    if not http.is_message_id(message_id):
        return results.CannotTell("Bandwidth has the text, but does not say its id")
    state = LISTED_STATES.get(str(listed.get("messageStatus")), "sent")
    code, error_class, _ = _error(listed) if state == "failed" else ("", "", "")
    if error_class == "ambiguous":
        state = "unknown"
    return results.Found(events.Receipt(message_id, state, code, error_class))


def _event_or_trouble(item: object) -> events.Event:
    """Parse one event. One that makes no sense does not hide the others."""
    try:
        return _event(parsing.read_object("an event", item))
    except events.Unparsable as error:
        return events.Unreadable(error.reason)


def _event(event: Mapping[str, object]) -> events.Event:
    kind = parsing.clean_field("type", parsing.read_string(event, "type"), parsing.TYPE_LIMIT)
    if kind == SELF_TEST:
        return events.Ignored("the self-test")
    state = STATES.get(kind)
    if state is None and kind != "message-received":
        raise events.Unparsable(
            f"It is an event of the kind “{kind[:60]}”, which belongs to no SMS or MMS. {SWITCH}"
        )
    message = parsing.read_object("message", event.get("message"))
    _check_channel(message)
    if state is None:
        return _inbound(event, message)
    code, error_class, words = _error(event) if state == "failed" else ("", "", "")
    return events.Receipt(
        carrier_message_id=parsing.clean_required(
            "id", parsing.read_string(message, "id"), parsing.ID_LIMIT
        ),
        state="unknown" if error_class == "ambiguous" else state,
        error_code=code,
        error_class=error_class,
        recipient=parsing.clean_field(
            "to", parsing.read_string(event, "to"), parsing.ADDRESS_LIMIT
        ),
        attempt_token=parsing.clean_field("tag", parsing.read_string(message, "tag"), 1024),
        words=words,
    )


def _check_channel(message: Mapping[str, object]) -> None:
    """Raise Unparsable, with what to set, for another channel than SMS and MMS."""
    channel = parsing.clean_field(
        "channel", parsing.read_string(message, "channel"), parsing.TYPE_LIMIT
    )
    if channel.upper() not in ("", "SMS", "MMS"):
        raise events.Unparsable(
            f"It came by {CHANNELS.get(channel.upper(), channel)}; Partyline serves SMS and MMS. "
            f"{SWITCH}"
        )


def _error(
    event: Mapping[str, object],
) -> tuple[str, events.ErrorClass | Literal[""], str]:
    """Return the error's code, its class and its words. Codes from 5000 on are of servers."""
    given = event.get("errorCode")
    code = (
        parsing.clean_field("errorCode", str(given), parsing.CODE_LIMIT)
        if isinstance(given, int | str)
        else ""
    )
    default: events.ErrorClass = "server" if code.startswith("5") else "other"
    words = parsing.carrier_words(event.get("description"))
    return code, ERROR_CLASSES.get(code, default), words


def _inbound(event: Mapping[str, object], message: Mapping[str, object]) -> events.InboundText:
    """Parse a text. Of a group text each of our numbers gets its own event, and `to` names it."""
    media = parsing.read_list("media", message.get("media"))
    urls = [parsing.media_url(item) for item in media]
    if message.get("text") is None and not urls:
        raise events.Unparsable("text is missing")
    recipient = parsing.read_string(event, "to") or parsing.read_string(message, "owner")
    return events.InboundText(
        carrier_message_id=parsing.clean_required(
            "id", parsing.read_string(message, "id"), parsing.ID_LIMIT
        ),
        sender=parsing.clean_required(
            "from", parsing.read_string(message, "from"), parsing.ADDRESS_LIMIT
        ),
        recipient=parsing.clean_required("to", recipient, parsing.ADDRESS_LIMIT),
        body=parsing.clean_field("text", parsing.read_string(message, "text")),
        sent_at=parsing.read_time("time", parsing.read_string(message, "time")),
        media=tuple(events.InboundMedia(url) for url in urls if not _is_layout(url)),
        others=parsing.other_addresses(
            one for one in parsing.listed(message.get("to")) if one != recipient
        ),
    )


def _is_layout(url: str) -> bool:
    """Return True for SMIL, which only says how a phone lays out the pictures."""
    return LAYOUT.search(urlsplit(url).path.lower()) is not None


def _url(credentials: Mapping[str, str], path: str) -> str | None:
    """Return an address of the account; None if the account is not stored."""
    account = credentials.get("account_id", "")
    if not account:
        return None
    return bandwidth_login.url(HOST, f"/api/v2/users/{quote(account, safe='')}{path}")


def _ask(
    credentials: Mapping[str, str], client: httpx.Client, **params: str
) -> dict[str, Any] | results.AuthFailed | results.CannotTell:
    url = _url(credentials, "/messages")
    if url is None:
        return results.AuthFailed("the account is not stored")
    login = bandwidth_login.authorize(credentials, client)
    if isinstance(login, results.AuthFailed):
        return login
    if not isinstance(login, str):
        return results.CannotTell("Bandwidth could not be asked: the login did not succeed")
    headers = {"authorization": login}
    answer = http.get_json(client, url, Bandwidth.label, params=params, headers=headers)
    if isinstance(answer, results.AuthFailed):
        bandwidth_login.forget(credentials)
    return answer


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
