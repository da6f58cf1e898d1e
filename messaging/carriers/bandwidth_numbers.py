"""Read the phone numbers of a Bandwidth account, and set where their texts go.

Follows "Retrieve SIP peer TNs", "Retrieve TN details", "Update SIP peer application settings" and
"Update application" of the numbers and account API v2 (XML). A number is at a location, the
location has a messaging application, and the application has one address for all texts that come
in. The API credential needs the roles Configuration and Numbers. Bandwidth never tells the
password of a callback: what was there before can be put back only without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from messaging.carriers import (
    bandwidth_applications,
    bandwidth_locations,
    bandwidth_xml,
    numbers,
    results,
)
from messaging.carriers.api_calls import Interrupted, Resource
from messaging.carriers.bandwidth_api import AccountApi
from messaging.carriers.bandwidth_applications import INBOUND, values_of
from messaging.carriers.bandwidth_locations import (
    Location,
    Locations,
    Place,
    address_of,
    path_of,
)
from messaging.carriers.bandwidth_registration import Registrations
from messaging.carriers.bandwidth_xml import part, text
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Route, Step, Trouble
from messaging.carriers.registrations import Register

LOCATIONS_A_PAGE = 25  # Of those without a number
READING, CHANGING = "Numbers", "Configuration"  # Roles

APPLICATION = "HttpMessagingV2AppId"
LABELS = {
    **bandwidth_applications.LABELS,
    APPLICATION: "Location: messaging application",
}


@dataclass(slots=True)
class BandwidthDirectory(numbers.Directory):
    """Read and route the numbers of a Bandwidth account."""

    api: AccountApi
    locations: Locations = field(init=False, repr=False)
    register: Register = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.locations = Locations(self.api)
        read = Registrations(self.api)
        self.register = Register(self.api.label, read.verification_of, read.campaign_of)

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read a page of a location's numbers; the cursor is its place and the page."""
        try:
            place, page = _read_cursor(cursor)
            following, found = "", list[OfferedNumber]()
            ahead = [
                one
                for one in self.locations.read_all()
                if not place
                or bandwidth_locations.order_of(one.place) >= bandwidth_locations.order_of(place)
            ]
            for at, location in enumerate(ahead):
                if found or at == LOCATIONS_A_PAGE:
                    following = _cursor(location.place, 1)
                    break
                number = page if location.place == place else 1
                listed, has_more = self.locations.read_numbers(location.place, number)
                found += [
                    self._offer(
                        one,
                        location.place,
                        is_for_plan=with_registration,
                        is_complete=with_registration,
                    )
                    for one in listed
                ]
                if has_more:
                    following = _cursor(location.place, number + 1)
                    break
        except Interrupted as stop:
            return stop.trouble
        gaps = (*self.locations.gaps, *self.register.gaps)
        return numbers.Page(tuple(found), following, gaps)

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Read one number's details, and its location."""
        url = self.api.root_url(f"/tns/{quote(carrier_id, safe='')}/tndetails")
        try:
            answer = self.api.read(url, READING)
        except Interrupted as stop:
            return stop.reason
        details = part(answer, "TelephoneNumberResponse", "TelephoneNumberDetails")
        is_ours = text(details, "AccountId") == self.api.credentials.get("account_id")
        place = text(part(details, "Site"), "Id"), text(part(details, "SipPeer"), "PeerId")
        if address_of(details) != address or not is_ours or not all(place):
            return NotThere()
        try:
            return self._offer(details, place, is_for_plan=True, is_complete=with_registration)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the callbacks of our application, and give it to the number's location."""
        if number.route is None:
            return ()
        ours = self.api.credentials.get("application_id", "")
        wanted = bandwidth_applications.wanted_values(webhook_url, self.api.credentials)
        now = {name: number.fields.get(f"ours.{name}", "") for name in wanted}
        steps = []
        if now != wanted:
            title = f"Application {number.fields.get('ours') or ours}"
            is_there = number.fields.get("application") == ours
            others = number.route.others if is_there else ()
            count = int(number.fields.get("ours.count") or 0) - is_there
            steps.append(
                Step("application", ours, title, _changes(now, wanted), others, max(count, 0))
            )
        if number.fields.get("application") != ours:
            before = {APPLICATION: number.fields.get("application", "")}
            place = number.fields["place"]
            title = f"Location {place.rpartition('/')[2]}"
            changes, route = _changes(before, {APPLICATION: ours}), number.route
            steps.append(Step("location", place, title, changes, route.others, route.other_count))
        return tuple(steps)

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the resource that the step changes."""
        try:
            if step.resource == "location":
                return {APPLICATION: self.locations.read_application_id(_place(step.resource_id))}
            values = values_of(self.locations.read_application(step.resource_id))
        except Interrupted as stop:
            return stop.reason
        return {one.name: values[one.name] for one in step.fields}

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call, and check what the answer says."""
        wanted = {one.name: one.will_be for one in step.fields}
        if step.resource == "location":
            return self._assign(_place(step.resource_id), wanted[APPLICATION])
        try:
            read = self.locations.read_application(step.resource_id)
        except Interrupted as stop:
            return stop.reason
        body = bandwidth_applications.written(
            read, {**values_of(read), **wanted}, self.api.credentials
        )
        path = f"/applications/{quote(step.resource_id, safe='')}"
        answer = self._put(path, "Application", body)
        if not isinstance(answer, dict):
            return answer
        now = values_of(part(answer, "ApplicationProvisioningResponse", "Application"))
        if not all(numbers.is_same(now[name], value) for name, value in wanted.items()):
            return results.OutcomeUnknown("Bandwidth answered with other values")
        return numbers.Applied()

    def _assign(self, place: Place, application: str) -> numbers.Applied | NotThere | Trouble:
        """Give a location an application, or take it away."""
        path = f"{path_of(place)}/products/messaging/applicationSettings"
        body = {APPLICATION: application} if application else "REMOVE"
        answer = self._put(path, "ApplicationsSettings", body)
        return numbers.Applied() if isinstance(answer, dict) else answer

    def _put(self, path: str, root: str, body: object) -> Resource | NotThere | Trouble:
        content = (bandwidth_xml.HEAD + bandwidth_xml.write(root, body)).encode()
        return self.api.change("PUT", self.api.url(path), CHANGING, content=content)

    def _offer(
        self, read: Resource, place: Place, *, is_for_plan: bool, is_complete: bool
    ) -> OfferedNumber:
        """Describe a number; for a plan with who else is touched, completely with all."""
        address = address_of(read)
        kind = numbers.kind_of(address)
        location = self.locations.get(place)
        is_able = text(part(read, "MessagingSettings"), "SmsEnabled") == "true"
        has_pictures = not is_complete or self.locations.has_pictures(location)
        return OfferedNumber(
            address=address,
            carrier_id=text(read, "FullNumber"),
            kind=kind,
            can_sms=is_able,
            can_mms=is_able and has_pictures,
            route=self._route(location, address, is_for_plan=is_for_plan),
            place=", ".join(filter(None, [text(read, "City").title(), text(read, "State")])),
            registration=self.register.look_up(address, kind) if is_complete else None,
            fields=self._fields(location, is_for_plan=is_for_plan),
        )

    def _route(self, location: Location, address: str, *, is_for_plan: bool) -> Route:
        """Return where the application of a location delivers texts."""
        application_id = location.application_id or ""
        application = self.locations.application(application_id) if application_id else {}
        url = values_of(application)[INBOUND]
        near = self.locations.first_numbers(location) if is_for_plan else ()
        others = tuple(one for one in near if one != address)[: numbers.NAMED_OTHERS]
        count = self.locations.count_numbers(location) - 1 if is_for_plan else 0
        return Route(
            url,
            "POST",
            "application",
            application_id,
            text(application, "AppName")[:120],
            is_free=not url,
            words="" if application_id else "Its location has no messaging application",
            others=others,
            other_count=max(count, len(others)),
            also=("/".join(location.place),),
        )

    def _fields(self, location: Location, *, is_for_plan: bool) -> dict[str, str]:
        """Return what a plan needs: the location, and how our application is now."""
        ours = self.api.credentials.get("application_id", "")
        application = self.locations.application(ours)
        fields = {f"ours.{name}": value for name, value in values_of(application).items()}
        fields |= {
            "ours": text(application, "AppName"),
            "place": "/".join(location.place),
            "application": location.application_id or "",
        }
        if is_for_plan:
            used = self.locations.using(ours) if application else []
            counted = sum(self.locations.count_numbers(one) for one in used)
            fields["ours.count"] = str(counted)
        return fields


