"""Read the phone numbers of a Plivo account, and set where their texts go.

Follows "Account Phone Numbers" (`Number/`, 20 at once) and "Applications" (`Application/`) of API
v1. A number's texts go to the `message_url` of its application, which also says where its calls
go. All of that takes no more than the auth ID and token. Applications are shared, and Plivo does
not tell by whom: only an account that was read as a whole tells whether a number is alone in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from messaging.carriers import numbers, results
from messaging.carriers.api_calls import Api, Interrupted, Resource
from messaging.carriers.numbers import FieldChange, NotThere, OfferedNumber, Route, Step, Trouble
from messaging.carriers.plivo_registration import registration_of

AT_ONCE = 20  # The most that Plivo gives
CALLS_A_PAGE = 10
MAX_CALLS = 25  # For applications; one that is not among them is read by itself

READING, CHANGING = "reading numbers and applications", "changing numbers and applications"

URL, METHOD, APPLICATION = "message_url", "message_method", "app_id"
LABELS = {
    URL: "Message URL",
    METHOD: "Message URL: Method",
    APPLICATION: "Plivo Application",
    "app_name": "Application Name",
    "answer_url": "Primary Answer URL",
    "answer_method": "Primary Answer URL: Method",
    "fallback_answer_url": "Fallback Answer URL",
    "fallback_method": "Fallback Answer URL: Method",
    "hangup_url": "Hangup URL",
    "hangup_method": "Hangup URL: Method",
}
# What says where calls go, which an application of ours takes over.
CALLS = (
    "answer_url",
    "answer_method",
    "fallback_answer_url",
    "fallback_method",
    "hangup_url",
    "hangup_method",
)
OUR_NAME = "Partyline"
STILL_THERE = results.Refused(
    "Plivo didn't take the number out of the application. In Plivo's console, give it another one"
)
UNSEEN = results.OutcomeUnknown("Plivo didn't say whether the number is out of the application")


@dataclass(slots=True)
class PlivoDirectory(numbers.Directory):
    """Read and route the numbers of a Plivo account; `account_url` is the Account's, without a
    closing slash."""

    api: Api
    account_url: str = field(repr=False)
    _applications: dict[str, Resource] | None = field(default=None, repr=False)
    # The numbers of each application; empty for an account too large to know.
    _users: dict[str, list[str]] | None = field(default=None, repr=False)

    def read_page(
        self, cursor: str = "", *, with_registration: bool = True
    ) -> numbers.Page | Trouble:
        """Read some 200 numbers by several calls."""
        offset = int(cursor or 0)
        try:
            read, has_more = self._read_numbers(offset)
            if self._applications is None and any(_application_of(one) for one in read):
                self._applications = self._read_applications()
            if self._users is None:
                self._users = {} if cursor or has_more else _users(read)
            found = [self._offer(one, with_registration) for one in read]
        except Interrupted as stop:
            return stop.trouble
        following = str(offset + len(read)) if has_more else ""
        return numbers.Page(tuple(found), following)

    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Read one number and its application, and who else has that."""
        try:
            read = self.api.read(self._url("number", carrier_id), READING)
        except Interrupted as stop:
            return stop.reason
        if f"+{read.get('number')}" != address:
            return NotThere()
        try:
            if self._users is None:
                listed, has_more = self._read_numbers(0)
                self._users = {} if has_more else _users(listed)
            return self._offer(read, with_registration)
        except Interrupted as stop:
            return stop.trouble

    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Set the Message URL of the number's application, or give it one of ours.

        One that other numbers have too, or may have, is left alone, unless it leads to this
        account's webhook at whatever address: the number gets a new one, which treats its calls
        as the old one does.
        """
        route = number.route
        if route is None or (route.leads_to(webhook_url) and route.method == "POST"):
            return ()
        wanted = {URL: webhook_url, METHOD: "POST"}
        is_ours = _has_our_path(route.url, webhook_url)
        is_known = number.fields.get("users") == "known"
        is_alone = is_known and (not route.other_count or route.is_free)
        if route.handler_id and (is_ours or is_alone):
            changes = _changes({URL: route.url, METHOD: route.method}, wanted)
            title = f"Application {route.handler_name}"
            others = (route.others, route.other_count)
            return (Step("application", route.handler_id, title, changes, *others),)
        calls = {name: value for name in CALLS if (value := number.fields.get(name))}
        name = f"{OUR_NAME}-{route.handler_name}" if calls.get("answer_url") else OUR_NAME
        made = {"app_name": re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60], **wanted}
        if calls.get("answer_url"):
            made |= calls
        title = f"An application {made['app_name']}, made if there is none"
        assigned = _changes({APPLICATION: route.handler_id}, {APPLICATION: numbers.MADE})
        return (
            Step("application", "", title, _changes({}, made)),
            Step("number", number.carrier_id, "The number", assigned),
        )

    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Read the resource that the step changes."""
        if not step.resource_id:
            return NotThere()
        try:
            read = self.api.read(self._url(step.resource, step.resource_id), READING)
        except Interrupted as stop:
            return stop.reason
        if step.resource == "number":
            return {APPLICATION: _application_of(read)}
        return {one.name: _value(read, one.name) for one in step.fields}

    def apply(self, step: Step) -> numbers.Applied | NotThere | Trouble:
        """Write all fields of the step by one call. Plivo's answer does not repeat them."""
        wanted = {one.name: one.will_be for one in step.fields}
        if not step.resource_id:
            return self._make_application(wanted)
        address = self._url(step.resource, step.resource_id)
        if wanted.get(APPLICATION) == "":
            return self._take_out(address)
        answer = self.api.change("POST", address, CHANGING, json=wanted)
        return numbers.Applied() if isinstance(answer, dict) else answer

    def _take_out(self, address: str) -> numbers.Applied | NotThere | Trouble:
        """Take a number out of its application, and look whether it is: Plivo doesn't document
        that, though its older SDKs do it so."""
        answer = self.api.change("POST", address, CHANGING, json={APPLICATION: ""})
        if not isinstance(answer, dict | results.Refused):
            return answer
        try:
            is_in_one = bool(_application_of(self.api.read(address, READING)))
        except Interrupted as stop:
            return stop.reason if isinstance(stop.reason, NotThere) else UNSEEN
        return STILL_THERE if is_in_one else numbers.Applied()

    def _make_application(self, wanted: dict[str, str]) -> numbers.Applied | NotThere | Trouble:
        """Return the application that is as wanted, as of an earlier try, or make it."""
        try:
            for app_id, application in self._read_applications().items():
                if all(_value(application, name) == value for name, value in wanted.items()):
                    return numbers.Applied(app_id)
        except Interrupted as stop:
            return stop.trouble
        url = f"{self.account_url}/Application/"
        answer = self.api.change("POST", url, CHANGING, json=wanted)
        if not isinstance(answer, dict):
            return answer
        made = str(answer.get("app_id") or "")
        if not made:
            return results.OutcomeUnknown("Plivo does not say the new application's id")
        return numbers.Applied(made)

    def _offer(self, read: Resource, with_registration: bool) -> OfferedNumber:
        address = f"+{read['number']}"
        kind = numbers.kind_of(address, str(read.get("number_type")).replace("toll", "toll-"))
        app_id = _application_of(read)
        application = self._application(app_id) if app_id else {}
        users = (self._users or {}).get(app_id, [])
        others = [one for one in users if app_id and one != address]
        fields = {name: value for name in CALLS if (value := _value(application, name))}
        return OfferedNumber(
            address=address,
            carrier_id=str(read["number"]),
            kind=kind,
            can_sms=bool(read.get("sms_enabled")),
            can_mms=bool(read.get("mms_enabled")),
            route=_route(app_id, application, others),
            place=str(read.get("region") or "").title()[:80],
            name=str(read.get("alias") or "")[:120],
            registration=registration_of(read, address, kind) if with_registration else None,
            fields={**fields, "users": "known"} if users else fields,
        )

    def _read_numbers(self, offset: int) -> tuple[list[Resource], bool]:
        """Return the numbers of some calls, and whether there are more. Raise Interrupted."""
        read: list[Resource] = []
        has_more = True
        for _ in range(CALLS_A_PAGE):
            listed, has_more = self._read_list("Number", offset + len(read))
            read += listed
            if not has_more:
                break
        return read, has_more

    def _application(self, app_id: str) -> Resource:
        """Return an application. It may be gone."""
        if self._applications is None:
            self._applications = {}
        if app_id not in self._applications:
            try:
                read = self.api.read(self._url("application", app_id), READING)
            except Interrupted as stop:
                if not isinstance(stop.reason, NotThere):
                    raise
                read = {}
            self._applications[app_id] = read
        return self._applications[app_id]

    def _read_applications(self) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for _ in range(MAX_CALLS):
            listed, has_more = self._read_list("Application", len(found))
            found |= {str(one.get("app_id")): one for one in listed}
            if not has_more:
                break
        return found

    def _read_list(self, resource: str, offset: int) -> tuple[list[Resource], bool]:
        """Return a page of a list, and whether there are more. Raise Interrupted."""
        query = urlencode({"limit": AT_ONCE, "offset": offset})
        answer = self.api.read(f"{self.account_url}/{resource}/?{query}", READING)
        listed, meta = answer.get("objects"), answer.get("meta")
        key = "number" if resource == "Number" else "app_id"
        if not isinstance(listed, list) or not all(
            isinstance(one, dict) and one.get(key) for one in listed
        ):
            raise Interrupted(results.CannotTell("Plivo answered with no readable list"))
        has_more = bool(listed) and isinstance(meta, dict) and bool(meta.get("next"))
        return listed, has_more

    def _url(self, resource: str, resource_id: str) -> str:
        name = "Application" if resource == "application" else "Number"
        return f"{self.account_url}/{name}/{quote(resource_id, safe='')}/"


