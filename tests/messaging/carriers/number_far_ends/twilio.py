"""Twilio's numbers, messaging services and registrations (API 2010-04-01, Messaging v1)."""

from __future__ import annotations

import base64
from typing import Any

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request

ACCOUNT = "AC" + "0" * 32
TOKEN = "the-auth-token"
CAMPAIGNS = {"good": "VERIFIED", "waiting": "IN_PROGRESS", "refused": "FAILED"}
VERIFICATIONS = {"good": "TWILIO_APPROVED", "waiting": "IN_REVIEW", "refused": "TWILIO_REJECTED"}
# Fields of a request that a resource takes, by its name in answers.
FIELDS = {
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsApplicationSid": "sms_application_sid",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
    "InboundRequestUrl": "inbound_request_url",
    "InboundMethod": "inbound_method",
    "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
    "FriendlyName": "friendly_name",
}


class TwilioNumbers(NumberFarEnd):
    """Keep numbers as Twilio does. One that is added together with another shares a service, which
    takes the texts of both."""

    def __init__(self, token: str = TOKEN) -> None:
        """Take only logins with the token; without one, any."""
        super().__init__()
        self.token = token
        self.numbers: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, dict[str, Any]] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.members: dict[str, list[str]] = {}
        self.campaigns: dict[str, str] = {}
        self.verifications: dict[str, str] = {}

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
        is_code = not address.startswith("+")
        sid = f"{'SC' if is_code else 'PN'}{len(self.numbers):032x}"
        self.numbers[sid] = {
            "sid": sid,
            "account_sid": ACCOUNT,
            "friendly_name": address,
            "sms_url": url,
            "sms_method": "POST",
            "sms_fallback_url": "",
            "sms_fallback_method": "POST",
            **({"short_code": address} if is_code else {"phone_number": address}),
        }
        if not is_code:
            self.numbers[sid] |= {
                "sms_application_sid": "",
                "capabilities": {"voice": True, "sms": can_sms, "mms": can_mms, "fax": False},
                "origin": "twilio",
                "status": "in-use",
                "type": "tollfree" if address.startswith("+18") else "local",
            }
        if together_with:
            self._share(together_with, sid)
        elif not is_code and not address.startswith("+18") and state != "missing":
            self.put_into(self.make_service(f"Campaign of {state} numbers", state=state), sid)
        if address.startswith("+18") and state in VERIFICATIONS:
            self.verifications[sid] = VERIFICATIONS[state]

    def make_service(
        self, name: str, *, url: str | None = None, takes_texts: bool = False, state: str = "good"
    ) -> str:
        """Return a messaging service of that name, made if there is none."""
        for sid, known in self.services.items():
            if known["friendly_name"] == name:
                return sid
        sid = f"MG{len(self.services):032x}"
        self.services[sid] = {
            "sid": sid,
            "account_sid": ACCOUNT,
            "friendly_name": name,
            "inbound_request_url": url,
            "inbound_method": "POST",
            "use_inbound_webhook_on_number": not takes_texts,
            "us_app_to_person_registered": state == "good",
        }
        self.members[sid] = []
        self.campaigns[sid] = CAMPAIGNS.get(state, "")
        return sid

    def put_into(self, service: str, sid: str) -> None:
        for members in self.members.values():
            if sid in members:
                members.remove(sid)
        self.members[service].append(sid)

    def make_application(self, url: str, sid: str) -> str:
        """Let a TwiML App take the texts of a number."""
        application = f"AP{len(self.applications):032x}"
        self.applications[application] = {
            "sid": application,
            "friendly_name": "An app",
            "sms_url": url,
            "sms_method": "POST",
        }
        self.numbers[sid]["sms_application_sid"] = application
        return application

    def sid_of(self, address: str) -> str:
        return next(sid for sid, one in self.numbers.items() if address in one.values())

    def _share(self, with_address: str, sid: str) -> None:
        first = self.sid_of(with_address)
        service = self._service_of(first)
        if service is None or not self._takes_texts(service):
            url = self.numbers[first]["sms_url"]
            service = self.make_service(f"With {with_address}", url=url, takes_texts=True)
            self.put_into(service, first)
        self.put_into(service, sid)

    def _service_of(self, sid: str) -> str | None:
        return next((one for one, members in self.members.items() if sid in members), None)

    def _takes_texts(self, service: str) -> bool:
        return not self.services[service]["use_inbound_webhook_on_number"]

    def _holder(self, address: str) -> tuple[dict[str, Any], str]:
        """Return what says where the number's texts go, and its key."""
        sid = self.sid_of(address)
        service = self._service_of(sid)
        if service is not None and self._takes_texts(service):
            return self.services[service], "inbound_request_url"
        if application := self.numbers[sid].get("sms_application_sid"):
            return self.applications[application], "sms_url"
        return self.numbers[sid], "sms_url"

    def url_of(self, address: str) -> str:
        holder, key = self._holder(address)
        return str(holder[key] or "")

    def change_elsewhere(self, address: str, url: str) -> None:
        holder, key = self._holder(address)
        holder[key] = url

    def refuse(self, status: int, headers: dict[str, str]) -> Answer:
        # Like Twilio's, the words may repeat numbers.
        words = {"code": 20001, "message": "Refused for +12025550110.", "status": status}
        return Answer(status, Answer.of(words).body, headers)

    def answer(self, request: Request) -> Answer:
        login = base64.b64encode(f"{ACCOUNT}:{self.token}".encode()).decode()
        if self.token and request.headers.get("authorization") != f"Basic {login}":
            return self.refuse(401, {})
        if request.path.startswith("/2010-04-01/Accounts/"):
            path = request.path.removesuffix(".json").split("/")[4:]
            return self._answer_2010(request, path)
        return self._answer_messaging(request, request.path.removeprefix("/v1/").split("/"))

    @staticmethod
    def is_about_numbers(path: str) -> bool:
        """Return True for what this far end answers, of all that Twilio's APIs do."""
        kinds = ("IncomingPhoneNumbers", "SMS/ShortCodes", "Applications")
        is_message = path.lower().rstrip("/").endswith(("message", "messages"))
        return (path.startswith("/v1/") and not is_message) or any(
            f"/{kind}" in path for kind in kinds
        )

    def _answer_2010(self, request: Request, path: list[str]) -> Answer:
        codes = [one for one in self.numbers.values() if "short_code" in one]
        match path:
            case ["IncomingPhoneNumbers"]:
                numbers = [one for one in self.numbers.values() if "phone_number" in one]
                return _page(request, numbers, "incoming_phone_numbers")
            case ["SMS", "ShortCodes"]:
                return _page(request, codes, "short_codes")
            case ["IncomingPhoneNumbers", sid] | ["SMS", "ShortCodes", sid]:
                return self._resource(request, self.numbers.get(sid))
            case ["Applications", sid]:
                return self._resource(request, self.applications.get(sid))
        return self.refuse(404, {})

    def _answer_messaging(self, request: Request, path: list[str]) -> Answer:
        match path:
            case ["Services"]:
                return _page(request, [*self.services.values()], "services")
            case ["Services", service]:
                return self._resource(request, self.services.get(service))
            case ["Services", service, "PhoneNumbers" | "ShortCodes" as kind]:
                key = "phone_number" if kind == "PhoneNumbers" else "short_code"
                members = [self.numbers[sid] for sid in self.members[service]]
                found = [{"sid": one["sid"], key: one[key]} for one in members if key in one]
                return _page(request, found, f"{key}s")
            case ["Services", service, "Compliance", "Usa2p"]:
                state = self.campaigns[service]
                listed = [{"sid": "QE" + "0" * 32, "campaign_status": state}] if state else []
                return _page(request, listed, "compliance")
            case ["Tollfree", "Verifications"]:
                listed = [
                    {"sid": "HH" + sid[2:], "tollfree_phone_number_sid": sid, "status": status}
                    for sid, status in self.verifications.items()
                ]
                return _page(request, listed, "verifications")
        return self.refuse(404, {})

    def _resource(self, request: Request, found: dict[str, Any] | None) -> Answer:
        if found is None:
            return self.refuse(404, {})
        if request.method == "POST":
            if not set(request.form) <= set(FIELDS):
                return self.refuse(400, {})
            found |= {FIELDS[name]: value for name, value in request.form.items()}
        return Answer.of(found)


def _page(request: Request, resources: list[dict[str, Any]], key: str) -> Answer:
    """Return a page as either API gives it: where the next one is, its host included or not."""
    size = min(int(request.query.get("PageSize", 50)), 1000)
    page = int(request.query.get("Page", 0))
    shown = resources[page * size : (page + 1) * size]
    query = f"PageSize={size}&Page={page + 1}&PageToken=PA{page}"
    following = f"{request.path}?{query}" if resources[(page + 1) * size :] else None
    if request.path.startswith("/2010"):
        return Answer.of({key: shown, "next_page_uri": following, "page": page})
    url = f"https://messaging.twilio.com{following}" if following else None
    return Answer.of({key: shown, "meta": {"key": key, "next_page_url": url, "page": page}})
