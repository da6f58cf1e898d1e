"""Read the phone numbers of a Vonage account, and set where their texts go.

Follows "Numbers API" (`/account/numbers`, `/number/update`, Basic auth with the API key and its
secret) and "Application API" v2. The Messages API delivers a number's texts to the `inbound_url`
of its application; a number without one has only the `moHttpUrl` of the older SMS API. Whether the
account's API settings choose the Messages API, and how far registrations are, no API tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from messaging.carriers import http, numbers, results, vonage_applications
from messaging.carriers.api_calls import Api, Interrupted, Resource
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Route, Step, Trouble
from messaging.carriers.vonage_applications import INBOUND, MEDIA, STATUS, VERSION, Applications
from messaging.carriers.vonage_reports import url

PAGE_SIZE = 100  # The most that Vonage gives at once
READING, CHANGING = "reading numbers", "changing numbers"

APPLICATION, SMS_URL = "app_id", "moHttpUrl"
LABELS = {
    INBOUND: "Messages: Inbound URL",
    STATUS: "Messages: Status URL",
    VERSION: "Messages: Version of both webhooks",
    MEDIA: "Messages: Secure inbound media",
    APPLICATION: "Application",
    SMS_URL: "SMS: Inbound Webhook URL",
    "name": "Name",
}
SETTING = (
    "Vonage doesn't tell whether Default SMS Setting in its API settings is Messages API, "
    "without which no texts come here."
)
REGISTRATION = "Vonage doesn't tell whether numbers are registered; its dashboard does."


@dataclass(slots=True)
class VonageDirectory(numbers.Directory):
    """Read and route the numbers of a Vonage account."""

    api: Api
    applications: Applications = field(init=False, repr=False)
    _users: dict[str, tuple[tuple[str, ...], int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.applications = Applications(self.api)

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read a page of numbers, with their applications."""
        index = int(cursor or 1)
        try:
            listed, count = self._read_list(size=PAGE_SIZE, index=index)
            found = [self._offer(one, with_users=with_registration) for one in listed]
        except Interrupted as stop:
            return stop.trouble
        following = str(index + 1) if listed and index * PAGE_SIZE < count else ""
        gaps = (SETTING, REGISTRATION) if with_registration else ()
        return numbers.Page(tuple(found), following, gaps)

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Search for one number, and read its application."""
        try:
            read = self._find(carrier_id)
            if read is None or f"+{read['msisdn']}" != address:
                return NotThere()
            return self._offer(read, with_users=True)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the capability Messages of the number's application, or link it to one of ours.

        An application that does nothing else, and whose webhook is in use by other numbers too, is
        left alone.
        """
        route = number.route
        if route is None:
            return ()
        wanted = vonage_applications.wanted_values(webhook_url)
        now = {name: number.fields.get(name, "") for name in wanted}
        if now == wanted:
            return ()
        app_id = number.fields.get(APPLICATION, "")
        is_shared_elsewhere = bool(now[INBOUND]) and route.other_count > 0
        is_for_more = bool(number.fields.get("capabilities"))
        if app_id and (not is_shared_elsewhere or is_for_more or route.leads_to(webhook_url)):
            title = f"Application {route.handler_name}"
            others = (route.others, route.other_count)
            return (Step("application", app_id, title, _changes(now, wanted), *others),)
        made = {"name": vonage_applications.OUR_NAME, **wanted}
        title = f"An application {vonage_applications.OUR_NAME}, made if there is none"
        before = {APPLICATION: app_id, SMS_URL: number.fields.get(SMS_URL, "")}
        linked = _changes(before, {APPLICATION: numbers.MADE, SMS_URL: ""})
        return (
            Step("application", "", title, _changes({}, made)),
            Step("number", number.carrier_id, "The number", linked),
        )

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the resource that the step changes."""
        if not step.resource_id:
            return NotThere()
        try:
            if step.resource == "number":
                read = self._find(step.resource_id)
                if read is None:
                    return NotThere()
                return {one.name: str(read.get(one.name) or "") for one in step.fields}
            application = self.applications.get(step.resource_id)
        except Interrupted as stop:
            return stop.trouble
        values = vonage_applications.values_of(application)
        return {one.name: values[one.name] for one in step.fields} if application else NotThere()

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call."""
        wanted = {one.name: one.will_be for one in step.fields}
        if step.resource == "number":
            return self._link(step.resource_id, wanted)
        if not step.resource_id:
            return self.applications.make(wanted)
        return self.applications.change(step.resource_id, wanted)

    def _link(
        self, msisdn: str, wanted: Mapping[str, str]
    ) -> numbers.Applied | NotThere | Trouble:
        """Link a number to an application, or to none; an update replaces all of its settings."""
        try:
            read = self._find(msisdn)
        except Interrupted as stop:
            return stop.trouble
        if read is None:
            return NotThere()
        values = {name: str(read.get(name) or "") for name in (APPLICATION, SMS_URL)}
        values |= wanted
        body = {"country": str(read.get("country") or ""), "msisdn": msisdn}
        if values[APPLICATION]:
            body[APPLICATION] = values[APPLICATION]
        if values[SMS_URL] or SMS_URL in wanted:
            body[SMS_URL] = values[SMS_URL]
        if read.get("voiceCallbackType") in ("sip", "tel"):
            body["voiceCallbackType"] = str(read["voiceCallbackType"])
            body["voiceCallbackValue"] = str(read.get("voiceCallbackValue") or "")
        address = url("https://rest.nexmo.com", "/number/update")
        answer = self.api.change("POST", address, CHANGING, data=body)
        if not isinstance(answer, dict):
            return answer
        code, words = read_error(answer)
        if str(code) != "200":
            return results.Refused(f"Vonage answered with error {code}", str(code), str(words))
        return numbers.Applied()

    def _offer(self, read: Resource, *, with_users: bool) -> OfferedNumber:
        address = f"+{read['msisdn']}"
        app_id = str(read.get(APPLICATION) or read.get("messagesCallbackValue") or "")
        application = self.applications.get(app_id) if app_id else {}
        users = self._users_of(app_id) if app_id and with_users else ((), 0)
        features = read.get("features")
        able = features if isinstance(features, list) else []
        kind = "toll-free" if read.get("type") == "landline-toll-free" else str(read.get("type"))
        fields = {
            **vonage_applications.values_of(application),
            APPLICATION: app_id if application else "",
            SMS_URL: str(read.get(SMS_URL) or ""),
            "name": str(application.get("name") or app_id)[:120],
            "capabilities": ",".join(sorted(vonage_applications.other_capabilities(application))),
        }
        return OfferedNumber(
            address=address,
            carrier_id=str(read["msisdn"]),
            kind=numbers.kind_of(address, kind),
            can_sms="SMS" in able,
            can_mms="MMS" in able,
            route=_route(address, fields, users),
            place="" if address.startswith("+1") else str(read.get("country") or ""),
            fields=fields,
        )

    def _users_of(self, app_id: str) -> tuple[tuple[str, ...], int]:
        """Return the first of an application's numbers, and how many it has."""
        if app_id not in self._users:
            size = numbers.NAMED_OTHERS + 1
            listed, count = self._read_list(application_id=app_id, size=size, index=1)
            self._users[app_id] = (tuple(f"+{one['msisdn']}" for one in listed), count)
        return self._users[app_id]

    def _find(self, msisdn: str) -> Resource | None:
        listed, _ = self._read_list(pattern=msisdn, search_pattern=0, size=10, index=1)
        return next((one for one in listed if str(one["msisdn"]) == msisdn), None)

    def _read_list(self, **query: str | int) -> tuple[list[Resource], int]:
        """Return a page of the account's numbers, and how many there are. Raise Interrupted."""
        address = url("https://rest.nexmo.com", "/account/numbers")
        answer = self.api.read(f"{address}?{urlencode(query)}", READING)
        listed, count = answer.get("numbers", []), answer.get("count", 0)
        is_readable = isinstance(listed, list) and isinstance(count, int)
        if not is_readable or not all(
            isinstance(one, dict) and one.get("msisdn") for one in listed
        ):
            raise Interrupted(results.CannotTell("Vonage answered with no readable list"))
        return listed, count


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """Return an answer's JSON object. Without numbers it has nothing in it."""
    answer = http.json_object(response)
    return answer or ({"count": 0} if response.text.strip() == "{}" else {})


