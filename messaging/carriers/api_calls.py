"""Read and change a carrier's resources other than texts, and judge its answer or silence.

What is written here may be written again without harm: whoever gets no clear answer reads what
came of it, and may try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from messaging.carriers import http, numbers, parsing, results

Resource = dict[str, Any]
Answer = Resource | numbers.NotThere | numbers.Trouble

# Answers that leave open whether a change was made.
UNCLEAR = {408, 409, 425}


class Interrupted(Exception):
    """Reading ended before its end; `reason` says why, to be returned to the caller."""

    def __init__(self, reason: numbers.NotThere | numbers.Trouble) -> None:
        super().__init__(type(reason).__name__)
        self.reason = reason

    @property
    def trouble(self) -> numbers.Trouble:
        """Return the reason where a resource must be there, such as a list."""
        if isinstance(self.reason, numbers.NotThere):
            return results.Refused("the carrier answered 404", "404")
        return self.reason


@contextmanager
def nothing_if_gone() -> Iterator[None]:
    """Go on behind the block if what is read in it was deleted meanwhile."""
    try:
        yield
    except Interrupted as stop:
        if not isinstance(stop.reason, numbers.NotThere):
            raise


def read_plain_error(answer: Resource) -> tuple[object, object]:
    """Return an error's number and words where they stand at the top, as Twilio's do."""
    return answer.get("code"), answer.get("message")


@dataclass(frozen=True, slots=True)
class Api:
    """Call the API of one account. `request` holds what every call has, such as `auth`."""

    label: str
    client: httpx.Client = field(repr=False)
    request: dict[str, Any] = field(repr=False)
    # Read an answer's object, empty if there is none, and an error's number and its words.
    parse: Callable[[httpx.Response], Resource] = http.json_object
    read_error: Callable[[Resource], tuple[object, object]] = read_plain_error

    def read(self, url: str, permission: str) -> Resource:
        """Return the object at `url`. `permission` names what the key may lack for it.

        Raise Interrupted.
        """
        answer = self._call("GET", url, permission)
        if not isinstance(answer, dict):
            raise Interrupted(answer)
        return answer

    def change(self, method: str, url: str, permission: str, **body: Any) -> Answer:
        """Make a change and return the object of the answer, empty if it has none.

        `body` is httpx's `data`, `json` or `content`. OutcomeUnknown if the change may have been
        made.
        """
        return self._call(method, url, permission, **body)

    def _call(self, method: str, url: str, permission: str, **body: Any) -> Answer:
        if http.is_spoilt(self.request.get("headers", {})):
            return results.AuthFailed(http.SPOILT)
        is_change = method != "GET"
        try:
            response = self.client.request(
                method, url, follow_redirects=False, **self.request, **body
            )
        except httpx.RequestError as error:
            words = f"{self.label} did not answer ({type(error).__name__})"
            if isinstance(error, http.OutOfTime):
                words = f"{self.label} was too slow, there was no time left for all calls"
            if is_change and not isinstance(error, http.BEFORE_WRITING):
                return results.OutcomeUnknown(words)
            return results.CannotTell(words)
        return self._judge(response, permission, is_change=is_change)

    def _judge(self, response: httpx.Response, permission: str, *, is_change: bool) -> Answer:
        status, answer = response.status_code, self.parse(response)
        said = f"{self.label} answered {status}"
        if response.is_success:
            is_readable = bool(answer) or (is_change and not response.content.strip())
            if is_readable:
                return answer
            return (
                results.OutcomeUnknown(f"{said} with something unreadable")
                if is_change
                else results.CannotTell(f"{said} with something unreadable")
            )
        given, said_by_them = self.read_error(answer)
        code = str(given or "")[: parsing.CODE_LIMIT]
        words = parsing.carrier_words(said_by_them)
        match status:
            case 401:
                return results.AuthFailed(said, code, words)
            case 403:
                return results.Forbidden(permission, said)
            case 404:
                return numbers.NotThere()
            case 429:
                return results.RateLimited(http.retry_after(response), code, words)
        if status >= 500 or status in UNCLEAR:
            return results.OutcomeUnknown(said) if is_change else results.CannotTell(said)
        if status < 400:
            return results.CannotTell(f"{said}, which leads elsewhere")
        return results.Refused(f"{said}, error {code or 'not given'}", code, words)
