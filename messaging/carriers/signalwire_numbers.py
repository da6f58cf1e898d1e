"""Read the numbers of a SignalWire project, and set where their texts go.

Follows "Phone Numbers", "Short Codes" and "Campaign Registry" of SignalWire's REST API, whose
`message_handler` says what takes a number's texts; the Compatibility API doesn't tell that.
Whether a toll-free number is verified only its "Incoming Phone Numbers" tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urljoin

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Api, Interrupted, Resource
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Route, Step, Trouble
from messaging.carriers.registrations import Register, State

PAGE_SIZE = 1000  # The most that SignalWire gives at once
MAX_PAGES = 100  # Of brands, campaigns, and numbers in them, together
READING = CHANGING = "Numbers"  # The token's scope
REGISTRY = "Numbers and Messaging"

HANDLER, URL, METHOD = "message_handler", "message_request_url", "message_request_method"
WEBHOOKS = "laml_webhooks"
LABELS = {
    HANDLER: "Handle messages using",
    URL: "When a message comes in",
    METHOD: "When a message comes in: method",
}
# What takes texts that go to no address, in words, and its field.
OTHER_HANDLERS = {
    "laml_application": ("A cXML application takes them", "message_laml_application_id"),
    "relay_application": ("A Relay application takes them", "message_relay_application"),
    "relay_topic": ("A Relay topic takes them", "message_relay_topic"),
    "relay_context": ("A Relay context takes them", "message_relay_context"),
}
ASSIGNMENTS: dict[str, State] = {
    "completed": "good",
    "pending": "waiting",
    "failed": "refused",
}
VERIFICATIONS: dict[str, State] = {
    "verified": "good",
    "pending": "waiting",
    "in review": "waiting",
    "rejected": "refused",
    "unverified": "missing",
}

Path = Literal["phone_numbers", "short_codes"]
States = dict[str, State | None]  # By number


@dataclass(slots=True)
class SignalWireDirectory(numbers.Directory):
    """Read and route the numbers of a project. `rest_url` is the REST API's, `account_url` the
    project's in the Compatibility API."""

    api: Api
    rest_url: str = field(repr=False)
    account_url: str = field(repr=False)
    _register: Register = field(init=False, repr=False)
    _campaigns: States | None = field(default=None, repr=False)
    _verifications: States | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._register = Register(self.api.label, self._verification_of, self._campaign_of)

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read a page of phone numbers; short codes come with the first one."""
        path = cursor or f"/phone_numbers?page_size={PAGE_SIZE}"
        try:
            answer = self.api.read(self.rest_url + path, READING)
            read = _listed(answer)
            if not cursor:
                read = [*read, *self._short_codes()]
            found = [self._offer(one, with_registration=with_registration) for one in read]
        except Interrupted as stop:
            return stop.trouble
        return numbers.Page(tuple(found), self._next(answer), tuple(self._register.gaps))

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Read one number or short code."""
        path: Path = "phone_numbers" if address.startswith("+") else "short_codes"
        try:
            read = self.api.read(self._url(path, carrier_id), READING)
        except Interrupted as stop:
            return stop.reason
        if read.get("number") != address:
            return NotThere()
        try:
            return self._offer(read, with_registration=with_registration)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the number's own address, and that it is used."""
        route = number.route
        if route is None or (route.leads_to(webhook_url) and route.method == "POST"):
            return ()
        wanted = {HANDLER: WEBHOOKS, URL: webhook_url, METHOD: "POST"}
        changes = [
            FieldChange(name, LABELS[name], number.fields.get(name, ""), value)
            for name, value in wanted.items()
            if number.fields.get(name, "") != value
        ]
        resource = "short_codes" if number.kind == "short_code" else "phone_numbers"
        return (Step(resource, number.carrier_id, "The number", tuple(changes)),)

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the number that the step changes."""
        try:
            read = self.api.read(self._url(step.resource, step.resource_id), READING)
        except Interrupted as stop:
            return stop.reason
        return {one.name: _value(read, one.name) for one in step.fields}

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call, and compare them with the answer's."""
        fields = {one.name: one.will_be for one in step.fields}
        url = self._url(step.resource, step.resource_id)
        answer = self.api.change("PUT", url, CHANGING, json={HANDLER: WEBHOOKS} | fields)
        if not isinstance(answer, dict):
            return answer
        if any(_value(answer, name) != value for name, value in fields.items()):
            return results.OutcomeUnknown(f"{self.api.label} answered with other values")
        return numbers.Applied()

    def _url(self, resource: str, resource_id: str) -> str:
        return f"{self.rest_url}/{resource}/{quote(resource_id, safe='')}"

    def _short_codes(self) -> list[Resource]:
        """Return the project's short codes. Whoever has none may not be allowed to ask."""
        try:
            return [*self._pages(f"/short_codes?page_size={PAGE_SIZE}", READING)]
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere | results.Forbidden):
                return []
            raise

    def _offer(self, read: Resource, *, with_registration: bool) -> OfferedNumber:
        """Describe a phone number or a short code."""
        address, can = str(read.get("number") or ""), read.get("capabilities")
        can = can if isinstance(can, list) else []
        kind = numbers.kind_of(address, str(read.get("number_type")))
        registration = self._register.look_up(address, kind) if with_registration else None
        return OfferedNumber(
            address=address,
            carrier_id=str(read.get("id") or ""),
            kind=kind,
            can_sms="sms" in can,
            can_mms="mms" in can,
            route=_route(read),
            name=str(read.get("name") or "")[:120],
            registration=registration,
            fields={name: _value(read, name) for name in LABELS},
        )

    def _campaign_of(self, address: str) -> State | None:
        if self._campaigns is None:
            self._campaigns = dict(self._read_campaigns())
        return self._campaigns.get(address, "missing")

    def _read_campaigns(self) -> Iterator[tuple[str, State | None]]:
        """Return the state of every number in a campaign of any brand. Raise Interrupted."""
        registry = "/registry/beta"
        for brand in self._pages(f"{registry}/brands", REGISTRY):
            path = f"{registry}/brands/{quote(str(brand.get('id')), safe='')}/campaigns"
            for campaign in self._pages(path, REGISTRY):
                within = f"{registry}/campaigns/{quote(str(campaign.get('id')), safe='')}/numbers"
                for assigned in self._pages(within, REGISTRY):
                    number = assigned.get("phone_number")
                    address = number.get("number") if isinstance(number, dict) else ""
                    yield str(address), ASSIGNMENTS.get(str(assigned.get("state")).lower())

    def _verification_of(self, address: str) -> State | None:
        if self._verifications is None:
            url = f"{self.account_url}/IncomingPhoneNumbers?PageSize={PAGE_SIZE}"
            listed = self.api.read(url, READING).get("incoming_phone_numbers")
            self._verifications = {
                str(one.get("phone_number")): VERIFICATIONS.get(
                    str(one.get("verification_status")).lower().replace("_", " ")
                )
                for one in (listed if isinstance(listed, list) else [])
                if isinstance(one, dict) and one.get("verification_status")
            }
        return self._verifications.get(address)

    def _pages(self, path: str, permission: str) -> Iterator[Resource]:
        """Return the resources of all pages of a list. Raise Interrupted."""
        for _ in range(MAX_PAGES):
            answer = self.api.read(self.rest_url + path, permission)
            yield from _listed(answer)
            path = self._next(answer)
            if not path:
                return

    def _next(self, answer: Resource) -> str:
        """Return the next page's address without `rest_url`; empty if there is none, or if it
        leads elsewhere, since the login goes there."""
        links = answer.get("links")
        following = links.get("next") if isinstance(links, dict) else None
        if not isinstance(following, str) or not following:
            return ""
        url = urljoin(self.rest_url, following)
        return url.removeprefix(self.rest_url) if url.startswith(f"{self.rest_url}/") else ""


def read_error(answer: Resource) -> tuple[object, object]:
    """Return an error's number and words, of a list or of the Compatibility API."""
    listed = answer.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else answer
    if not isinstance(first, dict):
        return None, first
    return first.get("code"), first.get("detail") or first.get("message")


def _listed(answer: Resource) -> list[Resource]:
    """Return the resources of a page. Raise Interrupted if it is not as documented."""
    found = answer.get("data")
    if isinstance(found, list) and all(isinstance(one, dict) and one.get("id") for one in found):
        return found
    raise Interrupted(results.CannotTell("SignalWire answered with no readable list"))


def _value(read: Resource, name: str) -> str:
    """Return a field as text; without a handler a number's own address is used, by POST."""
    defaults = {HANDLER: WEBHOOKS, METHOD: "POST"}
    return str(read.get(name) or defaults.get(name, ""))


def _route(read: Resource) -> Route:
    handler = _value(read, HANDLER)
    if handler != WEBHOOKS:
        words, key = OTHER_HANDLERS.get(handler, ("Something else takes them", ""))
        return Route("", handler="application", handler_id=str(read.get(key) or ""), words=words)
    url = _value(read, URL)
    return Route(url, _value(read, METHOD), is_free=not url)
