"""Send values that no page sends: never a 500, and anything but a number is refused where one
belongs."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client

from inboxes.integers import MAX_BIGINT, read_integer
from messaging.accounts.webhook_paths import PATTERN
from tests.cast import Cast, client_of
from tests.messaging.conversations.one_of_each import (
    OneOfEach,
    _own_files,
    cast,
    one_of_each,
)
from tests.messaging.conversations.test_access import ADMIN, ROUTES

__all__ = ["_own_files", "cast", "one_of_each"]

NO_NUMBERS = ["²", "٣", " 1", "-1", "1\0", str(2**63), "9" * 5000]
NO_WORDS = ["a\0b", "\ufffd", "9" * 5000]
NOTHING = ["²", "٣", "-1", "1%00", str(10**30), "9" * 5000]
CONTACT_SEARCH = ("q", "opted_out", "blocked", "order", "after")
CONTACT_FIELDS = ("name", "company", "email", "reference", "note")
KEYS = {
    "inbox_id": "inbox",
    "thread_id": "thread",
    "message_id": "message",
    "activity_id": "activity",
    "attachment_id": "attachment",
    "text_id": "later",
    "reply_id": "reply",
    "contact_id": "contact",
    "consent_id": "consent",
    "file_id": "reply_file",
}


@dataclass(frozen=True)
class Request:
    """Hold a request: `numbers` and `words` are the parameters that it reads, `form` the rest.

    `{}` in a number's form stands for the number.
    """

    deed: str = "get"
    numbers: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    form: dict[str, str] = field(default_factory=dict)


KEY = str(uuid.uuid4())
CURSOR, NOTICE = {"after": "{}-1"}, {"after": "1-{}"}
SEARCH = ("q", "all", "only", "after")
WORDS = {"body": "Hi", "form_key": KEY}
REPLY = {"name": "hi", "body": "Hi", "owner": "me"}
DONE = {"deed": "done", "thread": "1-1"}
REQUESTS: dict[str, list[Request]] = {
    "": [Request(numbers=CURSOR, words=SEARCH), Request(numbers={"after": "1-{}"})],
    "search/": [Request(numbers={"after": "{}"}, words=SEARCH, form={"q": "there"})],
    "inboxes/<int:inbox_id>/": [
        Request(numbers=CURSOR, words=SEARCH),
        Request(numbers={"after": "1-{}"}, form={"q": "there"}),
    ],
    "inboxes/<int:inbox_id>/search/": [
        Request(numbers={"after": "{}"}, words=SEARCH, form={"q": "there"})
    ],
    "start/": [
        Request(numbers={"inbox": "{}"}, words=("to",)),
        Request(
            "post",
            {"inbox": "{}"},
            ("to", "body", "form_key", "checked", "filled"),
            WORDS | {"to": "+12025550155", "inbox": "1"},
        ),
    ],
    "start/files/": [Request("post")],
    "start/to/": [Request(words=("to", "inbox"), form={"to": "+1202555"})],
    "threads/<int:thread_id>/": [
        Request(numbers={"before": "{}"}, words=SEARCH),
        Request(numbers={"at": "{}"}),
        Request(numbers={"line": "{}"}),
        Request(numbers={"new": "{}"}, form={"before": "1"}),
    ],
    "threads/<int:thread_id>/messages/": [
        Request("post", {"seen": "{}"}, ("body", "form_key", "anyway", "is_internal"), WORDS),
        Request("post", {"shown": "{}"}, ("done",), WORDS | {"done": "1"}),
        Request("post", {"attachment": "{}"}, (), WORDS),
        Request("post", {"seen": "{}"}, ("later", "at", "zone"), WORDS | {"later": "hour"}),
    ],
    "threads/<int:thread_id>/composer/": [Request()],
    "threads/<int:thread_id>/menus/": [Request()],
    "threads/<int:thread_id>/files/": [Request(numbers={"before": "{}"})],
    "threads/<int:thread_id>/contact/": [
        Request("post", {}, (*CONTACT_FIELDS, "known_name", "known_note"), {"known_note": "x"})
    ],
    "threads/<int:thread_id>/draft/": [
        Request("post", {}, ("body", "form_key", "is_internal", "toggle"), WORDS)
    ],
    "threads/<int:thread_id>/mentions/": [Request(words=("q",))],
    "threads/<int:thread_id>/saved-replies/": [Request()],
    "inboxes/<int:inbox_id>/saved-replies/": [Request(words=("to",))],
    "saved-replies/<int:reply_id>/used/": [Request("post", {"thread": "{}"})],
    "replies/": [Request(words=("q",))],
    "contacts/<int:contact_id>/block/": [Request("post")],
    "contacts/<int:contact_id>/unblock/": [Request("post", {}, ("undoes",))],
    "replies/new/": [
        Request(numbers={"inbox": "{}"}),
        Request("post", {"owner": "{}"}, ("name", "body", "owner"), REPLY),
    ],
    "replies/<int:reply_id>/": [
        Request("post", {"version": "{}", "removed": "{}"}, ("name", "body", "owner"), REPLY)
    ],
    "replies/<int:reply_id>/delete/": [Request(), Request("post")],
    "replies/files/<int:file_id>/": [Request()],
    "replies/files/<int:file_id>/thumbnail/": [Request()],
    "threads/<int:thread_id>/opt-out/": [
        Request("post", {}, ("how", "reason"), {"how": "phone"}),
        Request(words=("message",)),
    ],
    "threads/<int:thread_id>/opt-out/end/": [Request("post", {}, ("reason",))],
    "contacts/": [
        Request(numbers={"inbox": "{}"}, words=CONTACT_SEARCH),
        Request(numbers={"label": "{}"}),
        Request(numbers={"after": "t-{}-1"}),
        Request(numbers={"after": "t-1-{}"}),
        Request(numbers={"after": "n-{}-anna"}, form={"order": "name"}),
        Request(numbers={"after": "u-{}"}),
    ],
    "contacts/new/": [
        Request(words=CONTACT_SEARCH),
        Request("post", {"inbox": "{}"}, ("number", *CONTACT_FIELDS), {"number": "+12025550155"}),
    ],
    "contacts/<int:contact_id>/": [Request(numbers={"inbox": "{}"}, words=CONTACT_SEARCH)],
    "contacts/<int:contact_id>/edit/": [
        Request("post", {}, (*CONTACT_FIELDS, "known_name", "known_note"), {"known_note": "x"})
    ],
    "contacts/<int:contact_id>/opt-out/": [
        Request("post", {}, ("how", "details"), {"how": "phone"}),
        Request(words=("message",)),
    ],
    "contacts/<int:contact_id>/opt-out/end/": [Request("post", {}, ("reason",))],
    "contacts/<int:contact_id>/consent/": [
        Request(),
        Request(
            "post",
            {},
            ("how", "words", "given_on"),
            {"how": "form", "words": "Checkout", "given_on": "2026-01-02"},
        ),
    ],
    "consents/<int:consent_id>/end/": [Request("post")],
    "threads/<int:thread_id>/label/": [
        Request("post", {"label": "{}"}, ("on",), {"on": "1", "label": "1"})
    ],
    "threads/<int:thread_id>/mute/": [Request("post", {"muted": "{}"})],
    "threads/<int:thread_id>/read/": [Request("post", {"message": "{}"})],
    "threads/<int:thread_id>/priority/": [Request("post", {"priority": "{}"}, ("priority",))],
    "threads/<int:thread_id>/unread/": [Request("post")],
    "threads/<int:thread_id>/delete/": [Request("post", {"message": "{}"})],
    "threads/<int:thread_id>/restore/": [Request("post")],
    "threads/<int:thread_id>/assign/": [
        Request("post", {"assignee": "{}"}, ("assignee",), {"assignee": "1"})
    ],
    "threads/<int:thread_id>/done/": [Request("post", {"message": "{}"})],
    "threads/<int:thread_id>/reopen/": [Request("post")],
    "threads/<int:thread_id>/snooze/": [
        Request("post", {}, ("when", "date", "time"), {"when": "date", "date": "2030-01-01"}),
        Request("post", {"message": "{}"}, (), {"when": "tomorrow"}),
    ],
    "threads/<int:thread_id>/attachments/": [Request()],
    "activity/<int:activity_id>/": [Request()],
    "bulk/": [
        Request("post", {"inbox": "{}"}, ("deed", "thread", "newest", "only", "label"), DONE),
        Request("post", {}, ("assignee",), DONE | {"deed": "assign"}),
        Request("post", {}, ("when", "date", "time"), DONE | {"deed": "snooze", "when": "date"}),
        Request("post", {}, ("use",), DONE | {"deed": "label"}),
    ],
    "contacts/import/": [
        Request(numbers={"instead": "{}"}),
        Request("post", {"inbox": "{}"}, ("inbox", "file")),
    ],
    "contacts/export/": [Request(numbers={"inbox": "{}"})],
    "contacts/import/<int:import_id>/": [Request()],
    "contacts/import/<int:import_id>/cancel/": [Request("post")],
    "contacts/import/<int:import_id>/columns/": [
        Request("post", {}, ("encoding", "separator", "region", "column_0", "again"))
    ],
    "contacts/import/<int:import_id>/errors/": [Request()],
    "contacts/import/<int:import_id>/lines/": [Request(numbers={"after": "{}"})],
    "contacts/import/<int:import_id>/progress/": [Request()],
    "contacts/import/<int:import_id>/start/": [Request("post")],
    "bulk/tools/": [Request(numbers={"inbox": "{}"}, words=("only", "label"))],
    "bulk/<int:action_id>/": [Request()],
    "bulk/<int:action_id>/undo/": [Request("post")],
    "messages/<int:message_id>/retry/": [Request("post")],
    "messages/<int:message_id>/seen/": [Request("post")],
    "messages/<int:message_id>/text/": [Request()],
    "attachments/<int:attachment_id>/": [Request()],
    "attachments/<int:attachment_id>/thumbnail/": [Request()],
    "attachments/<int:attachment_id>/card/": [Request()],
    "attachments/<int:attachment_id>/card/save/": [Request("post", {}, ("pick",))],
    "attachments/<int:attachment_id>/fetch/": [Request("post")],
    "attachments/<int:attachment_id>/remove/": [Request("post", {}, tuple(WORDS), WORDS)],
    "later/": [Request(numbers={"inbox": "{}"}), Request(numbers={"after": "held-{}-1"})],
    "later/<int:text_id>/": [
        Request("post", {"known": "{}"}, ("body", "at", "zone"), {"body": "Hi", "at": "x"})
    ],
    "later/<int:text_id>/send/": [Request("post", {"known": "{}"}, ("body",), {"body": "Hi"})],
    "later/<int:text_id>/delete/": [Request("post")],
    "later/<int:text_id>/undo/": [
        Request("post", {}, ("body",), {"is_live": "1", "has_box": "1"})
    ],
    "notifications/": [Request(numbers=NOTICE), Request(numbers={"after": "{}-1"})],
    "notifications/read/": [Request("post")],
    "notifications/<int:notification_id>/read/": [Request("post")],
    "settings/": [Request("post", {}, ("has_sound", "inbox_1"))],
    "settings/password/": [Request()],
    "settings/locale/": [Request("post", {}, ("language", "time_zone"))],
    "settings/test/": [Request("post")],
    "settings/push/": [
        Request(
            "post",
            {"auth": "{}"},
            ("endpoint", "p256dh", "auth"),
            {"endpoint": "https://push.example/", "p256dh": "x", "auth": "x"},
        )
    ],
    "settings/push/<int:subscription_id>/remove/": [Request("post")],
    "service-worker.js": [Request()],
    "manifest.webmanifest": [Request()],
    "healthz": [Request()],
    "readyz": [Request()],
    "sign-in/": [
        Request("post", {}, ("username", "password", "next"), {"username": "a", "password": "b"})
    ],
    "sign-out/": [Request("post", {}, ("next",))],
    "sign-in/code/": [Request("post", {}, ("code", "next"))],
    "sign-in/company/": [Request("post", {}, ("next",))],
    "sign-in/company/callback/": [Request("get", {}, ("state", "code", "error"))],
    "sign-in/passkey/": [Request("post", {}, ("credential", "next"))],
    "sign-in/confirm/": [Request("post", {}, ("password", "next"))],
    "sign-in/confirm/code/": [Request("post", {}, ("code", "next"))],
    "sign-in/confirm/passkey/": [Request("post", {}, ("credential", "next"))],
    "account/password/": [Request("post", {}, ("old_password", "new_password1", "new_password2"))],
    "account/two-step/": [Request()],
    "account/two-step/app/": [Request("post", {}, ("code",))],
    "account/two-step/app/remove/": [Request("post")],
    "account/two-step/codes/": [Request()],
    "account/two-step/codes/new/": [Request("post")],
    "account/passkeys/": [Request()],
    "account/passkeys/add/": [Request("post", {}, ("name", "credential"))],
    "account/passkeys/<int:pk>/": [Request("post", {}, ("name",))],
    "account/passkeys/<int:pk>/remove/": [Request("post")],
    "account/sessions/": [Request("post")],
    "account/sessions/<int:session_id>/end/": [Request("post")],
    "account/sessions/end-others/": [Request("post")],
    "account/": [Request()],
    "invitation/<str:token>/": [Request("post", {}, ("username", "display_name", "password"))],
    "e-mails/stop/<str:token>/": [Request(), Request("post")],
    "password-reset/": [Request("post", {}, ("login",))],
    "account/undo/": [Request("post", {}, ("undo_seconds",))],
    "account/name/": [Request("post", {}, ("display_name",))],
    "account/new-phone/": [Request("post"), Request(words=("state",))],
    "account/new-phone/confirm/": [Request("post", {}, ("sign_in",))],
    "account/new-phone/refuse/": [Request("post")],
    "account/new-phone/<str:token>/": [Request(words=("state",)), Request("post")],
    "account/new-phone/<str:token>/finish/": [Request("post")],
    "media/<str:signed>/<str:name>": [Request()],
    "webhooks/<slug:carrier>/<slug:account_token>/": [Request("post")],
    "webhooks/<slug:carrier>/<slug:account_token>/<str:attempt_token>/": [Request("post")],
    "simulator/": [Request(words=("from", "to", "sent"))],
    "simulator/received/": [Request(words=("sender", "shown"))],
    "simulator/send/": [
        Request("post", {"number": "{}"}, ("sender", "text"), {"sender": "1", "text": "Hi"})
    ],
    "simulator/files/<uuid:token>/": [Request()],
    "simulator/far-end/": [Request("post", {}, ("answer", "receipts"))],
    "simulator/carrier/messages/": [Request("post")],
    "setup/": [Request(words=("key",))],
    "setup/administrator/": [Request("post", {}, ("display_name", "username", "password"))],
    "setup/two-step/": [Request("post", {}, ("code",))],
    "setup/two-step/codes/": [Request()],
    "setup/carrier/": [Request()],
    "setup/carrier/<slug:carrier>/": [
        Request("post", {}, ("credential-account_sid", "credential-auth_token"))
    ],
    "setup/simulator/": [Request("post")],
    "setup/numbers/": [
        Request(words=("account", "q", "page")),
        Request("post", {}, ("number",)),
    ],
    "setup/numbers/look/": [Request("post", {}, ("rest",))],
    "setup/numbers/by-hand/": [Request(words=("account",)), Request("post", {}, ("address",))],
    "setup/inbox/": [Request("post", {}, ("inbox-new-name", "inbox-new-joins"))],
    "setup/colleagues/": [Request("post", {}, ("name", "email"))],
    "setup/colleagues/<int:link_id>/take-back/": [Request("post")],
    "setup/done/": [Request()],
}


WITH_NUMBERS = [key for key in REQUESTS if any(one.numbers for one in REQUESTS[key])]
WITH_WORDS = [key for key in REQUESTS if any(one.words for one in REQUESTS[key])]
NAMING = [route for route in REQUESTS if "<" in route]
NAMING_IN_ADMIN = [route for route in ADMIN if "<" in route]


def test_every_route_has_a_request() -> None:
    # The other spellings of a webhook's address have tests of their own.
    assert set(REQUESTS) == set(ROUTES) - set(ADMIN) - {PATTERN}


def send_request(client: Client, deed: str, path: str, form: dict[str, str]) -> HttpResponseBase:
    """Send the request in a transaction that is rolled back, so that each finds the same data."""
    mark = transaction.savepoint()
    try:
        answer: HttpResponseBase = getattr(client, deed)(path, form)
    finally:
        transaction.savepoint_rollback(mark)
    return answer


def path_of(of: OneOfEach, route: str, named: str | None = None) -> str:
    """Return the route's address, with `named` in place of the key in it."""
    tokens = {"carrier": "twilio", "account_token": of.cast.account.token, "token": KEY}

    def fill_in(part: re.Match[str]) -> str:
        if named is not None:
            return named
        return str(of.shared.get(KEYS.get(part[1], ""), tokens.get(part[1], "1")))

    return "/" + re.sub(r"<\w+:(\w+)>", fill_in, route)


