"""Plivo's Numbers and Applications (API v1)."""

from __future__ import annotations

import base64
from typing import Any

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

AUTH_ID = "MAXXXXXXXXXXXXXXXXXX"
ACCOUNT = f"/v1/Account/{AUTH_ID}"
LOGIN = "Basic " + base64.b64encode(f"{AUTH_ID}:the-auth-token".encode()).decode()
CAMPAIGNS = {"good": "COMPLETED", "waiting": "PROCESSING", "refused": "FAILED"}
VERIFICATIONS = {"good": "VERIFIED", "waiting": "PENDING_VERIFICATION", "missing": "UNVERIFIED"}


class PlivoNumbers(NumberFarEnd):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, dict[str, Any]] = {}
        # Documented nowhere; without it an empty id changes nothing.
        self.can_unlink = True

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
        application = None
        if together_with:
            application = self.numbers[together_with.lstrip("+")]["application"]
        elif url:
            made = self.make_application({"app_name": f"For-{address[1:]}", "message_url": url})
            application = f"{ACCOUNT}/Application/{made}/"
        number = address.lstrip("+")
        is_toll_free = address.startswith("+18")
        self.numbers[number] = {
            "number": number,
            "alias": None,
            "application": application,
            "carrier": "Plivo",
            "number_type": "tollfree" if is_toll_free else "local",
            "region": "Washington, UNITED STATES",
            "resource_uri": f"{ACCOUNT}/Number/{number}/",
            "sms_enabled": can_sms,
            "mms_enabled": can_mms,
            "voice_enabled": True,
            "sub_account": None,
            "tendlc_campaign_id": None,
            "tendlc_registration_status": None if is_toll_free else CAMPAIGNS.get(state),
            "toll_free_sms_verification": VERIFICATIONS.get(state) if is_toll_free else None,
        }

    def make_application(self, given: dict[str, Any]) -> str:
        app_id = str(29986316244302815 + len(self.applications))
        self.applications[app_id] = {
            "app_id": app_id,
            "resource_uri": f"{ACCOUNT}/Application/{app_id}/",
            "answer_url": "",
            "answer_method": "POST",
            "hangup_url": "",
            "hangup_method": "POST",
            "fallback_answer_url": "",
            "fallback_method": "POST",
            "message_url": "",
            "message_method": "POST",
            "enabled": True,
            **given,
        }
        return app_id

    def application_of(self, address: str) -> dict[str, Any]:
        uri = self.numbers[address.lstrip("+")]["application"] or ""
        return self.applications.get(uri.rstrip("/").split("/")[-1], {})

    def url_of(self, address: str) -> str:
        return str(self.application_of(address).get("message_url") or "")

    def change_elsewhere(self, address: str, url: str) -> None:
        self.application_of(address)["message_url"] = url

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        error = {"api_id": "97ceeb52-58b6-11e1-86da-77300b68f8bb", "error": "Refused, as planned."}
        return Answer(status, Answer.of(error).body, headers)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != LOGIN:
            return self.refuse(401, {})
        assert request.path.startswith(f"{ACCOUNT}/")
        assert request.path.endswith("/")
        path = request.path.removeprefix(f"{ACCOUNT}/")
        match request.method, path.split("/")[:-1]:
            case "GET", ["Number"]:
                return _listed(request, [*self.numbers.values()])
            case "GET", ["Application"]:
                return _listed(request, [*self.applications.values()])
            case "POST", ["Application"]:
                if any(c in request.json["app_name"] for c in " ,“”"):
                    return self.refuse(400, {})
                app_id = self.make_application(request.json)
                return Answer.of({"message": "created", "app_id": app_id, "api_id": "a"}, 201)
            case method, ["Number", number] if number in self.numbers:
                return self._number(request, method, self.numbers[number])
            case method, ["Application", app_id] if app_id in self.applications:
                if method == "POST":
                    self.applications[app_id] |= request.json
                    return Answer.of({"message": "changed", "api_id": "a"}, 202)
                return Answer.of(self.applications[app_id])
        return self.refuse(404, {})

    def _number(self, request: Request, method: str, number: dict[str, Any]) -> Answer:
        if method != "POST":
            return Answer.of(number)
        app_id = request.json["app_id"]
        if not app_id:
            if self.can_unlink:
                number["application"] = None
            return Answer.of({"message": "changed", "api_id": "a"}, 202)
        if app_id not in self.applications:
            return self.refuse(400, {})
        number["application"] = f"{ACCOUNT}/Application/{app_id}/"
        return Answer.of({"message": "changed", "api_id": "a"}, 202)


def _listed(request: Request, found: list[dict[str, Any]]) -> Answer:
    limit, offset = int(request.query.get("limit", 20)), int(request.query.get("offset", 0))
    assert limit <= 20
    following = f"?limit={limit}&offset={offset + limit}" if offset + limit < len(found) else None
    meta = {"limit": limit, "offset": offset, "total_count": len(found), "next": following}
    return Answer.of({"api_id": "a", "meta": meta, "objects": found[offset : offset + limit]})
