"""Read Twilio's log of Messages, which SignalWire keeps in the same form.

Follows "Message resource: read multiple" and "Media resource". Pages come newest first. A text
that still waits there has no DateSent, so only the log of inbound ones is narrowed by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from inboxes.integers import read_integer
from messaging.carriers import events, http, parsing, results

PAGE_SIZE = 200
MAX_PAGES = 10

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """Read the Messages of an account; `url` is the account's, without the suffix."""

    label: str
    url: str
    login: tuple[str, str] = field(repr=False)
    client: httpx.Client = field(repr=False)
    suffix: str = ".json"

    def find(
        self, sought: results.Sought
    ) -> Message | results.NotFound | results.CannotTell | results.AuthFailed:
        """Return the oldest Message that may be the attempt's.

        One that is worded otherwise may be it too, since Twilio puts words before those of a trial
        account and replaces characters: the text is then neither found nor missing.
        """
        query = {"From": sought.sender, "To": sought.recipient}
        listed = self._messages(query, sought.earliest)
        if not isinstance(listed, tuple):
            return listed
        messages, is_all = listed
        near = [message for message in messages if _may_be(message, sought)]
        for message in near:
            if str(message.get("body") or "").strip() == sought.body.strip():
                return message
        if near:
            return results.CannotTell(
                f"{self.label}'s log has a text of that time, worded otherwise"
            )
        return (
            results.NotFound()
            if is_all
            else results.CannotTell(f"{self.label}'s log is too long to read")
        )

    def inbound(self, number: str, since: datetime, known: frozenset[str]) -> results.ListResult:
        """Return texts that came to the number, without those that are known."""
        query = {"To": number, "DateSent>": f"{since.astimezone(UTC):%Y-%m-%d}"}
        listed = self._messages(query, since)
        if not isinstance(listed, tuple):
            return listed
        messages, is_all = listed
        texts = []
        for message in messages:
            if message.get("direction") != "inbound" or message["sid"] in known:
                continue
            media = self._media(message)
            if isinstance(media, results.AuthFailed):
                return media
            if isinstance(media, results.CannotTell):
                is_all = False
                continue
            try:
                texts.append(_text(message, media))
            except events.Unparsable:
                is_all = False
        return results.Listed(tuple(texts), is_all)

    def _messages(
        self, query: Mapping[str, str], since: datetime
    ) -> tuple[list[Message], bool] | results.AuthFailed | results.CannotTell:
        """Return those created since (to the second), oldest first, and whether they are all."""
        since = since.replace(microsecond=0)
        page = f"{self.url}/Messages{self.suffix}?" + urlencode({**query, "PageSize": PAGE_SIZE})
        found: list[Message] = []
        for _ in range(MAX_PAGES):
            answer = http.get_json(self.client, page, self.label, auth=self.login)
            if not isinstance(answer, dict):
                return answer
            listed = _readable(answer)
            if listed is None:
                return results.CannotTell(f"{self.label}'s log cannot be read")
            fresh = [message for message in listed if _created_at(message) >= since]
            found = fresh[::-1] + found
            following = _next_page(page, answer)
            if following is None or (listed and not fresh):
                return sorted(found, key=_created_at), True
            page = following
        return sorted(found, key=_created_at), False

    def _media(
        self, message: Message
    ) -> tuple[events.InboundMedia, ...] | results.AuthFailed | results.CannotTell:
        count = read_integer(str(message.get("num_media") or "0")) or 0
        if not count:
            return ()
        base = f"{self.url}/Messages/{quote(message['sid'], safe='')}/Media"
        answer = http.get_json(self.client, f"{base}{self.suffix}", self.label, auth=self.login)
        if not isinstance(answer, dict):
            return answer
        items = answer.get("media_list")
        found = tuple(
            events.InboundMedia(
                f"{base}/{quote(item['sid'], safe='')}",
                str(item.get("content_type", ""))[: parsing.TYPE_LIMIT],
            )
            for item in (items if isinstance(items, list) else [])
            if isinstance(item, dict) and http.is_message_id(item.get("sid"))
        )
        return parsing.with_missing_media(found, count)


def _readable(answer: Mapping[str, Any]) -> list[Message] | None:
    """Return a page of the log; None if it is not as documented."""
    messages = answer.get("messages")
    if not isinstance(messages, list):
        return None
    for message in messages:
        if not isinstance(message, dict) or not http.is_message_id(message.get("sid")):
            return None
        try:
            _created_at(message)
        except (KeyError, TypeError, ValueError):
            return None
    return messages


def _created_at(message: Mapping[str, Any], key: str = "date_created") -> datetime:
    """Return a time of the log (RFC 2822, to the second)."""
    at = parsedate_to_datetime(message[key])
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _next_page(page: str, answer: Mapping[str, Any]) -> str | None:
    """Return the following page's address, at the same host only, since the login goes there."""
    path = answer.get("next_page_uri")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        return None
    return str(httpx.URL(page).join(path))


def _may_be(message: Message, sought: results.Sought) -> bool:
    """Return True if all but the words agree."""
    return (
        message["sid"] not in sought.not_these
        and str(message.get("direction", "")).startswith("outbound")
        and message.get("to") == sought.recipient
        and _created_at(message) <= sought.latest
    )


def _text(message: Message, media: tuple[events.InboundMedia, ...]) -> events.InboundText:
    return events.InboundText(
        carrier_message_id=message["sid"],
        sender=parsing.clean_required(
            "from", str(message.get("from") or ""), parsing.ADDRESS_LIMIT
        ),
        recipient=parsing.clean_required(
            "to", str(message.get("to") or ""), parsing.ADDRESS_LIMIT
        ),
        body=parsing.clean_field("body", str(message.get("body") or "")),
        sent_at=_created_at(message),
        media=media,
    )