def read_error(answer: Resource) -> tuple[object, object]:
    """Return an error's words; it has no number."""
    error = answer.get("error")
    return "", " ".join(map(str, error.values())) if isinstance(error, dict) else error


def console_guide(webhook_url: str) -> numbers.ConsoleGuide:
    """Return the fields of Plivo's console."""
    where = "Messaging → Applications → XML, the number's application, or Add New Application"
    number = "Phone Numbers → Your Numbers, the number"
    return numbers.ConsoleGuide(
        (
            numbers.GuideField("Message URL", webhook_url, where),
            numbers.GuideField("Method", "POST", where),
            numbers.GuideField("Application Type", "XML Application", number),
            numbers.GuideField("Plivo Application", OUR_NAME, number),
        ),
        "https://console.plivo.com/sms/applications/",
        "An application also says where the number's calls go, and other numbers may have it too.",
    )


def _changes(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, LABELS[name], now.get(name, ""), value)
        for name, value in wanted.items()
        if now.get(name, "") != value
    )


def _has_our_path(url: str, webhook_url: str) -> bool:
    """Return True for our webhook, whatever the host: PUBLIC_URL may have changed since."""
    try:
        return urlsplit(url).path.endswith(urlsplit(webhook_url).path)
    except ValueError:
        return False


def _route(app_id: str, application: Resource, others: list[str]) -> Route:
    url = _value(application, URL)
    if not app_id:
        return Route("", handler="application", is_free=True, words="It has no application")
    return Route(
        url,
        _value(application, METHOD) or "POST",
        "application",
        app_id,
        str(application.get("app_name") or app_id)[:120],
        is_free=not url,
        others=tuple(others[: numbers.NAMED_OTHERS]),
        other_count=len(others),
    )


def _users(read: list[Resource]) -> dict[str, list[str]]:
    """Return the numbers of each application."""
    users: dict[str, list[str]] = {}
    for one in read:
        users.setdefault(_application_of(one), []).append(f"+{one['number']}")
    return users


def _application_of(read: Resource) -> str:
    """Return the id at the end of a number's application's address; empty for none."""
    return str(read.get("application") or "").rstrip("/").rpartition("/")[2]


def _value(read: Mapping[str, Any], name: str) -> str:
    return str(read.get(name) or "")
