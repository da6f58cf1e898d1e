"""Read the lists of Twilio's APIs page by page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from messaging.carriers import results
from messaging.carriers.api_calls import Api, Interrupted, Resource

PAGE_SIZE = 1000  # The most that Twilio gives at once


def read_list(answer: Resource, key: str, label: str) -> list[Resource]:
    """Return the resources of a list's page. Raise Interrupted if it is not as documented."""
    listed = answer.get(key)
    if isinstance(listed, list) and all(
        isinstance(one, dict) and one.get("sid") for one in listed
    ):
        return listed
    raise Interrupted(results.CannotTell(f"{label} answered with no readable list"))


def read_pages(api: Api, base: str, path: str, key: str, permission: str) -> Iterator[Resource]:
    """Return the resources of all pages of a list of Messaging v1. Raise Interrupted."""
    following = f"{path}?PageSize={PAGE_SIZE}"
    while following:
        answer = api.read(base + following, permission)
        yield from read_list(answer, key, api.label)
        meta = answer.get("meta")
        following = path_behind(base, meta.get("next_page_url") if isinstance(meta, dict) else "")


def path_behind(base: str, following: object) -> str:
    """Return the next page's address without `base`; empty if there is none, or if it leads
    elsewhere, since the login goes there."""
    if not isinstance(following, str) or not following:
        return ""
    url = urljoin(base, following)
    return url.removeprefix(base) if url.startswith(f"{base}/") else ""