@pytest.mark.parametrize("route", WITH_NUMBERS)
def test_an_invalid_number_is_refused(one_of_each: OneOfEach, cast: Cast, route: str) -> None:
    client, path = client_of(cast.ana), path_of(one_of_each, route)
    for request in REQUESTS[route]:
        for name, shape in request.numbers.items():
            for value in NO_NUMBERS:
                form = request.form | {name: shape.format(value)}
                status = send_request(client, request.deed, path, form).status_code
                assert status in {404, 422}, (name, value[:40], status)


@pytest.mark.parametrize("route", WITH_WORDS)
def test_no_words_break_a_page(one_of_each: OneOfEach, cast: Cast, route: str) -> None:
    client, path = client_of(cast.ana), path_of(one_of_each, route)
    for request in REQUESTS[route]:
        for name in request.words:
            for value in NO_WORDS:
                form = request.form | {name: value.encode("utf-8", "replace").decode()}
                status = send_request(client, request.deed, path, form).status_code
                assert status < 500, (name, value[:40], status)


@pytest.mark.parametrize("route", NAMING)
def test_an_address_without_a_row_is_a_404(one_of_each: OneOfEach, cast: Cast, route: str) -> None:
    clients = [client_of(cast.ana), *([Client()] if "<str" in route or "<slug" in route else [])]
    for named in NOTHING:
        for client in clients:
            answer = send_request(
                client, REQUESTS[route][0].deed, path_of(one_of_each, route, named), {}
            )
            assert answer.status_code in {302, 404}, (named[:40], answer.status_code)


