"""Read the phone numbers of a Twilio account, and set where their texts go.

Follows "IncomingPhoneNumber", "ShortCode" and "Application resource" of API 2010-04-01, and
"Service", "PhoneNumber (Messaging Services)", "Toll-Free Verification" and "UsAppToPerson" of
Messaging v1. A number's texts go to its `SmsApplicationSid`, else to its `SmsUrl`; if it belongs
to a Messaging Service without `UseInboundWebhookOnNumber`, to that Service's `InboundRequestUrl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal
from urllib.parse import quote, urlsplit

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Api, Interrupted, Resource, nothing_if_gone
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Route, Step, Trouble
from messaging.carriers.registrations import Register
from messaging.carriers.twilio_lists import PAGE_SIZE, path_behind, read_list, read_pages
from messaging.carriers.twilio_registration import Registrations

MAX_SERVICES = 200  # What a larger account has is told as a gap
EXAMPLE_HOST = "demo.twilio.com"  # Where a number leads to that was just bought

READING, CHANGING = "reading phone numbers", "changing phone numbers"
SERVICES = "reading messaging services"

# Fields of requests, and where answers have their values.
KEYS = {
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsApplicationSid": "sms_application_sid",
    "InboundRequestUrl": "inbound_request_url",
    "InboundMethod": "inbound_method",
}
LABELS = {
    "SmsUrl": "A message comes in: URL",
    "SmsMethod": "A message comes in: HTTP",
    "SmsApplicationSid": "Messaging configuration: TwiML App",
    "InboundRequestUrl": "Send a webhook: Request URL",
    "InboundMethod": "Send a webhook: HTTP",
}


MemberKind = Literal["PhoneNumbers", "ShortCodes"]
# Keys of a list and of an address in it.
MEMBER_KEYS: dict[MemberKind, tuple[str, str]] = {
    "PhoneNumbers": ("phone_numbers", "phone_number"),
    "ShortCodes": ("short_codes", "short_code"),
}

Members = dict[str, str]  # Addresses of numbers by their ids


@dataclass(slots=True)
class Service:
    """Hold a Messaging Service. `takes_texts` means that its own address is used, and not that of
    the number."""

    id: str
    name: str = field(repr=False)
    url: str = field(repr=False)
    method: str
    takes_texts: bool
    is_registered: bool
    members: dict[str, Members] = field(default_factory=dict, repr=False)  # By kind


@dataclass(slots=True)
class TwilioDirectory(numbers.Directory):
    """Read and route the numbers of a Twilio account.

    `account_url` is the Account's address without a suffix, `messaging_url` that of Messaging v1.
    """

    api: Api
    account_url: str = field(repr=False)
    messaging_url: str = field(repr=False)
    _register: Register = field(init=False, repr=False)
    _seen: dict[str, tuple[str, list[Service]]] = field(default_factory=dict, repr=False)
    _services: list[Service] | None = field(default=None, repr=False)
    _applications: dict[str, Resource] = field(default_factory=dict, repr=False)
    _gaps: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        read = Registrations(self.api, self.messaging_url)
        self._register = Register(
            self.api.label,
            verification_of=lambda address: read.verification_of(self._seen[address][0]),
            campaign_of=lambda address: read.campaign_of(self._seen[address][1]),
        )

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read a page of IncomingPhoneNumbers; short codes come with the first one."""
        path = cursor or f"/IncomingPhoneNumbers.json?PageSize={PAGE_SIZE}"
        try:
            answer = self.api.read(self.account_url + path, READING)
            listed = read_list(answer, "incoming_phone_numbers", self.api.label)
            if not cursor:
                listed += self._short_codes()
            found = [self._offer(one, with_registration=with_registration) for one in listed]
        except Interrupted as stop:
            return stop.trouble
        following = path_behind(self.account_url, answer.get("next_page_uri"))
        gaps = (*self._gaps, *self._register.gaps)
        return numbers.Page(tuple(found), following, gaps)

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Read one number or short code, and the Services."""
        resource = "number" if address.startswith("+") else "short_code"
        try:
            answer = self.api.read(self._url(resource, carrier_id), READING)
        except Interrupted as stop:
            return stop.reason
        if _address(answer) != address:
            return NotThere()
        try:
            return self._offer(answer, with_registration=with_registration)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the number's own address, or that of the Service which takes its texts."""
        route = number.route
        if route is None or (route.leads_to(webhook_url) and route.method == "POST"):
            return ()
        if route.handler == "service":
            before = {"InboundRequestUrl": route.url, "InboundMethod": route.method}
            wanted = {"InboundRequestUrl": webhook_url, "InboundMethod": "POST"}
            resource, title = "service", f"Messaging service {route.handler_name}"
        else:
            before = dict(number.fields)
            wanted = {"SmsUrl": webhook_url, "SmsMethod": "POST", "SmsApplicationSid": ""}
            resource = "short_code" if number.kind == "short_code" else "number"
            title = "The number"
        changes = [
            FieldChange(name, LABELS[name], before.get(name, ""), value)
            for name, value in wanted.items()
            if before.get(name, "") != value
        ]
        resource_id = route.handler_id if resource == "service" else number.carrier_id
        return (
            Step(
                resource,
                resource_id,
                title,
                tuple(changes),
                route.others,
                route.other_count,
            ),
        )

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the resource that the step changes."""
        try:
            answer = self.api.read(self._url(step.resource, step.resource_id), READING)
        except Interrupted as stop:
            return stop.reason
        return {one.name: _value(answer, one.name) for one in step.fields}

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call, and compare them with the answer's."""
        fields = {one.name: one.will_be for one in step.fields}
        url = self._url(step.resource, step.resource_id)
        answer = self.api.change("POST", url, CHANGING, data=fields)
        if not isinstance(answer, dict):
            return answer
        if any(_value(answer, name) != value for name, value in fields.items()):
            return results.OutcomeUnknown(f"{self.api.label} answered with other values")
        return numbers.Applied()

    def _url(self, resource: str, resource_id: str) -> str:
        safe = quote(resource_id, safe="")
        match resource:
            case "service":
                return f"{self.messaging_url}/Services/{safe}"
            case "short_code":
                return f"{self.account_url}/SMS/ShortCodes/{safe}.json"
            case _:
                return f"{self.account_url}/IncomingPhoneNumbers/{safe}.json"

    def _short_codes(self) -> list[Resource]:
        """Return the account's short codes. Whoever has none may not be allowed to ask."""
        url = f"{self.account_url}/SMS/ShortCodes.json?PageSize={PAGE_SIZE}"
        try:
            return read_list(self.api.read(url, READING), "short_codes", self.api.label)
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere | results.Forbidden):
                return []
            raise

    def _offer(self, resource: Resource, *, with_registration: bool) -> OfferedNumber:
        """Describe an IncomingPhoneNumber or a ShortCode."""
        is_code = "short_code" in resource
        can = resource.get("capabilities")
        can = can if isinstance(can, dict) else {"sms": is_code}
        address, sid = _address(resource), str(resource.get("sid") or "")
        kind = "short_code" if is_code else numbers.kind_of(address, str(resource.get("type")))
        services = self._services_with(sid, only_takers=not with_registration)
        registration = None
        if with_registration:
            self._seen[address] = (sid, services)
            registration = self._register.look_up(address, kind)
        return OfferedNumber(
            address=address,
            carrier_id=sid,
            kind=kind,
            can_sms=bool(can.get("sms")),
            can_mms=bool(can.get("mms")),
            route=self._route(resource, services),
            name=str(resource.get("friendly_name") or "")[:120],
            registration=registration,
            fields={
                name: _value(resource, name)
                for name in ("SmsUrl", "SmsMethod", "SmsApplicationSid")
                if KEYS[name] in resource
            },
        )

    def _route(self, resource: Resource, services: list[Service]) -> Route:
        for service in services:
            if service.takes_texts:
                return self._route_by(service, str(resource.get("sid") or ""))
        if application := _value(resource, "SmsApplicationSid"):
            read = self._application(application)
            url = _value(read, "SmsUrl")
            name = str(read.get("friendly_name") or application)
            return Route(url, _value(read, "SmsMethod"), "application", application, name)
        url = _value(resource, "SmsUrl")
        is_free = not url or urlsplit(url).hostname == EXAMPLE_HOST
        return Route(url, _value(resource, "SmsMethod"), is_free=is_free)

    def _route_by(self, service: Service, sid: str) -> Route:
        """Return where a Service delivers texts; what is null is dropped and not even logged."""
        others = [
            address
            for members in service.members.values()
            for other, address in members.items()
            if other != sid
        ]
        return Route(
            service.url,
            service.method,
            "service",
            service.id,
            service.name,
            is_free=not service.url and not others,
            words="" if service.url else "The messaging service drops them",
            others=tuple(sorted(others)[: numbers.NAMED_OTHERS]),
            other_count=len(others),
        )

    def _application(self, sid: str) -> Resource:
        """Return a TwiML App, which several numbers may share. It may be gone."""
        if sid not in self._applications:
            url = f"{self.account_url}/Applications/{quote(sid, safe='')}.json"
            try:
                self._applications[sid] = self.api.read(url, READING)
            except Interrupted as stop:
                if not isinstance(stop.reason, NotThere | results.Forbidden):
                    raise
                self._applications[sid] = {}
        return self._applications[sid]

    def _services_with(self, sid: str, *, only_takers: bool) -> list[Service]:
        """Return the Services which a number is in; Twilio can't be asked for them by number.

        With `only_takers` just the one that takes its texts, and no call more than it takes to
        find it.
        """
        kind: MemberKind = "ShortCodes" if sid.startswith("SC") else "PhoneNumbers"
        services = self._read_services()
        if only_takers:
            takers = (one for one in services if one.takes_texts)
            return [*islice((one for one in takers if sid in self._members(one, kind)), 1)]
        return [one for one in services if sid in self._members(one, kind)]

    def _read_services(self) -> list[Service]:
        if self._services is None:
            found: list[Service] = []
            for resource in self._pages("/Services", "services"):
                if len(found) == MAX_SERVICES:
                    self._gaps[
                        f"The account has more than {MAX_SERVICES} messaging services. Numbers in "
                        "the others are shown as if they were in none."
                    ] = None
                    break
                found.append(_service(resource))
            self._services = found
        return self._services

    def _pages(self, path: str, key: str) -> Iterator[Resource]:
        return read_pages(self.api, self.messaging_url, path, key, SERVICES)

    def _members(self, service: Service, kind: MemberKind) -> Members:
        """Return the addresses of the numbers in a Service by their ids, read once. One that was
        deleted meanwhile has none."""
        if kind not in service.members:
            list_key, key = MEMBER_KEYS[kind]
            path = f"/Services/{quote(service.id, safe='')}/{kind}"
            with nothing_if_gone():
                service.members[kind] = {}
                service.members[kind] = {
                    str(one.get("sid")): str(one.get(key) or "")
                    for one in self._pages(path, list_key)
                }
        return service.members[kind]


def _address(resource: Resource) -> str:
    return str(resource.get("phone_number") or resource.get("short_code") or "")


def _value(resource: Resource, name: str) -> str:
    """Return the value of a request's field as an answer has it; methods are POST by default."""
    return str(resource.get(KEYS[name]) or ("POST" if name.endswith("Method") else ""))


def _service(resource: Resource) -> Service:
    return Service(
        id=str(resource.get("sid") or ""),
        name=str(resource.get("friendly_name") or resource.get("sid") or "")[:120],
        url=_value(resource, "InboundRequestUrl"),
        method=_value(resource, "InboundMethod"),
        takes_texts=not resource.get("use_inbound_webhook_on_number"),
        is_registered=bool(resource.get("us_app_to_person_registered")),
    )
