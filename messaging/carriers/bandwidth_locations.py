"""Read the locations and messaging applications of a Bandwidth account.

Follows "Sites", "SIP peers" (which the Bandwidth App calls sub-accounts and locations) and
"Applications" of the account API v2. A location's application says where the texts of all numbers
there go. Everything here raises Interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Interrupted, Resource
from messaging.carriers.bandwidth_api import AccountApi
from messaging.carriers.bandwidth_xml import each, part, text
from messaging.carriers.numbers import NotThere

READING, READING_NUMBERS = "Configuration", "Numbers"  # Roles
AT_ONCE = 500
MAX_SITES = 200

# Of a location, the ids of its site and of itself.
Place = tuple[str, str]


@dataclass(slots=True)
class Location:
    """Hold what is read of a location; None until it was asked for."""

    place: Place
    name: str = field(default="", repr=False)
    application_id: str | None = None
    has_pictures: bool | None = None
    number_count: int | None = None
    first_numbers: tuple[str, ...] | None = field(default=None, repr=False)


def path_of(place: Place) -> str:
    """Return the end of a location's address."""
    site, peer = (quote(one, safe="") for one in place)
    return f"/sites/{site}/sippeers/{peer}"


@dataclass(slots=True)
class Locations:
    """Read each location and the list of applications once."""

    api: AccountApi
    gaps: dict[str, None] = field(default_factory=dict)
    _all: list[Location] | None = field(default=None, repr=False)
    _by_place: dict[Place, Location] = field(default_factory=dict, repr=False)
    _applications: dict[str, Resource] | None = field(default=None, repr=False)
    _using: dict[str, list[Location]] = field(default_factory=dict, repr=False)

    def read_all(self) -> list[Location]:
        """Return the account's locations, in a lasting order."""
        if self._all is None:
            answer = self.api.read(self.api.url("/sites"), READING)
            sites = each(part(answer, "SitesResponse", "Sites"), "Site")
            if len(sites) > MAX_SITES:
                self.gaps[f"Only {MAX_SITES} of the account's sub-accounts are read."] = None
            found = [one for site in sites[:MAX_SITES] for one in self._of_site(text(site, "Id"))]
            self._all = sorted(found, key=lambda one: order_of(one.place))
            self._by_place |= {one.place: one for one in self._all}
        return self._all

    def get(self, place: Place) -> Location:
        """Return a location with its application."""
        location = self._by_place.setdefault(place, Location(place))
        if location.application_id is None:
            location.application_id = self.read_application_id(place)
        return location

    def read_application_id(self, place: Place) -> str:
        """Return the application of a location as it is now; empty if it has none."""
        path = f"{path_of(place)}/products/messaging/applicationSettings"
        try:
            answer = self.api.read(self.api.url(path), READING)
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere):
                return ""
            raise
        settings = part(answer, "ApplicationsSettingsResponse", "ApplicationsSettings")
        return text(settings, "HttpMessagingV2AppId")

    def has_pictures(self, location: Location) -> bool:
        """Return True if MMS is on at the location."""
        if location.has_pictures is None:
            path = f"{path_of(location.place)}/products/messaging/features/mms"
            try:
                self.api.read(self.api.url(path), READING)
                location.has_pictures = True
            except Interrupted as stop:
                if not isinstance(stop.reason, NotThere):
                    raise
                location.has_pictures = False
        return location.has_pictures

    def count_numbers(self, location: Location) -> int:
        """Return how many numbers are at the location."""
        if location.number_count is None:
            url = self.api.url(f"{path_of(location.place)}/totaltns")
            name = "SipPeerTelephoneNumbersCount"
            counted = part(self.api.read(url, READING), f"{name}Response", name)
            said = text(counted, name)
            location.number_count = int(said) if said.isdecimal() else 0
        return location.number_count

    def read_numbers(
        self, place: Place, page: int = 1, size: int = AT_ONCE
    ) -> tuple[list[Resource], bool]:
        """Return a page of a location's numbers, and whether there are more."""
        query = urlencode({"page": page, "size": size})
        answer = self.api.read(self.api.url(f"{path_of(place)}/tns?{query}"), READING_NUMBERS)
        root = answer.get("SipPeerTelephoneNumbersResponse")
        if root is None:
            raise Interrupted(results.CannotTell("Bandwidth answered with no readable list"))
        listed = part(root, "SipPeerTelephoneNumbers")
        found = [one for one in each(listed, "SipPeerTelephoneNumber") if address_of(one)]
        return found, len(found) >= size

    def first_numbers(self, location: Location) -> tuple[str, ...]:
        """Return the first of the numbers at the location, so many as are named of others."""
        if location.first_numbers is None:
            listed, _ = self.read_numbers(location.place, size=numbers.NAMED_OTHERS + 1)
            location.first_numbers = tuple(address_of(one) for one in listed)
        return location.first_numbers

    def using(self, application_id: str) -> list[Location]:
        """Return the locations that have an application."""
        if application_id not in self._using:
            path = f"/applications/{quote(application_id, safe='')}/associatedsippeers"
            answer = self.api.read(self.api.url(path), READING)
            listed = part(answer, "AssociatedSipPeersResponse", "AssociatedSipPeers")
            places = [
                (text(one, "SiteId"), text(one, "PeerId"))
                for one in each(listed, "AssociatedSipPeer")
            ]
            self._using[application_id] = [
                self._by_place.setdefault(place, Location(place)) for place in places
            ]
        return self._using[application_id]

    def application(self, application_id: str) -> Resource:
        """Return one of the account's applications; empty if it is gone."""
        return self.applications().get(application_id, {})

    def applications(self) -> dict[str, Resource]:
        """Return the account's messaging applications by their ids."""
        if self._applications is None:
            answer = self.api.read(self.api.url("/applications"), READING)
            listed = part(answer, "ApplicationProvisioningResponse", "ApplicationList")
            self._applications = {
                text(one, "ApplicationId"): one
                for one in each(listed, "Application")
                if text(one, "ServiceType").startswith("Messaging")
            }
        return self._applications

    def read_application(self, application_id: str) -> Resource:
        """Return an application as it is now."""
        url = self.api.url(f"/applications/{quote(application_id, safe='')}")
        answer = self.api.read(url, READING)
        return part(answer, "ApplicationProvisioningResponse", "Application")

    def _of_site(self, site: str) -> list[Location]:
        url = self.api.url(f"/sites/{quote(site, safe='')}/sippeers")
        listed = part(self.api.read(url, READING), "TNSipPeersResponse", "SipPeers")
        return [
            Location((site, text(one, "PeerId")), text(one, "PeerName")[:120])
            for one in each(listed, "SipPeer")
        ]


def address_of(read: Resource) -> str:
    """Return a number with its plus; the older version of the API writes ten digits."""
    number = text(read, "FullNumber")
    return f"+1{number}" if len(number) == 10 and number.isdecimal() else number


def order_of(place: Place) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return what locations are sorted by: their ids are numbers."""
    site, peer = ((len(one), one) for one in place)
    return site, peer


def find_only_application(api: AccountApi) -> dict[str, str]:
    """Return the account's messaging application as a credential, if there is just one."""
    try:
        applications = Locations(api).applications()
    except Interrupted:
        return {}
    return {"application_id": next(iter(applications))} if len(applications) == 1 else {}
