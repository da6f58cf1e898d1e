"""Read Vonage's Reports API (`/v2/reports/records`), a day at a time.

Vonage charges for it by the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import httpx
from django.conf import settings

from messaging.carriers import events, http, parsing, results

DAY = timedelta(days=1)  # The longest time that one question may span

DAYS = 7

Record = Mapping[str, Any]
Span = tuple[datetime, datetime]


def url(base: str, path: str) -> str:
    """Return an address of the API at VONAGE_API_URL, or at `base`, one of Vonage's hosts."""
    return str(getattr(settings, "VONAGE_API_URL", base)).rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Reports:
    """Read the records of an account; `login` is its API key and secret."""

    login: tuple[str, str] = field(repr=False)
    client: httpx.Client = field(repr=False)

    def find(
        self, sought: results.Sought
    ) -> Record | results.NotFound | results.CannotTell | results.AuthFailed:
        """Return the record with our reference. An SMS may be under either product."""
        start, end = sought.earliest, sought.latest
        is_all = end - start <= DAY
        for product in ("MESSAGES", "SMS"):
            read = self._read(product, "outbound", (start, min(end, start + DAY)))
            if not isinstance(read, tuple):
                return read
            for record in read[0]:
                if record.get("client_ref") == sought.attempt_token:
                    return record
            is_all = is_all and read[1]
        return (
            results.NotFound()
            if is_all
            else results.CannotTell("Vonage's records are too many to read")
        )

    def inbound(self, number: str, since: datetime, known: frozenset[str]) -> results.ListResult:
        """Return texts that came to the number, a week back at most; the newest days first."""
        texts: tuple[events.InboundText, ...] = ()
        end = datetime.now(UTC)
        for _ in range(DAYS):
            start = max(since, end - DAY)
            read = self._read("MESSAGES", "inbound", (start, end))
            if not isinstance(read, tuple):
                return read
            records, is_all = read
            fresh = [r for r in records if _is_for(number, r) and r["message_id"] not in known]
            day, is_readable = _texts(fresh)
            texts = day + texts
            if start == since or not (is_all and is_readable):
                return results.Listed(texts, start == since and is_all and is_readable)
            end = start
        return results.Listed(texts, is_all=False)

    def _read(
        self, product: str, direction: Literal["inbound", "outbound"], span: Span
    ) -> tuple[list[Record], bool] | results.AuthFailed | results.CannotTell:
        """Return the records of a time, and whether they are all."""
        if not all(self.login):
            return results.AuthFailed("the API key or its secret is not stored")
        params = {
            "account_id": self.login[0],
            "product": product,
            "direction": direction,
            "date_start": _stamp(span[0]),
            "date_end": _stamp(span[1]),
            "include_message": "true" if direction == "inbound" else "false",
        }
        address = url("https://api.nexmo.com", "/v2/reports/records")
        answer = http.get_json(self.client, address, "Vonage", params=params, auth=self.login)
        if not isinstance(answer, dict):
            return answer
        try:
            records = parsing.read_objects("records", answer.get("records"))
        except events.Unparsable:
            return results.CannotTell("Vonage's answer makes no sense")
        links = answer.get("_links")
        has_more = bool(answer.get("cursor")) or (isinstance(links, dict) and "next" in links)
        return records, not has_more and answer.get("request_status", "SUCCESS") == "SUCCESS"


def _is_for(number: str, record: Record) -> bool:
    """Return True if it came to us by the Messages API; ids of the older SMS API are no UUIDs."""
    try:
        UUID(str(record.get("message_id")))
    except ValueError:
        return False
    return parsing.with_plus(str(record.get("to", ""))) == number


def _texts(records: list[Record]) -> tuple[tuple[events.InboundText, ...], bool]:
    """Return the texts, oldest first, and whether all records could be read."""
    texts = []
    for record in records:
        try:
            texts.append(_text(record))
        except events.Unparsable:
            continue
    ordered = sorted(texts, key=lambda text: text.sent_at or datetime.max.replace(tzinfo=UTC))
    return tuple(ordered), len(texts) == len(records)


def _text(record: Record) -> events.InboundText:
    return events.InboundText(
        carrier_message_id=parsing.read_string(record, "message_id"),
        sender=parsing.with_plus(
            parsing.clean_required(
                "from", parsing.read_string(record, "from"), parsing.ADDRESS_LIMIT
            )
        ),
        recipient=parsing.with_plus(
            parsing.clean_required("to", parsing.read_string(record, "to"), parsing.ADDRESS_LIMIT)
        ),
        body=parsing.clean_field("message_body", parsing.read_string(record, "message_body")),
        sent_at=parsing.read_time("date_received", parsing.read_string(record, "date_received")),
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
