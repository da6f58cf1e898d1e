"""Bandwidth's sub-accounts, locations, applications and numbers (API v2, XML), and its login."""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

ACCOUNT = "/api/v2/accounts/9900000"
CLIENT = "Basic " + base64.b64encode(b"a-client:the-client-secret").decode()
TOKEN = "a-token"
CAMPAIGNS = {"good": "SUCCESS", "waiting": "PROCESSING", "refused": "FAILURE"}
VERIFICATIONS = {"good": "VERIFIED", "waiting": "PENDING", "refused": "Resolved - Not Verified"}

Place = tuple[str, str]


def element(name: str, *inner: str, text: str = "") -> str:
    return f"<{name}>{''.join(inner)}{escape(text)}</{name}>"


def xml(root: str, status: int = 200) -> Answer:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return Answer(status, f"{head}{root}".encode(), {"content-type": "application/xml"})


class BandwidthNumbers(NumberFarEnd):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, dict[str, Any]] = {}  # By FullNumber
        self.applications: dict[str, dict[str, Any]] = {"app-ours": {"AppName": "Texts"}}
        self.locations: dict[Place, str] = {("482", "500018"): ""}  # Their applications
        self.without_pictures: set[Place] = set()

    def add(
        self,
        address: str,
        *,
        url: str = "",
        together_with: str = "",
        can_sms: bool = True,
        can_mms: bool = True,
        state: str = "good",
    ) -> None:
        place = ("482", "500018")
        if together_with:
            place = self.numbers[together_with]["place"]
        elif url:
            app_id = f"app-{len(self.applications)}"
            self.applications[app_id] = {"AppName": f"For {address}", "InboundCallbackUrl": url}
            place = ("483", str(500100 + len(self.locations)))
            self.locations[place] = app_id
        elif can_sms and not can_mms:
            place = ("484", "500900")
            self.locations[place] = ""
            self.without_pictures.add(place)
        self.numbers[address] = {"place": place, "sms": can_sms, "state": state}

    def url_of(self, address: str) -> str:
        application = self.applications.get(self.locations[self.numbers[address]["place"]], {})
        return str(application.get("InboundCallbackUrl", ""))

    def change_elsewhere(self, address: str, url: str) -> None:
        app_id = self.locations[self.numbers[address]["place"]]
        self.applications[app_id]["InboundCallbackUrl"] = url

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        words = element("Description", text="Refused & planned.")
        answer = xml(
            element("Response", element("ResponseStatus", "<ErrorCode>1</ErrorCode>", words))
        )
        return Answer(status, answer.body, answer.headers | headers)

    def answer(self, request: Request) -> Answer:
        if request.path == "/api/v1/oauth2/token":
            is_known = request.headers.get("authorization") == CLIENT
            body = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            return Answer.of(body) if is_known else Answer.of({"error": "invalid_client"}, 401)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, {})
        if request.path.startswith("/api/v2/tns/"):
            return self._details(request.path.split("/")[4])
        path = request.path.removeprefix(f"{ACCOUNT}/").split("/")
        if path[0] == "applications":
            return self._answer_applications(request, path[1:])
        if path[0] == "sites":
            return self._answer_sites(request, path[1:])
        return self._answer_registrations(request, path)

    # Applications

    def _answer_applications(self, request: Request, path: list[str]) -> Answer:
        match request.method, path:
            case "GET", []:
                listed = [self._application(app_id) for app_id in self.applications]
                return xml(
                    element("ApplicationProvisioningResponse", element("ApplicationList", *listed))
                )
            case method, [app_id] if app_id in self.applications:
                if method == "PUT":
                    self.applications[app_id] = read_xml(request.body)
                return xml(element("ApplicationProvisioningResponse", self._application(app_id)))
            case "GET", [app_id, "associatedsippeers"] if app_id in self.applications:
                peers = [
                    element(
                        "AssociatedSipPeer",
                        element("SiteId", text=site),
                        element("PeerId", text=peer),
                    )
                    for (site, peer), given in self.locations.items()
                    if given == app_id
                ]
                return xml(
                    element("AssociatedSipPeersResponse", element("AssociatedSipPeers", *peers))
                )
        return self.refuse(404, {})

    def _application(self, app_id: str) -> str:
        """Return an application; its passwords are never told."""
        stored = self.applications[app_id]
        inner = [
            element("ApplicationId", text=app_id),
            element("ServiceType", text="Messaging-V2"),
            element("AppName", text=stored["AppName"]),
        ]
        inner += [
            element(name, text=stored[name])
            for name in ("InboundCallbackUrl", "OutboundCallbackUrl")
            if name in stored
        ]
        inner += [
            element(name, element("UserId", text=stored[name]["UserId"]))
            for name in ("InboundCallbackCreds", "OutboundCallbackCreds")
            if name in stored
        ]
        if types := stored.get("RequestedCallbackTypes"):
            listed = types["CallbackType"]
            named = listed if isinstance(listed, list) else [listed]
            inner.append(
                element(
                    "RequestedCallbackTypes", *(element("CallbackType", text=t) for t in named)
                )
            )
        return element("Application", *inner)

    # Sub-accounts and locations

    def _answer_sites(self, request: Request, path: list[str]) -> Answer:
        match path:
            case []:
                sites = sorted({site for site, _ in self.locations})
                listed = [element("Site", element("Id", text=site)) for site in sites]
                return xml(element("SitesResponse", element("Sites", *listed)))
            case [site, "sippeers"]:
                listed = [
                    element(
                        "SipPeer",
                        element("PeerId", text=peer),
                        element("PeerName", text=f"Location {peer}"),
                    )
                    for of, peer in self.locations
                    if of == site
                ]
                return xml(element("TNSipPeersResponse", element("SipPeers", *listed)))
            case [site, "sippeers", peer, *rest] if (site, peer) in self.locations:
                return self._answer_location(request, (site, peer), rest)
        return self.refuse(404, {})

    def _answer_location(self, request: Request, place: Place, path: list[str]) -> Answer:
        match path:
            case ["products", "messaging", "applicationSettings"]:
                if request.method == "PUT":
                    given = read_xml(request.body)
                    self.locations[place] = (
                        "" if given == "REMOVE" else given["HttpMessagingV2AppId"]
                    )
                inner = element("HttpMessagingV2AppId", text=self.locations[place])
                settings = element("ApplicationsSettings", inner if self.locations[place] else "")
                return xml(element("ApplicationsSettingsResponse", settings))
            case ["products", "messaging", "features", "mms"]:
                if place in self.without_pictures:
                    return self.refuse(404, {})
                return xml(element("MmsFeatureResponse", element("MmsFeature")))
            case ["totaltns"]:
                count = sum(one["place"] == place for one in self.numbers.values())
                name = "SipPeerTelephoneNumbersCount"
                inner = element(name, element(name, text=str(count)))
                return xml(element(f"{name}Response", inner))
            case ["tns"]:
                return self._listed(request, place)
        return self.refuse(404, {})

    def _listed(self, request: Request, place: Place) -> Answer:
        page, size = int(request.query["page"]), int(request.query["size"])
        here = [number for number, one in self.numbers.items() if one["place"] == place]
        listed = [
            element("SipPeerTelephoneNumber", self._number(number))
            for number in here[(page - 1) * size : page * size]
        ]
        inner = element("SipPeerTelephoneNumbers", *listed)
        return xml(element("SipPeerTelephoneNumbersResponse", "<Links/>", inner))

    def _number(self, number: str) -> str:
        enabled = "true" if self.numbers[number]["sms"] else "false"
        settings = element("MessagingSettings", element("SmsEnabled", text=enabled))
        return element("FullNumber", text=number) + settings

    def _details(self, number: str) -> Answer:
        if number not in self.numbers:
            return self.refuse(404, {})
        site, peer = self.numbers[number]["place"]
        details = element(
            "TelephoneNumberDetails",
            element("City", text="JERSEY CITY"),
            element("State", text="NJ"),
            self._number(number),
            element("Status", text="Inservice"),
            element("AccountId", text="9900000"),
            element("Site", element("Id", text=site), element("Name", text="A site")),
            element("SipPeer", element("PeerId", text=peer)),
        )
        return xml(element("TelephoneNumberResponse", details))

    # Registrations, in JSON

    def _answer_registrations(self, request: Request, path: list[str]) -> Answer:
        match path:
            case ["tendlc", "phoneNumbers"]:
                limit, offset = int(request.query["limit"]), int(request.query["offset"])
                assert limit <= 250
                found = [
                    {"phoneNumber": number, "status": CAMPAIGNS[one["state"]], "campaignId": "C1"}
                    for number, one in self.numbers.items()
                    if one["state"] in CAMPAIGNS
                ]
                return Answer.of({"data": found[offset : offset + limit]})
            case ["phoneNumbers", number, "tollFreeVerification"] if number in self.numbers:
                state = self.numbers[number]["state"]
                if state not in VERIFICATIONS:
                    return Answer.of({"type": "not-found", "description": "No request."}, 404)
                return Answer.of({"phoneNumber": number, "status": VERIFICATIONS[state]})
        return self.refuse(404, {})


def read_xml(body: bytes) -> Any:
    """Return what our own request holds: texts, and elements by name."""

    def value(node: ElementTree.Element) -> Any:
        if not len(node):
            return node.text or ""
        found: dict[str, Any] = {}
        for child in node:
            if child.tag in found:
                before = found[child.tag]
                found[child.tag] = [
                    *(before if isinstance(before, list) else [before]),
                    value(child),
                ]
            else:
                found[child.tag] = value(child)
        return found

    return value(ElementTree.fromstring(body))
