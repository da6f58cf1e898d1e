"""Read Telnyx's API: its detail records and its messages.

Follows "Search detail records" (by days, 50 at once) and "Retrieve a message" (ten days long). A
record has no words; a message has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from messaging.carriers import events, http, parsing, results

PAGE = 50
MAX_PAGES = 10
# How late a detail record may be: Telnyx waits for the carriers' word first.
LAG = timedelta(hours=4)

Record = Mapping[str, Any]


def url(path: str) -> str:
    """Return an address of the API, at TELNYX_API_URL or Telnyx's own."""
    base = str(getattr(settings, "TELNYX_API_URL", "https://api.telnyx.com"))
    return f"{base.rstrip('/')}/v2{path}"


def between(direction: str, since: datetime, until: datetime | None = None) -> dict[str, str]:
    """Return filters for a direction and a time; Telnyx applies only its days (UTC)."""
    filters = {
        "filter[direction]": direction,
        "filter[created_at][gte]": f"{since.astimezone(UTC):%Y-%m-%d}",
    }
    if until is not None:
        day_after = until.astimezone(UTC) + timedelta(days=1)
        filters["filter[created_at][lt]"] = f"{day_after:%Y-%m-%d}"
    return filters


@dataclass(frozen=True, slots=True)
class Records:
    """Call the API with one key."""

    key: str = field(repr=False)
    client: httpx.Client = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def get(
        self, path: str, **params: str
    ) -> dict[str, Any] | results.AuthFailed | results.CannotTell:
        """Return the answer of any address."""
        if not self.key:
            return results.AuthFailed("the API key is not stored")
        return http.get_json(self.client, url(path), "Telnyx", params=params, headers=self.headers)

    def listed(
        self, path: str, **params: str
    ) -> list[Record] | results.AuthFailed | results.CannotTell:
        """Return the objects of a page."""
        answer = self.get(path, **params)
        if not isinstance(answer, dict):
            return answer
        try:
            return parsing.read_objects("data", answer.get("data"))
        except events.Unparsable:
            return results.CannotTell("Telnyx's answer makes no sense")

    def records(
        self, filters: Mapping[str, str]
    ) -> tuple[list[Record], bool] | results.AuthFailed | results.CannotTell:
        """Return the newest detail records of messages, oldest first, and whether they are all.

        Filters are parameters by their whole names.
        """
        params = {**filters, "filter[record_type]": "messaging", "sort": "-created_at"}
        found: list[Record] = []
        for number in range(1, MAX_PAGES + 1):
            page = {"page[number]": str(number), "page[size]": str(PAGE)}
            records = self.listed("/detail_records", **params, **page)
            if not isinstance(records, list):
                return records
            found += records
            if len(records) < PAGE:
                return found[::-1], True
        return found[::-1], False

    def message(self, message_id: object) -> Record | results.AuthFailed | results.CannotTell:
        """Return the whole message of a record."""
        if not http.is_message_id(message_id):
            return results.CannotTell("Telnyx does not say a message's id")
        answer = self.get(f"/messages/{quote(message_id, safe='')}")
        if not isinstance(answer, dict):
            return answer
        data = answer.get("data")
        return (
            data
            if isinstance(data, dict)
            else results.CannotTell("Telnyx's answer makes no sense")
        )
