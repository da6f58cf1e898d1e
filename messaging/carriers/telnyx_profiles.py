"""Read the messaging profiles of a Telnyx account, which say where its numbers' texts go.

Follows "Messaging profiles" and "List phone numbers associated with a messaging profile" of API
v2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Api, Interrupted, Resource, nothing_if_gone
from messaging.carriers.numbers import NotThere, Route
from messaging.carriers.telnyx_records import url

PAGE_SIZE = 250  # The most that Telnyx gives at once
MAX_PAGES = 20  # Of profiles, and of short codes; the rest of a larger account is told as a gap
READING = "reading numbers and messaging profiles"

WEBHOOK, VERSION, FAILOVER = "webhook_url", "webhook_api_version", "webhook_failover_url"
ENABLED = "enabled"


@dataclass(slots=True)
class Profile:
    """Hold a messaging profile; `members` are the first of its numbers, `member_count` counts
    them all, and is None if they were not asked for."""

    id: str
    name: str = field(default="", repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    destinations: str = ""
    is_off: bool = False
    is_there: bool = True
    members: tuple[str, ...] = field(default=(), repr=False)
    member_count: int | None = None

    def route(self, address: str) -> Route:
        """Return where it delivers the texts of one of its numbers."""
        if not self.id:
            return Route("", handler="profile", is_free=True, words="It has no messaging profile")
        if not self.is_there:
            words = "Its messaging profile was deleted"
            return Route("", handler="profile", is_free=True, words=words)
        others = tuple(one for one in self.members if one != address)
        count = (self.member_count or 0) - (address in self.members)
        return Route(
            self.values.get(WEBHOOK, ""),
            handler="profile",
            handler_id=self.id,
            handler_name=self.name,
            is_free=not self.values.get(WEBHOOK),
            words="Its messaging profile is disabled" if self.is_off else "",
            is_off=self.is_off,
            others=others[: numbers.NAMED_OTHERS],
            other_count=max(count, len(others)),
        )


@dataclass(slots=True)
class Profiles:
    """Read each profile once. Everything raises Interrupted."""

    api: Api
    gaps: dict[str, None] = field(default_factory=dict)
    _known: dict[str, Profile] = field(default_factory=dict, repr=False)

    def get(self, profile_id: str, *, with_members: bool) -> Profile:
        """Return a profile. One that is gone, with its numbers' texts, is empty."""
        if not profile_id:
            return Profile("")
        if profile_id not in self._known:
            self._known[profile_id] = self._read(profile_id)
        profile = self._known[profile_id]
        if with_members and profile.member_count is None:
            path = f"/messaging_profiles/{quote(profile_id, safe='')}/phone_numbers"
            profile.member_count = 0
            with nothing_if_gone():
                answer = read_page(self.api, path, 1)
                profile.members = tuple(address_of(one) for one in listed(answer))
                total = _meta(answer).get("total_results")
                profile.member_count = total if isinstance(total, int) else len(profile.members)
        return profile

    def read_all(self) -> list[Profile]:
        """Return the account's profiles as they are now."""
        return [_as_profile(one) for one in self.pages("/messaging_profiles")]

    def pages(self, path: str) -> Iterator[Resource]:
        """Return the resources of all pages of a list."""
        number = "1"
        for _ in range(MAX_PAGES):
            answer = read_page(self.api, path, int(number))
            yield from listed(answer)
            number = next_page(answer)
            if not number:
                return
        self.gaps["The account has more messaging profiles or short codes than are read."] = None

    def _read(self, profile_id: str) -> Profile:
        try:
            address = url(f"/messaging_profiles/{quote(profile_id, safe='')}")
            return _as_profile(data_of(self.api.read(address, READING)))
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere):
                return Profile(profile_id, is_there=False, member_count=0)
            raise


def read_page(api: Api, path: str, number: int) -> Resource:
    """Return a page of a list. Raise Interrupted."""
    page = {"page[number]": number, "page[size]": PAGE_SIZE}
    return api.read(f"{url(path)}?{urlencode(page)}", READING)


def listed(answer: Resource) -> list[Resource]:
    """Return the resources of a page. Raise Interrupted if it is not as documented."""
    found = answer.get("data")
    if isinstance(found, list) and all(isinstance(one, dict) and one.get("id") for one in found):
        return found
    raise Interrupted(results.CannotTell("Telnyx answered with no readable list"))


def data_of(answer: Resource) -> Resource:
    """Return the resource of an answer. Raise Interrupted if it is not as documented."""
    data = answer.get("data")
    if not isinstance(data, dict) or not data.get("id"):
        raise Interrupted(results.CannotTell("Telnyx's answer makes no sense"))
    return data


def next_page(answer: Resource) -> str:
    """Return the next page's number, empty at the end."""
    number, total = _meta(answer).get("page_number"), _meta(answer).get("total_pages")
    if isinstance(number, int) and isinstance(total, int) and number < total:
        return str(number + 1)
    return ""


def address_of(read: Resource) -> str:
    """Return the number or short code of a resource."""
    return str(read.get("phone_number") or read.get("short_code") or "")


def value_of(read: Resource, name: str) -> str:
    """Return a field of a resource as text."""
    value = read.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _as_profile(read: Resource) -> Profile:
    return Profile(
        id=str(read["id"]),
        name=str(read.get("name") or "")[:120],
        values={name: value_of(read, name) for name in (WEBHOOK, VERSION, FAILOVER)},
        destinations=value_of(read, "whitelisted_destinations"),
        is_off=read.get("enabled") is False,
    )


def _meta(answer: Resource) -> Mapping[str, Any]:
    meta = answer.get("meta")
    return meta if isinstance(meta, dict) else {}
