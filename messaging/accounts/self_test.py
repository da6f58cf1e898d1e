"""Test whether a carrier's requests reach us and whether ours reach the carrier.

Only two addresses are called, without following redirects: our own PUBLIC_URL, and the API whose
address the adapter knows. Findings are for administrators and say what to do.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils import timezone

from inboxes.database import release_connection
from inboxes.encryption import UndecryptableError
from messaging.accounts import probes, spellings
from messaging.accounts.credentials import complete_credentials
from messaging.carriers import events, http, parsing, results
from messaging.models import CarrierAccount

Level = Literal["good", "doubt", "bad"]

TIMEOUT = 5.0  # Seconds for each step of a call

CLOCK_DOUBT, CLOCK_BAD = 30, 240  # Seconds; carriers' signatures are good for some five minutes


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one thing that was checked, and what it means."""

    level: Level
    title: str
    words: str = ""

    @property
    def verdict(self) -> str:
        return {"good": "OK", "doubt": "Warning", "bad": "Problem"}[self.level]

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Finding:
        """Return a finding as it was stored with the account."""
        return cls(kept["level"], kept["title"], kept["words"])


def run_self_test(account: CarrierAccount) -> list[Finding]:
    """Test the account and store what was found. Holds no database connection meanwhile."""
    complete_credentials(account=account)
    release_connection()
    credentials, findings = _check_secrets(account)
    findings += [*_try_way_in(account, credentials or {})]
    if credentials is not None:
        findings += [*_try_way_out(account, credentials)]
    account.self_tested_at = timezone.now()
    account.self_test = [asdict(finding) for finding in findings]
    account.save(update_fields=["self_tested_at", "self_test"])
    return findings


def _check_secrets(account: CarrierAccount) -> tuple[dict[str, str] | None, list[Finding]]:
    title = "Secrets"
    try:
        stored = account.get_credentials()
    except UndecryptableError:
        words = (
            "The stored secrets can't be decrypted with FIELD_KEYS. Enter them again, or "
            "restore the key they were stored with."
        )
        return None, [Finding("bad", title, words)]
    missing = [
        field.label
        for field in account.adapter.credential_fields
        if field.is_required and not stored.get(field.name)
    ]
    if missing:
        words = f"Not stored yet: {', '.join(missing)}. Enter this on the account's page."
        return stored, [Finding("bad", title, words)]
    return stored, [Finding("good", title, "All secrets are stored and readable.")]


# The way in


def _try_way_in(account: CarrierAccount, credentials: Mapping[str, str]) -> Iterator[Finding]:
    """Call our own webhook over its public address, as the carrier would."""
    if urlsplit(settings.PUBLIC_URL).scheme != "https":
        yield Finding(
            "doubt",
            "Encryption",
            f"PUBLIC_URL is {settings.PUBLIC_URL}, without https. Texts and signatures travel "
            "unencrypted, and some carriers refuse such an address.",
        )
    signed = account.adapter.sign_test(credentials, account.webhook_url)
    sent = signed or events.RawRequest("POST", parsing.path_of(account.webhook_url), {}, b"{}")
    headers = {**sent.headers, probes.HEADER: probes.make_token(account)}
    try:
        with (
            http.new_client(TIMEOUT) as client,
            client.stream(
                "POST", account.webhook_url, content=sent.body, headers=headers
            ) as answer,
        ):
            body = spellings.read_start(answer)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        yield Finding("bad", "Our public address", explain_no_connection(error))
        return
    seen = probes.read_answer(spellings.read_json(body)) if answer.status_code == 200 else None
    if seen is None:
        yield Finding("bad", "Our public address", _explain_stranger(account, answer, body))
        return
    yield Finding("good", "Our public address", f"{settings.PUBLIC_URL} leads here.")
    yield from _find_changes(sent, [*sent.headers, probes.HEADER], seen)
    yield _judge_signature(account, is_signed=signed is not None, rejected=seen["rejected"])
    yield _judge_spellings(account, credentials)