@pytest.mark.parametrize("route", NAMING_IN_ADMIN)
def test_the_administration_finds_nothing_there(
    one_of_each: OneOfEach, cast: Cast, route: str
) -> None:
    cast.admin.is_superuser = True
    cast.admin.save()
    client = client_of(cast.admin)
    for named in NOTHING:
        status = send_request(client, "get", path_of(one_of_each, route, named), {}).status_code
        assert status < 500, (named[:40], status)


@pytest.mark.parametrize("value", ["\0", "²", str(10**30)])
@pytest.mark.parametrize(
    "path", ["inboxes/membershipchange/?kind__exact", "messaging/webhook/?account__id__exact"]
)
def test_the_administration_filters_by_nothing_else(cast: Cast, path: str, value: str) -> None:
    cast.admin.is_superuser = True
    cast.admin.save()
    status = send_request(
        client_of(cast.admin), "get", f"/admin/{path}={quote(value)}", {}
    ).status_code
    assert status in {200, 302, 400}


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken"])
@pytest.mark.parametrize("value", ['"' + "\\000" * 32 + '"', "²" * 32, "x" * 5000])
def test_an_invalid_cookie_is_ignored(db: None, cookie: str, value: str) -> None:
    client = Client(headers={"Cookie": f"{cookie}={value}"})
    assert send_request(client, "get", "/sign-in/", {}).status_code == 200
    assert send_request(client, "get", "/", {}).status_code == 302


@pytest.mark.parametrize(
    "text", [*NO_NUMBERS, "１", "+1", "1 ", "1_0", "1.0", "1e3", "0x1", "nan", "\0", "", None, 7]
)
def test_other_notations_of_numbers_are_not_read(text: object) -> None:
    assert read_integer(text) is None


@pytest.mark.parametrize("number", [0, 7, MAX_BIGINT])
def test_a_plain_number_is_read(number: int) -> None:
    assert read_integer(str(number)) == number
    assert read_integer(f"{number:019d}") == number