def read_error(answer: Resource) -> tuple[object, object]:
    """Return an error's number and words, as the Numbers API or the Application API has them."""
    if "error-code" in answer:
        return answer["error-code"], answer.get("error-code-label")
    return answer.get("title"), answer.get("detail")


def console_guide(webhook_url: str) -> numbers.ConsoleGuide:
    """Return the fields of Vonage's dashboard."""
    where = "Applications, the number's application, Edit, Capabilities → Messages"
    return numbers.ConsoleGuide(
        (
            numbers.GuideField("Default SMS Setting", "Messages API", "API Settings → SMS"),
            numbers.GuideField("Inbound URL", webhook_url, where),
            numbers.GuideField("Status URL", webhook_url, where),
            numbers.GuideField("Version of both webhooks", "v1", where),
            numbers.GuideField("Secure inbound media", "off", where),
            numbers.GuideField(
                "Link", vonage_applications.OUR_NAME, "Applications, the application, Link numbers"
            ),
        ),
        "https://dashboard.nexmo.com/applications",
        "The first of these is a setting of the account that Vonage's API can neither read nor "
        "change.",
    )


def _changes(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, LABELS[name], now.get(name, ""), value)
        for name, value in wanted.items()
        if now.get(name, "") != value
    )


def _route(address: str, fields: Mapping[str, str], users: tuple[tuple[str, ...], int]) -> Route:
    """Return where the Messages API delivers a number's texts, or else the older SMS API."""
    url, words = fields[INBOUND] or fields[SMS_URL], ""
    if url and not fields[INBOUND]:
        words = f"Texts now go to {Route(url).host} by Vonage's older SMS API"
    elif not url:
        words = "Texts go to the account's default address, if it has one"
    if not fields[APPLICATION]:
        return Route(url, is_free=not url, words=words)
    named, count = users
    others = tuple(one for one in named if one != address)
    return Route(
        url,
        "POST",
        "application",
        fields[APPLICATION],
        fields["name"],
        is_free=not url,
        words=words,
        others=others[: numbers.NAMED_OTHERS],
        other_count=max(count - 1, len(others)),
    )
