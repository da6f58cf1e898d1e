"""Read the phone numbers of a Telnyx account, and set where their texts go.

Follows "List phone numbers with messaging settings", "Update the messaging profile and/or
messaging product of a phone number", "Short codes" and "Messaging profiles" of API v2. A number's
texts go to the `webhook_url` of its messaging profile; without a profile they go nowhere. All of
that takes no more than the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from messaging.carriers import numbers, results, telnyx_profiles
from messaging.carriers.api_calls import Api, Interrupted, Resource, nothing_if_gone
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Step, Trouble
from messaging.carriers.registrations import Register
from messaging.carriers.telnyx_profiles import (
    ENABLED,
    FAILOVER,
    READING,
    VERSION,
    WEBHOOK,
    Profiles,
    address_of,
    data_of,
    value_of,
)
from messaging.carriers.telnyx_records import url
from messaging.carriers.telnyx_registration import Registrations

CHANGING = "changing messaging profiles"

PROFILE, DESTINATIONS = "messaging_profile_id", "whitelisted_destinations"
LABELS = {
    WEBHOOK: "Inbound settings: Send a webhook to this URL",
    VERSION: "Inbound settings: Webhook API version",
    FAILOVER: "Inbound settings: Failover URL",
    ENABLED: "Profile enabled",
    PROFILE: "Messaging profile",
    "name": "Profile name",
    DESTINATIONS: "Allowed destinations",
}
OUR_VERSION = "2"
OUR_PROFILE = "Partyline"


@dataclass(slots=True)
class TelnyxDirectory(numbers.Directory):
    """Read and route the numbers of a Telnyx account."""

    api: Api
    profiles: Profiles = field(init=False, repr=False)
    register: Register = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.profiles = Profiles(self.api)
        read = Registrations(self.api)
        self.register = Register(self.api.label, read.verification_of, read.campaign_of)

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read a page of numbers; short codes come with the first one."""
        try:
            answer = telnyx_profiles.read_page(
                self.api, "/phone_numbers/messaging", int(cursor or 1)
            )
            read = telnyx_profiles.listed(answer)
            if not cursor:
                with nothing_if_gone():
                    read = [*read, *self.profiles.pages("/short_codes")]
            found = [
                self._offer(one, with_members=with_registration, is_complete=with_registration)
                for one in read
            ]
        except Interrupted as stop:
            return stop.trouble
        gaps = (*self.profiles.gaps, *self.register.gaps)
        return numbers.Page(tuple(found), telnyx_profiles.next_page(answer), gaps)

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Read one number or short code, and its messaging profile."""
        resource = "number" if address.startswith("+") else "short_code"
        try:
            read = data_of(self.api.read(_url(resource, carrier_id), READING))
        except Interrupted as stop:
            return stop.reason
        if address_of(read) != address:
            return NotThere()
        try:
            return self._offer(read, with_members=True, is_complete=with_registration)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the webhook of the number's profile, or give it one of ours.

        A profile whose webhook is in use by other numbers too is left alone: the number moves to a
        profile of its own.
        """
        route = number.route
        if route is None:
            return ()
        is_ours = numbers.is_same(route.url, webhook_url)
        wanted = {WEBHOOK: webhook_url, VERSION: OUR_VERSION, FAILOVER: ""}
        if route.is_off:
            wanted[ENABLED] = "true"
        now = {name: number.fields.get(name, "") for name in wanted}
        if route.leads_to(webhook_url) and now[VERSION] == OUR_VERSION:
            return ()
        if route.handler_id and (route.is_free or is_ours or not route.other_count):
            title = f"Messaging profile {route.handler_name}"
            others = (route.others, route.other_count)
            return (Step("profile", route.handler_id, title, _changes(now, wanted), *others),)
        made = {
            "name": OUR_PROFILE,
            DESTINATIONS: number.fields.get(DESTINATIONS) or "US,CA",
            WEBHOOK: webhook_url,
            VERSION: OUR_VERSION,
        }
        title = f"A messaging profile {OUR_PROFILE}, made if there is none"
        kind = "short_code" if number.kind == "short_code" else "number"
        assigned = _changes({PROFILE: route.handler_id}, {PROFILE: numbers.MADE})
        return (
            Step("profile", "", title, _changes({}, made)),
            Step(kind, number.carrier_id, "The number", assigned),
        )

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the resource that the step changes."""
        if not step.resource_id:
            return NotThere()
        try:
            read = data_of(self.api.read(_url(step.resource, step.resource_id), READING))
        except Interrupted as stop:
            return stop.reason
        return {one.name: value_of(read, one.name) for one in step.fields}

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call, and check what the answer says."""
        wanted = {one.name: one.will_be for one in step.fields}
        if not step.resource_id:
            return self._make_profile(wanted)
        body = {name: _sent(name, value) for name, value in wanted.items()}
        address = _url(step.resource, step.resource_id)
        answer = self.api.change("PATCH", address, CHANGING, json=body)
        if not isinstance(answer, dict):
            return answer
        read = _data(answer)
        if not all(numbers.is_same(value_of(read, name), wanted[name]) for name in wanted):
            return results.OutcomeUnknown("Telnyx answered with other values")
        return numbers.Applied()

    def _make_profile(self, wanted: Mapping[str, str]) -> numbers.Applied | NotThere | Trouble:
        """Return the profile that is as wanted, as of an earlier try, or make it."""
        try:
            for profile in self.profiles.read_all():
                if not profile.is_off and all(
                    numbers.is_same(profile.values[name], wanted[name])
                    for name in (WEBHOOK, VERSION)
                ):
                    return numbers.Applied(profile.id)
        except Interrupted as stop:
            return stop.trouble
        body = {name: _sent(name, value) for name, value in wanted.items()}
        answer = self.api.change("POST", url("/messaging_profiles"), CHANGING, json=body)
        if not isinstance(answer, dict):
            return answer
        made = _data(answer).get("id")
        if not isinstance(made, str) or not made:
            return results.OutcomeUnknown("Telnyx does not say the new profile's id")
        return numbers.Applied(made)

    def _offer(self, read: Resource, *, with_members: bool, is_complete: bool) -> OfferedNumber:
        address, is_code = address_of(read), "short_code" in read
        kind = "short_code" if is_code else numbers.kind_of(address, str(read.get("type")))
        features = read.get("features")
        can = features if isinstance(features, dict) else {}
        profile = self.profiles.get(value_of(read, PROFILE), with_members=with_members)
        return OfferedNumber(
            address=address,
            carrier_id=str(read["id"]),
            kind=kind,
            can_sms=is_code or _is_able(can.get("sms")),
            can_mms=is_code or _is_able(can.get("mms")),
            route=profile.route(address),
            place="" if address.startswith("+1") else str(read.get("country_code") or ""),
            registration=self.register.look_up(address, kind) if is_complete else None,
            fields={
                **profile.values,
                DESTINATIONS: profile.destinations,
                **({ENABLED: "false"} if profile.is_off else {}),
            },
        )


