"""SignalWire's phone numbers, short codes and registrations (REST API, Compatibility API)."""

from __future__ import annotations

import base64
from typing import Any

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

PROJECT, TOKEN = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "PT0"
STATES = {"good": "completed", "waiting": "pending", "refused": "failed"}
VERIFICATIONS = {
    "good": "Verified",
    "waiting": "Pending",
    "refused": "Rejected",
    "missing": "Unverified",
}
HANDLERS = {"relay_context", "relay_topic", "relay_application", "laml_webhooks"}
TAKEN = {
    "name",
    "message_handler",
    "message_request_url",
    "message_request_method",
    "message_fallback_url",
    "message_fallback_method",
}


class SignalWireNumbers(NumberFarEnd):
    """Keep numbers as SignalWire does: each has its own address."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, dict[str, Any]] = {}
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
        number_id = f"3fa85f64-5717-4562-b3fc-{len(self.numbers):012}"
        if together_with:
            url = self.url_of(together_with)
        is_code = not address.startswith("+")
        self.numbers[number_id] = {
            "id": number_id,
            "number": address,
            "name": None,
            "capabilities": ["voice"] + ["sms"] * can_sms + ["mms"] * can_mms,
            "number_type": "toll-free" if address.startswith("+18") else "longcode",
            "message_handler": "laml_webhooks" if url else None,
            "message_request_url": url or None,
            "message_request_method": "POST" if url else None,
            "message_laml_application_id": None,
            "message_relay_topic": None,
        }
        if is_code:
            self.numbers[number_id]["number_type"] = "shortcode"
        self.registered[address] = state

    def let_relay_take(self, address: str, topic: str) -> None:
        """Have a Relay topic take a number's texts."""
        self._find(address).update(message_handler="relay_topic", message_relay_topic=topic)

    def _find(self, address: str) -> dict[str, Any]:
        return next(one for one in self.numbers.values() if one["number"] == address)

    def url_of(self, address: str) -> str:
        found = self._find(address)
        is_used = found["message_handler"] in (None, "laml_webhooks")
        return str(found["message_request_url"] or "") if is_used else ""

    def change_elsewhere(self, address: str, url: str) -> None:
        self._find(address).update(message_handler="laml_webhooks", message_request_url=url)

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        words = {"detail": "Refused, as planned", "status": str(status), "code": "refused"}
        return Answer(status, Answer.of({"errors": [words]}).body, headers)

    def answer(self, request: Request) -> Answer:
        login = base64.b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return self.refuse(401, {})
        if request.path == f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers":
            return self._verifications()
        path = request.path.removeprefix("/api/relay/rest/").split("/")
        match path:
            case ["phone_numbers"]:
                found = [one for one in self.numbers.values() if one["number"][0] == "+"]
                return _page(request, found)
            case ["short_codes"]:
                codes = [one for one in self.numbers.values() if one["number"][0] != "+"]
                return _page(request, codes)
            case ["phone_numbers" | "short_codes", number_id]:
                return self._resource(request, self.numbers.get(number_id))
            case ["registry", "beta", "brands"]:
                return _page(request, [{"id": "brand-1", "state": "completed"}])
            case ["registry", "beta", "brands", "brand-1", "campaigns"]:
                return _page(request, [{"id": "campaign-1", "state": "active"}])
            case ["registry", "beta", "campaigns", "campaign-1", "numbers"]:
                return _page(request, self._assignments())
        return self.refuse(404, {})

    def _resource(self, request: Request, found: dict[str, Any] | None) -> Answer:
        if found is None:
            return self.refuse(404, {})
        if request.method == "PUT":
            is_right = set(request.json) <= TAKEN
            if not is_right or request.json["message_handler"] not in HANDLERS:
                return self.refuse(422, {})
            found |= request.json
        return Answer.of(found)

    def _assignments(self) -> list[dict[str, Any]]:
        return [
            {"id": f"as-{address}", "state": STATES[state], "phone_number": {"number": address}}
            for address, state in self.registered.items()
            if state in STATES and not address.startswith("+18")
        ]

    def _verifications(self) -> Answer:
        listed = [
            {"phone_number": address, "verification_status": VERIFICATIONS[state]}
            for address, state in self.registered.items()
            if address.startswith("+18")
        ]
        return Answer.of({"incoming_phone_numbers": listed, "next_page_uri": None})


def _page(request: Request, resources: list[dict[str, Any]]) -> Answer:
    size = min(int(request.query.get("page_size", 50)), 1000)
    page = int(request.query.get("page_number", 0))
    links = {"self": request.path, "first": request.path}
    if resources[(page + 1) * size :]:
        token = f"page_number={page + 1}&page_size={size}&page_token=PA{page}"
        links["next"] = f"{request.path}?{token}"
    return Answer.of({"links": links, "data": resources[page * size : (page + 1) * size]})