def console_guide(webhook_url: str, credentials: Mapping[str, str]) -> numbers.ConsoleGuide:
    """Return the fields of the Bandwidth App."""
    where = "Applications, the messaging application"
    user = credentials.get("callback_user", "")
    location = "Sub-accounts, the sub-account, Locations, the number's location, Messaging"
    return numbers.ConsoleGuide(
        (
            numbers.GuideField("Inbound callback URL", webhook_url, where),
            numbers.GuideField("Status callback URL", webhook_url, where),
            numbers.GuideField("Callback user name", user, where),
            numbers.GuideField("Status callback types", "all", where),
            numbers.GuideField(
                "Messaging application", credentials.get("application_id", ""), location
            ),
        ),
        "https://app.bandwidth.com/",
        "With the user name goes the callback password that is stored with this account. All "
        "numbers of a location share its application, and all locations of an application its "
        "address.",
    )


def _changes(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, LABELS[name], now.get(name, ""), value)
        for name, value in wanted.items()
        if now.get(name, "") != value
    )


def _cursor(place: Place, page: int) -> str:
    return f"{place[0]}/{place[1]}/{page}"


def _read_cursor(cursor: str) -> tuple[Place | None, int]:
    if not cursor:
        return None, 1
    site, peer, page = cursor.split("/")
    return (site, peer), int(page)


def _place(resource_id: str) -> Place:
    site, _, peer = resource_id.partition("/")
    return site, peer