def _find_changes(
    sent: events.RawRequest, headers: list[str], seen: dict[str, Any]
) -> Iterator[Finding]:
    """Say how the request was changed on its way."""
    title = "Proxy"
    gone = [name for name in headers if name not in seen["headers"]]
    before = [finding for finding in (_judge_path(sent, seen), _judge_body(sent, seen)) if finding]
    yield from before
    if gone:
        words = f"It removes the header {', '.join(gone)}. Let it through."
        yield Finding("bad", title, words)
    host = urlsplit(settings.PUBLIC_URL).netloc
    if seen["host"].lower() != host.lower():
        words = (
            f"Requests arrive for the host {seen['host'][:100]}, not {host}. Signatures do not "
            "depend on it, but pages and sockets may, and pages answer only hosts in "
            "ALLOWED_HOSTS: have the proxy pass on the Host header."
        )
        yield Finding("doubt", title, words)
    elif not gone and not before:
        yield Finding("good", title, "Address, headers, and body arrive unchanged.")


def _judge_path(sent: events.RawRequest, seen: dict[str, Any]) -> Finding | None:
    if seen["path"] == sent.path:
        return None
    words = (
        f"We called {sent.path}, but {seen['path'][:200]} arrived. Signatures cover the address, "
        "so every request is refused. Set the proxy to pass on the path unchanged."
    )
    return Finding("bad", "Proxy", words)


def _judge_body(sent: events.RawRequest, seen: dict[str, Any]) -> Finding | None:
    if seen["body"] == hashlib.sha256(sent.body).hexdigest():
        return None
    words = (
        "It changes the body of requests, which signatures cover. Turn off whatever rewrites it."
    )
    return Finding("bad", "Proxy", words)


def _judge_signature(account: CarrierAccount, *, is_signed: bool, rejected: str) -> Finding:
    label = account.adapter.label
    if not is_signed:
        words = (
            f"Only {label} can sign requests, so only a real one can prove this. Text one of the "
            "account's numbers, then check that no webhook was rejected."
        )
        return Finding("doubt", "Signature", words)
    if rejected:
        return Finding("bad", "Signature", f"A correctly signed request is refused: {rejected}.")
    words = (
        f"A request signed with the stored secret is accepted. The first request from {label} "
        "shows whether it uses the same secret. Watch the rejected webhooks."
    )
    return Finding("good", "Signature", words)


def _judge_spellings(account: CarrierAccount, credentials: Mapping[str, str]) -> Finding:
    """Say at which other spellings of the address texts would be lost on the way."""
    title = "Other spellings of the address"
    found = {
        one.words: spellings.try_spelling(account, credentials, one)
        for one in spellings.list_spellings(account)
    }
    # Few proxies serve http at all, and what comes by it travels readable.
    by_http = found.pop("by http", None)
    advice = f"In {account.adapter.label}'s console, enter the address exactly as it is shown here"
    if by_http:
        advice += ", with https"
    lost = [f"{words}: {trouble}" for words, trouble in found.items() if trouble]
    if lost:
        return Finding(
            "doubt", title, f"Texts would be lost at these: {'; '.join(lost)}. {advice}."
        )
    taken = ", ".join(found)
    return Finding("good", title, f"Texts get in at these too: {taken}. {advice}.")


IN_FRONT = {
    400: "Something in front of Partyline refuses the request as malformed.",
    401: "Something in front of Partyline asks for a login. Let /webhooks/ through without one.",
    403: "Something in front of Partyline, such as a firewall, blocks the request. Let "
    "/webhooks/ through.",
    404: (
        "The address isn't known there: something else answers, or the proxy changes the path. "
        "Check PUBLIC_URL, and that the proxy passes on everything under /webhooks/."
    ),
    405: "Something in front of Partyline blocks POST requests.",
    413: "Something in front of Partyline refuses requests of this size.",
}
REDIRECTS = {301, 302, 303, 307, 308}


def _explain_stranger(account: CarrierAccount, answer: httpx.Response, body: bytes) -> str:
    """Say why the answer is not our own webhook's."""
    status = answer.status_code
    if status in REDIRECTS:
        return _explain_redirect(answer.next_request.url if answer.next_request else None)
    is_ack = status == 200 and body == account.adapter.ack()[0]
    if is_ack or (status in (401, account.adapter.rejection_status) and body == b"Not verified."):
        return (
            f"The request arrives without the header {probes.HEADER}: the proxy removes headers "
            "that it doesn't know. Carriers sign with such headers."
        )
    if status >= 500:
        return (
            f"The proxy answers {status}: it can't reach Partyline. Check that Partyline is "
            "running, and the address and port that the proxy forwards to."
        )
    other = f"Another program answers there ({status}). Check PUBLIC_URL."
    return IN_FRONT.get(status, other)