def read_error(answer: Resource) -> tuple[object, object]:
    """Return number and words of an answer's first error."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return "", ""
    return first.get("code"), first.get("detail") or first.get("title")


def console_guide(webhook_url: str) -> numbers.ConsoleGuide:
    """Return the fields of Telnyx's portal."""
    profile = "Messaging → Programmable Messaging, the number's messaging profile"
    return numbers.ConsoleGuide(
        (
            numbers.GuideField("Send a webhook to this URL", webhook_url, f"{profile}, Inbound"),
            numbers.GuideField("Webhook API version", "API v2", f"{profile}, Inbound"),
            numbers.GuideField(
                "Messaging profile", OUR_PROFILE, "Numbers → My Numbers, the number, Messaging"
            ),
        ),
        "https://portal.telnyx.com/#/messaging/profiles",
        "Texts go to the address of the profile that the number is assigned to; every number of "
        "the profile shares it.",
    )


def _changes(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, LABELS[name], now.get(name, ""), value)
        for name, value in wanted.items()
        if now.get(name, "") != value
    )


def _url(resource: str, resource_id: str) -> str:
    safe = quote(resource_id, safe="")
    match resource:
        case "profile":
            return url(f"/messaging_profiles/{safe}")
        case "short_code":
            return url(f"/short_codes/{safe}")
        case _:
            return url(f"/phone_numbers/{safe}/messaging")


def _sent(name: str, value: str) -> Any:
    """Return a field as Telnyx takes it: a list, or null where an address is taken out."""
    if name == DESTINATIONS:
        return value.split(",")
    if name == ENABLED:
        return value == "true"
    return value or (None if name in (WEBHOOK, FAILOVER) else "")


def _data(answer: Resource) -> Resource:
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _is_able(feature: object) -> bool:
    return isinstance(feature, dict) and feature.get("domestic_two_way") is not False
