"""Vonage's numbers (Numbers API) and applications (Application API v2)."""

from __future__ import annotations

import base64
from typing import Any

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

LOGIN = "Basic " + base64.b64encode(b"abcd1234:the-api-secret").decode()
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"


class VonageNumbers(NumberFarEnd):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, dict[str, Any]] = {}

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
        number: dict[str, Any] = {
            "country": "US",
            "msisdn": address.lstrip("+"),
            "type": "landline-toll-free" if address.startswith("+18") else "mobile-lvn",
            "features": ["VOICE", *(["SMS"] if can_sms else []), *(["MMS"] if can_mms else [])],
        }
        if together_with:
            number["app_id"] = self.numbers[together_with.lstrip("+")]["app_id"]
        elif url:
            number["app_id"] = self.make_application(f"For {address}", url)
        self.numbers[number["msisdn"]] = number

    def make_application(self, name: str, url: str) -> str:
        webhook = {"address": url, "http_method": "POST"}
        webhooks = {"inbound_url": webhook, "status_url": dict(webhook)}
        return self.store(
            {"name": name, "capabilities": {"messages": {"webhooks": webhooks, "version": "v1"}}}
        )

    def store(self, given: dict[str, Any]) -> str:
        app_id = f"78d335fa-323d-0114-9c3d-{len(self.applications):012}"
        self.applications[app_id] = {
            "id": app_id,
            "keys": {"public_key": PUBLIC_KEY},
            "privacy": {"improve_ai": False},
            "_links": {"self": {"href": f"/v2/applications/{app_id}"}},
            **given,
        }
        return app_id

    def application_of(self, address: str) -> dict[str, Any]:
        app_id = self.numbers[address.lstrip("+")].get("app_id", "")
        return self.applications.get(app_id, {})

    def url_of(self, address: str) -> str:
        capabilities = self.application_of(address).get("capabilities", {})
        webhooks = capabilities.get("messages", {}).get("webhooks", {})
        inbound = webhooks.get("inbound_url", {}).get("address", "")
        return str(inbound or self.numbers[address.lstrip("+")].get("moHttpUrl", ""))

    def change_elsewhere(self, address: str, url: str) -> None:
        webhooks = self.application_of(address)["capabilities"]["messages"]["webhooks"]
        webhooks["inbound_url"]["address"] = url

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        error = {
            "type": "https://developer.nexmo.com/api-errors#refused",
            "title": "Refused",
            "detail": "Refused, as planned.",
            "error-code": str(status),
            "error-code-label": "refused, as planned",
        }
        return Answer(status, Answer.of(error).body, headers)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != LOGIN:
            return self.refuse(401, {})
        match request.method, request.path.split("/")[1:]:
            case "GET", ["account", "numbers"]:
                return self._listed(request.query)
            case "POST", ["number", "update"]:
                return self._update(request.form)
            case "GET", ["v2", "applications"]:
                return self._applications(request.query)
            case "POST", ["v2", "applications"]:
                made = self.applications[self.store(request.json)]
                return Answer.of({**made, "keys": {"private_key": "a key"}}, 201)
            case method, ["v2", "applications", app_id] if app_id in self.applications:
                if method == "PUT":
                    # What is not given is gone, but for the keys.
                    keys = self.applications[app_id]["keys"]
                    self.applications[app_id] = {"id": app_id, "keys": keys, **request.json}
                return Answer.of(self.applications[app_id])
        return self.refuse(404, {})

    def _listed(self, query: dict[str, str]) -> Answer:
        size, index = int(query["size"]), int(query["index"])
        assert size <= 100
        found = [
            number
            for number in self.numbers.values()
            if number["msisdn"].startswith(query.get("pattern", ""))
            and query.get("application_id", number.get("app_id")) == number.get("app_id")
        ]
        page = found[(index - 1) * size : index * size]
        return Answer.of({"count": len(found), "numbers": page} if found else {})

    def _update(self, form: dict[str, str]) -> Answer:
        number = self.numbers.get(form["msisdn"])
        if number is None or number["country"] != form["country"]:
            return self.refuse(420, {})
        if form.get("app_id") and form["app_id"] not in self.applications:
            return self.refuse(420, {})
        # What is not given is gone.
        kept = {name: number[name] for name in ("country", "msisdn", "type", "features")}
        given = {name: value for name, value in form.items() if value}
        self.numbers[form["msisdn"]] = kept | given
        return Answer.of({"error-code": "200", "error-code-label": "success"})

    def _applications(self, query: dict[str, str]) -> Answer:
        size, page = int(query["page_size"]), int(query["page"])
        listed = [*self.applications.values()]
        return Answer.of(
            {
                "page_size": size,
                "page": page,
                "total_items": len(listed),
                "total_pages": -(-len(listed) // size),
                "_embedded": {"applications": listed[(page - 1) * size : page * size]},
            }
        )
