"""Call a carrier's API, and judge what its answer or silence says about the text."""

from __future__ import annotations

import base64
import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeGuard

import httpx
from django.conf import settings

from messaging.carriers import events, parsing, results

LONGEST_WAIT = 3600.0
BEFORE_WRITING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
# Refusals that do not say that the text was not taken: a conflict may be with itself.
MAYBE_TAKEN = {408, 409, 425}
# Classes that do not say it either, if the status leaves it open: the trouble may have come after.
UNCLEAR: frozenset[events.ErrorClass] = frozenset(
    {"server", "throttled", "transient", "expired", "other"}
)

SPOILT = "what is stored holds a character that no key has"


@dataclass(frozen=True, slots=True)
class Answers:
    """Describe how a carrier answers a request to send. The functions get the answer's JSON
    object.

    `classes` are by error code, or by HTTP status for an answer without a code that we know. A
    code decides before the status: one under which the text may have been taken is *ambiguous*.
    `code` returns the error code, empty for none. `words` returns the strings that say what is
    wrong, for people. `class_by_words` decides the class where one code means several things.
    `errors_are_not_sent` is for a carrier that documents that it never took what it answers with
    5xx.
    """

    label: str
    classes: Mapping[str, events.ErrorClass]
    message_id: Callable[[dict[str, Any]], object]
    code: Callable[[dict[str, Any]], object]
    words: Callable[[dict[str, Any]], tuple[object, ...]]
    errors_are_not_sent: bool = False
    class_by_words: Callable[[dict[str, Any]], events.ErrorClass | None] = lambda _: None

    def read_error(self, answer: dict[str, Any]) -> tuple[str, events.ErrorClass | None]:
        """Return the error code, and its class if we know the code."""
        given = self.code(answer)
        code = str(given)[: parsing.CODE_LIMIT] if isinstance(given, int | str) else ""
        return code, self.class_by_words(answer) or self.classes.get(code)


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context that checks the far end's name, made once: reading the certificates takes
    longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


class OutOfTime(httpx.ConnectTimeout):
    """The time for all calls together is over, so this one was not begun."""


def end_calls_after(client: httpx.Client, seconds: float) -> None:
    """Let the client begin no call after so many seconds, and wait no longer for any answer."""
    until = time.monotonic() + seconds

    def limit(request: httpx.Request) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise OutOfTime("no time left", request=request)
        limits = httpx.Timeout(left).as_dict()
        given = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {
            name: min(given.get(name) or left, left) for name in limits
        }

    hooks = client.event_hooks
    client.event_hooks = {**hooks, "request": [*hooks["request"], limit]}


def new_client(timeout: float | None = None) -> httpx.Client:
    """Return a client for a carrier's API. `timeout` is in seconds, by default CARRIER_TIMEOUT."""
    return httpx.Client(
        timeout=timeout or settings.CARRIER_TIMEOUT,
        trust_env=False,
        verify=tls_context(),
        follow_redirects=False,
    )


def post_text(
    client: httpx.Client, url: str, answers: Answers, **request: Any
) -> results.SendResult:
    """POST a text once and judge the answer. Redirects are never followed."""
    if is_spoilt(request.get("headers", {})):
        return results.AuthFailed(SPOILT)
    try:
        response = client.post(url, follow_redirects=False, **request)
    except httpx.RequestError as error:
        return judge_error(error)
    return judge_answer(response, answers)


def judge_answer(response: httpx.Response, answers: Answers) -> results.SendResult:
    """Return what a carrier's answer says of the text."""
    status, answer = response.status_code, json_object(response)
    said, words = f"{answers.label} answered {status}", _words(response, answers.words(answer))
    is_success = status in (200, 201, 202)
    if is_success and is_message_id(message_id := answers.message_id(answer)):
        return results.Accepted(message_id)
    code, error_class = answers.read_error(answer)
    error = _Error(code or str(status), f"{said}, error {code or 'not given'}", words)
    if error_class is not None and (is_success or status >= 400):
        is_open = not 400 <= status < 500 or status in MAYBE_TAKEN
        if not (is_open and error_class in UNCLEAR):
            return _refusal(response, error, error_class)
    if is_success:
        return results.OutcomeUnknown(f"{said} without a readable message id", code, words)
    if status == 429:
        return results.RateLimited(retry_after(response), code, words)
    if status >= 500 and answers.errors_are_not_sent:
        return results.NotSent(said, words)
    if status in MAYBE_TAKEN or not 400 <= status < 500:
        return results.OutcomeUnknown(said, code, words)
    if status == 401:
        return results.AuthFailed(error.detail, code, words)
    return _refusal(response, error, answers.classes.get(str(status), "other"))


@dataclass(frozen=True, slots=True)
class _Error:
    code: str
    detail: str
    words: str = field(repr=False)


def _refusal(
    response: httpx.Response, error: _Error, error_class: events.ErrorClass
) -> results.SendResult:
    code, detail, words = error.code, error.detail, error.words
    match error_class:
        case "auth":
            return results.AuthFailed(detail, code, words)
        case "opted_out":
            return results.OptedOut(code, detail, words)
        case "throttled":
            return results.RateLimited(retry_after(response), code, words)
        case "ambiguous":
            return results.OutcomeUnknown(detail, code, words)
        case _:
            return results.Rejected(code, error_class, detail, words)


def _words(response: httpx.Response, given: tuple[object, ...]) -> str:
    """Return what the answer says for people; of an answer that is no JSON, its plain text."""
    words = parsing.carrier_words(*given)
    if words or json_object(response) or len(response.content) > 4 * parsing.WORDS_LIMIT:
        return words
    text = response.text.strip()
    return "" if text[:1] in ("", "<", "{", "[") else parsing.carrier_words(text)


def judge_error(error: httpx.RequestError) -> results.NotSent | results.OutcomeUnknown:
    """Judge an error of the transport. Only before the first byte is a text surely not sent."""
    kind = type(error).__name__
    if isinstance(error, BEFORE_WRITING):
        return results.NotSent(f"no connection to the carrier ({kind})")
    return results.OutcomeUnknown(f"the connection broke before a clear answer ({kind})")


def get_json(
    client: httpx.Client, url: str, label: str, **request: Any
) -> dict[str, Any] | results.AuthFailed | results.CannotTell:
    """GET a JSON object from a carrier. Redirects are never followed."""
    if is_spoilt(request.get("headers", {})):
        return results.AuthFailed(SPOILT)
    try:
        response = client.get(url, follow_redirects=False, **request)
    except httpx.RequestError as error:
        return results.CannotTell(f"{label} could not be reached ({type(error).__name__})")
    if response.status_code in (401, 403):
        return results.AuthFailed(f"{label} answered {response.status_code}")
    answer = json_object(response)
    if response.status_code != 200 or not answer:
        return results.CannotTell(f"{label} answered {response.status_code}")
    return answer


def is_spoilt(headers: Mapping[str, str]) -> bool:
    """Return True if a header cannot be written (RFC 9110 §5.5), as with a key that was pasted
    with an invisible character."""
    return not all(value.isascii() and value.isprintable() for value in headers.values())


def basic_auth(user: str, password: str) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 §10.2.3: seconds or a date), at most an
    hour."""
    value = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def json_object(response: httpx.Response) -> dict[str, Any]:
    """Return the answer as a JSON object; empty if it is anything else."""
    try:
        value = response.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_message_id(value: object) -> TypeGuard[str]:
    """Return True if an answer names a message in a form that we can store and compare."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= parsing.ID_LIMIT
        and value.isascii()
        and value.isprintable()
    )