def _explain_redirect(to: httpx.URL | None) -> str:
    """Say where it leads, and what to do about it."""
    if to is None:
        return "It redirects without saying where to. Check PUBLIC_URL and the proxy."
    ours = httpx.URL(settings.PUBLIC_URL)
    if (to.scheme, to.host, to.port) != (ours.scheme, ours.host, ours.port):
        return (
            f"It redirects to {to.scheme}://{to.host}. Carriers don't follow redirects. Set "
            "PUBLIC_URL to the final address, and let the proxy answer for it."
        )
    if to.scheme == "https":
        return (
            "It redirects to itself, because the proxy doesn't say that the request came by "
            "https. Let it set X-Forwarded-Proto (nginx: `proxy_set_header X-Forwarded-Proto "
            "$scheme;`)."
        )
    return "It redirects to itself. Let the proxy pass requests on unchanged."


def explain_no_connection(error: Exception) -> str:
    """Say why our public address could not be called."""
    host = urlsplit(settings.PUBLIC_URL).netloc
    causes = [*_causes_of(error)]
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of {host} isn't valid: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return f"{host} doesn't answer with TLS. Is it http, or another port?"
        if isinstance(cause, socket.gaierror):
            return f"The name {host} can't be found. Check PUBLIC_URL and the DNS entry."
    if isinstance(error, httpx.ConnectTimeout):
        return (
            f"{host} doesn't answer from this machine. Some routers can't reach their own public "
            "address from inside, so carriers may still reach it. Try from elsewhere."
        )
    if isinstance(error, httpx.TimeoutException):
        return f"{host} accepts the connection, then doesn't answer."
    if isinstance(error, httpx.ConnectError):
        return f"Nothing listens at {host}. Is the proxy running, and is PUBLIC_URL right?"
    if isinstance(error, httpx.RemoteProtocolError | httpx.InvalidURL):
        return (
            f"{host} answers with something that isn't HTTP, or redirects to an invalid address. "
            "Check PUBLIC_URL and the proxy."
        )
    return f"The connection to {host} broke ({type(error).__name__})."


def _causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Return the error and those that caused it."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


# The way out


def _try_way_out(account: CarrierAccount, credentials: Mapping[str, str]) -> Iterator[Finding]:
    """Ask the carrier's API who we are, and what time it is there."""
    label = account.adapter.label
    offsets: list[float] = []

    def compare(response: httpx.Response) -> None:
        at = _read_date(response.headers.get("date", ""))
        if at is not None:
            offsets.append(time.time() - at)

    with http.new_client(TIMEOUT) as client:
        client.event_hooks = {"response": [compare]}
        result = account.adapter.identify(credentials, client)
    title = f"{label}'s API"
    if isinstance(result, results.AuthFailed):
        words = f"It doesn't accept the stored secrets: {result.detail}. Enter them again."
        yield Finding("bad", title, words)
    elif isinstance(result, results.CannotTell):
        words = (
            f"It can't be reached: {result.detail}. Check that this machine may connect to the "
            f"internet, and whether {label} has an outage."
        )
        yield Finding("bad", title, words)
    else:
        who = ", ".join(filter(None, [result.name, result.account]))
        words = f"It knows us as {who}. {result.remark}".strip()
        yield Finding("doubt" if result.remark else "good", title, words)
    if offsets:
        yield _judge_clock(label, offsets[0])


def _read_date(date: str) -> float | None:
    """Return an HTTP date (RFC 9110 §5.6.7) in seconds since 1970; None for anything else."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _judge_clock(label: str, ahead: float) -> Finding:
    """Judge our clock by the date of an answer, which is exact to a second or two."""
    off = round(abs(ahead))
    if off < CLOCK_DOUBT:
        return Finding("good", "Clock", f"It agrees with {label}'s.")
    words = (
        f"This machine's clock is {off} s {'ahead of' if ahead > 0 else 'behind'} {label}'s. "
        "Signatures with a time are refused when it's minutes off. Set the clock by NTP."
    )
    return Finding("bad" if off >= CLOCK_BAD else "doubt", "Clock", words)
