"""Telnyx's numbers, short codes, messaging profiles and registrations (API v2)."""

from __future__ import annotations

import re
from typing import Any

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

KEY = "KEY0"
PUBLIC_KEY = "9xjFfZP1BqS5ZkGm6cJb4H2jv0rJ0aQdV8m2p1sRrP8="
CAMPAIGNS = {
    "good": "ASSIGNED",
    "waiting": "PENDING_ASSIGNMENT",
    "refused": "FAILED_ASSIGNMENT",
}
VERIFICATIONS = {"good": "Verified", "waiting": "In Progress", "refused": "Rejected"}
TWO_WAY = {
    "domestic_two_way": True,
    "international_inbound": False,
    "international_outbound": False,
}


class TelnyxNumbers(NumberFarEnd):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, dict[str, Any]] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.registered: dict[str, str] = {}

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
        profile: str | None = None
        if together_with:
            profile = self._by_address(together_with)["messaging_profile_id"]
        elif url:
            profile = self.make_profile({"name": f"For {address}", "webhook_url": url})
        number_id = str(1293384261075731500 + len(self.numbers))
        is_code = not address.startswith("+")
        is_free_call = address.startswith("+18")
        self.numbers[number_id] = {
            "id": number_id,
            "short_code" if is_code else "phone_number": address,
            "record_type": "short_code" if is_code else "messaging_settings",
            "messaging_profile_id": profile,
            "country_code": "US",
        }
        if not is_code:
            self.numbers[number_id] |= {
                "type": "toll-free" if is_free_call else "long-code",
                "features": {
                    "sms": TWO_WAY if can_sms else None,
                    "mms": TWO_WAY if can_mms else None,
                },
            }
        self.registered[address] = state

    def make_profile(self, given: dict[str, Any]) -> str:
        profile_id = f"3fa85f64-5717-4562-b3fc-{len(self.profiles):012}"
        self.profiles[profile_id] = {
            "record_type": "messaging_profile",
            "id": profile_id,
            "enabled": True,
            "webhook_url": None,
            "webhook_failover_url": None,
            "webhook_api_version": "2",
            "whitelisted_destinations": ["US"],
            **given,
        }
        return profile_id

    def url_of(self, address: str) -> str:
        profile = self.profiles.get(self._by_address(address)["messaging_profile_id"] or "")
        return str((profile or {}).get("webhook_url") or "")

    def change_elsewhere(self, address: str, url: str) -> None:
        self.profiles[self._by_address(address)["messaging_profile_id"]]["webhook_url"] = url

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        words = {"code": "10009", "title": "Refused", "detail": "Refused, as planned."}
        return Answer(status, Answer.of({"errors": [words]}).body, headers)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.refuse(401, {})
        path = request.path.removeprefix("/v2")
        match request.method, path.split("/")[1:]:
            case "GET", ["phone_numbers", "messaging"]:
                return _page(request, [one for one in self.numbers.values() if "type" in one])
            case "GET", ["short_codes"]:
                codes = [one for one in self.numbers.values() if "short_code" in one]
                return _page(request, codes)
            case "GET", ["messaging_profiles"]:
                return _page(request, [*self.profiles.values()])
            case "GET", ["messaging_profiles", profile_id, "phone_numbers"]:
                members = [
                    one
                    for one in self.numbers.values()
                    if one["messaging_profile_id"] == profile_id and "type" in one
                ]
                return _page(request, members)
            case "POST", ["messaging_profiles"]:
                assert isinstance(request.json["whitelisted_destinations"], list)
                return Answer.of({"data": self.profiles[self.make_profile(request.json)]})
            case method, ["messaging_profiles", profile_id]:
                return self._resource(request, method, self.profiles.get(profile_id))
            case method, ["phone_numbers", number_id, "messaging"] | ["short_codes", number_id]:
                return self._resource(request, method, self.numbers.get(number_id))
        return self._answer_others(request, path)

    def _answer_others(self, request: Request, path: str) -> Answer:
        match path:
            case "/public_key":
                return Answer.of({"data": {"public": PUBLIC_KEY, "record_type": "public_key"}})
            case "/10dlc/phone_number_campaigns":
                return self._campaigns(request)
            case "/messaging_tollfree/verification/requests":
                return self._verifications(request)
        return self.refuse(404, {})

    def _resource(self, request: Request, method: str, found: dict[str, Any] | None) -> Answer:
        if found is None:
            return self.refuse(404, {})
        if method == "PATCH":
            changed = dict(request.json)
            if changed.get("messaging_profile_id") == "":
                changed["messaging_profile_id"] = None
            found |= changed
        return Answer.of({"data": found})

    def _campaigns(self, request: Request) -> Answer:
        records = [
            {"phoneNumber": address, "campaignId": "C1", "assignmentStatus": CAMPAIGNS[state]}
            for address, state in self.registered.items()
            if re.match(r"\+1[2-7]", address) and state in CAMPAIGNS
        ]
        size = min(int(request.query["recordsPerPage"]), 100)
        return _records(request, records, size, "totalRecords")

    def _verifications(self, request: Request) -> Answer:
        records = [
            {
                "id": "v",
                "phoneNumbers": [{"phoneNumber": address.strip()}],
                "verificationStatus": VERIFICATIONS[state],
            }
            for address, state in self.registered.items()
            if address.startswith("+18") and state in VERIFICATIONS
        ]
        size = min(int(request.query["page_size"]), 100)
        return _records(request, records, size, "total_records")

    def _by_address(self, address: str) -> dict[str, Any]:
        [found] = [
            one
            for one in self.numbers.values()
            if address in (one.get("phone_number"), one.get("short_code"))
        ]
        return found


def _page(request: Request, found: list[dict[str, Any]]) -> Answer:
    number = int(request.query.get("page[number]", 1))
    size = int(request.query.get("page[size]", 20))
    assert size <= 250
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-len(found) // size),
        "total_results": len(found),
    }
    return Answer.of({"data": found[(number - 1) * size : number * size], "meta": meta})


def _records(request: Request, found: list[dict[str, Any]], size: int, total: str) -> Answer:
    page = int(request.query["page"])
    records = found[(page - 1) * size : page * size]
    return Answer.of({"records": records, "page": page, total: len(found)})
