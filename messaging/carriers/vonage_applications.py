"""Read and change Vonage's applications, which say where the texts of their numbers go.

Follows "Application API" v2 (Basic auth with the API key and its secret). An update replaces the
whole application, so it is read first and written back with what is to change.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Api, Interrupted, Resource
from messaging.carriers.numbers import NotThere, Trouble
from messaging.carriers.vonage_reports import url

PAGE_SIZE = 100
MAX_PAGES = 20
READING, CHANGING = "reading applications", "changing applications"

INBOUND, STATUS = "inbound_url", "status_url"
VERSION, MEDIA = "version", "authenticate_inbound_media"
OUR_NAME = "Partyline"
# What may be in a resource that is read, and is no part of one that is written.
ONLY_READ = ("id", "_links")


def wanted_values(webhook_url: str) -> dict[str, str]:
    """Return how the capability Messages has to be, as `values_of` returns it."""
    return {INBOUND: webhook_url, STATUS: webhook_url, VERSION: "v1", MEDIA: "off"}


def values_of(application: Resource) -> dict[str, str]:
    """Return the capability Messages as text; empty texts if the application has it not."""
    capability = _messages(application)
    webhooks = capability.get("webhooks")
    webhooks = webhooks if isinstance(webhooks, dict) else {}
    found = {name: _address(webhooks.get(name)) for name in (INBOUND, STATUS)}
    is_there = any(found.values())
    found[VERSION] = str(capability.get(VERSION) or ("v1" if is_there else ""))
    found[MEDIA] = "on" if capability.get(MEDIA) else ("off" if is_there else "")
    return found


def other_capabilities(application: Resource) -> frozenset[str]:
    """Return the names of the capabilities beside Messages, such as voice."""
    capabilities = application.get("capabilities")
    return frozenset(capabilities if isinstance(capabilities, dict) else ()) - {"messages"}


@dataclass(slots=True)
class Applications:
    """Read each application once."""

    api: Api
    _known: dict[str, Resource] = field(default_factory=dict, repr=False)

    def get(self, application_id: str) -> Resource:
        """Return an application; empty if it is gone. Raise Interrupted."""
        if application_id not in self._known:
            try:
                self._known[application_id] = self.api.read(_url(application_id), READING)
            except Interrupted as stop:
                if not isinstance(stop.reason, NotThere):
                    raise
                self._known[application_id] = {}
        return self._known[application_id]

    def change(
        self, application_id: str, wanted: Mapping[str, str]
    ) -> numbers.Applied | NotThere | Trouble:
        """Write the capability Messages as wanted, and the rest as it is."""
        try:
            read = self.api.read(_url(application_id), READING)
        except Interrupted as stop:
            return stop.reason
        body = with_messages(read, {**values_of(read), **wanted})
        answer = self.api.change("PUT", _url(application_id), CHANGING, json=body)
        if not isinstance(answer, dict):
            return answer
        now = values_of(answer)
        if not all(numbers.is_same(now[name], value) for name, value in wanted.items()):
            return results.OutcomeUnknown("Vonage answered with other values")
        return numbers.Applied()

    def make(self, wanted: Mapping[str, str]) -> numbers.Applied | NotThere | Trouble:
        """Return the application that is as wanted, as of an earlier try, or make it."""
        values = {name: value for name, value in wanted.items() if name != "name"}
        try:
            for application in self._pages():
                if application.get("name") == wanted["name"] and values_of(application) == values:
                    return numbers.Applied(str(application["id"]))
        except Interrupted as stop:
            return stop.trouble
        body = with_messages({"name": wanted["name"]}, values)
        answer = self.api.change("POST", _url(""), CHANGING, json=body)
        if not isinstance(answer, dict):
            return answer
        made = answer.get("id")
        if not isinstance(made, str) or not made:
            return results.OutcomeUnknown("Vonage does not say the new application's id")
        return numbers.Applied(made)

    def _pages(self) -> Iterator[Resource]:
        for page in range(1, MAX_PAGES + 1):
            query = urlencode({"page_size": PAGE_SIZE, "page": page})
            answer = self.api.read(f"{_url('')}?{query}", READING)
            embedded = answer.get("_embedded")
            listed = embedded.get("applications") if isinstance(embedded, dict) else None
            if not isinstance(listed, list):
                raise Interrupted(results.CannotTell("Vonage answered with no readable list"))
            yield from (one for one in listed if isinstance(one, dict) and one.get("id"))
            total = answer.get("total_pages")
            if not isinstance(total, int) or page >= total:
                return


def with_messages(application: Resource, values: Mapping[str, str]) -> dict[str, Any]:
    """Return an application to be written, with these values of the capability Messages.

    Without an address the capability is taken out.
    """
    body = {
        name: copy.deepcopy(value) for name, value in application.items() if name not in ONLY_READ
    }
    capabilities = body.get("capabilities")
    body["capabilities"] = capabilities = capabilities if isinstance(capabilities, dict) else {}
    if not values[INBOUND]:
        capabilities.pop("messages", None)
        return body
    webhooks = {
        name: {"address": values[name], "http_method": "POST"}
        for name in (INBOUND, STATUS)
        if values[name]
    }
    capabilities["messages"] = {
        **_messages(application),
        "webhooks": webhooks,
        VERSION: values[VERSION] or "v1",
        MEDIA: values[MEDIA] == "on",
    }
    return body


def _messages(application: Resource) -> Mapping[str, Any]:
    capabilities = application.get("capabilities")
    messages = capabilities.get("messages") if isinstance(capabilities, dict) else None
    return messages if isinstance(messages, dict) else {}


def _address(webhook: object) -> str:
    return str(webhook.get("address") or "") if isinstance(webhook, dict) else ""


def _url(application_id: str) -> str:
    path = f"/{quote(application_id, safe='')}" if application_id else ""
    return url("https://api.nexmo.com", f"/v2/applications{path}")
