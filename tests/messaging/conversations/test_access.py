"""Try every address as every kind of stranger: foreign and missing look the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent
from messaging.accounts.webhook_paths import PATTERN
from messaging.models import ScheduledText
from tests.cast import Cast, client_of
from tests.markup import read_words
from tests.messaging.conversations.one_of_each import (
    OneOfEach,
    _own_files,
    cast,
    one_of_each,
)
from threads.models import Thread

MISSING = 2**40
__all__ = ["_own_files", "cast", "one_of_each"]

SIGN_IN = "/sign-in/?next="

# Open to everybody, with the answer to a plain GET.
OPEN = {
    "healthz": 200,
    "readyz": 200,
    "manifest.webmanifest": 200,
    "sign-in/": 200,
    "password-reset/": 200,
}

LISTS = {"", "search/"}
# Everything that names something foreign: the deed, what it names, the form.
MATRIX = {
    "inboxes/<int:inbox_id>/": ("get", "inbox", {}),
    "inboxes/<int:inbox_id>/search/": ("get", "inbox", {"q": "secret"}),
    "threads/<int:thread_id>/": ("get", "thread", {}),
    "threads/<int:thread_id>/messages/": ("post", "thread", {"body": "Hi", "form_key": "x"}),
    "threads/<int:thread_id>/composer/": ("get", "thread", {}),
    "threads/<int:thread_id>/menus/": ("get", "thread", {}),
    "threads/<int:thread_id>/files/": ("get", "thread", {}),
    "threads/<int:thread_id>/contact/": ("post", "thread", {"name": "Stranger's"}),
    "contacts/<int:contact_id>/block/": ("post", "contact", {}),
    "contacts/<int:contact_id>/unblock/": ("post", "contact", {}),
    "threads/<int:thread_id>/opt-out/": ("post", "thread", {"how": "phone"}),
    "threads/<int:thread_id>/opt-out/end/": ("post", "thread", {"reason": "Stranger's"}),
    "contacts/<int:contact_id>/": ("get", "contact", {}),
    "contacts/<int:contact_id>/edit/": ("post", "contact", {"name": "Stranger's"}),
    "contacts/<int:contact_id>/opt-out/": ("post", "contact", {"how": "phone"}),
    "contacts/<int:contact_id>/opt-out/end/": ("post", "contact", {"reason": "Stranger's"}),
    "contacts/<int:contact_id>/consent/": ("post", "contact", {"how": "form"}),
    "consents/<int:consent_id>/end/": ("post", "consent", {}),
    "threads/<int:thread_id>/draft/": ("post", "thread", {"body": "Hi"}),
    "threads/<int:thread_id>/mentions/": ("get", "thread", {}),
    "threads/<int:thread_id>/saved-replies/": ("get", "thread", {}),
    "inboxes/<int:inbox_id>/saved-replies/": ("get", "inbox", {}),
    "replies/<int:reply_id>/": ("get", "reply", {}),
    "replies/<int:reply_id>/delete/": ("post", "reply", {}),
    "replies/files/<int:file_id>/": ("get", "reply_file", {}),
    "replies/files/<int:file_id>/thumbnail/": ("get", "reply_file", {}),
    "saved-replies/<int:reply_id>/used/": ("post", "reply", {}),
    "threads/<int:thread_id>/label/": ("post", "thread", {"label": "1", "on": "1"}),
    "threads/<int:thread_id>/mute/": ("post", "thread", {"muted": "1"}),
    "threads/<int:thread_id>/read/": ("post", "thread", {"message": "1"}),
    "threads/<int:thread_id>/priority/": ("post", "thread", {"priority": "urgent"}),
    "threads/<int:thread_id>/unread/": ("post", "thread", {}),
    "threads/<int:thread_id>/delete/": ("post", "thread", {"message": "1"}),
    "threads/<int:thread_id>/restore/": ("post", "thread", {}),
    "activity/<int:activity_id>/": ("get", "activity", {}),
    "threads/<int:thread_id>/assign/": ("post", "thread", {"assignee": "me"}),
    "threads/<int:thread_id>/done/": ("post", "thread", {"message": "1"}),
    "threads/<int:thread_id>/reopen/": ("post", "thread", {}),
    "threads/<int:thread_id>/snooze/": ("post", "thread", {"when": "tomorrow"}),
    "messages/<int:message_id>/retry/": ("post", "message", {}),
    "messages/<int:message_id>/seen/": ("post", "message", {}),
    "messages/<int:message_id>/text/": ("get", "message", {}),
    "threads/<int:thread_id>/attachments/": ("get", "thread", {}),
    "attachments/<int:attachment_id>/": ("get", "attachment", {}),
    "attachments/<int:attachment_id>/thumbnail/": ("get", "attachment", {}),
    "attachments/<int:attachment_id>/card/": ("get", "card", {}),
    "attachments/<int:attachment_id>/card/save/": ("post", "card", {"pick": "0-0"}),
    "attachments/<int:attachment_id>/fetch/": ("post", "attachment", {}),
    "later/<int:text_id>/": ("get", "later", {}),
    "later/<int:text_id>/send/": ("post", "later", {}),
    "later/<int:text_id>/delete/": ("post", "later", {}),
    "later/<int:text_id>/undo/": ("post", "later", {}),
}

# A personal line is no list of its own.
OF_SHARED_INBOXES = {"inboxes/<int:inbox_id>/", "inboxes/<int:inbox_id>/search/"}

# Proven in test_webhooks.py and test_addresses.py.
CARRIERS = {
    PATTERN,
    "webhooks/<slug:carrier>/<slug:account_token>/",
    "webhooks/<slug:carrier>/<slug:account_token>/<str:attempt_token>/",
}

# For carriers, without a cookie: proven in test_media_lending.py.
PUBLIC = {"media/<str:signed>/<str:name>"}

# For whoever holds the link: proven in tests/inboxes/invitations/, test_missed.py and
# tests/messaging/your_account/test_new_phone.py.
LINKS = {
    "invitation/<str:token>/",
    "e-mails/stop/<str:token>/",
    "account/new-phone/<str:token>/",
    "account/new-phone/<str:token>/finish/",
}

# Proven in tests/inboxes/sign_in/, tests/messaging/your_account/ and
# tests/inboxes/test_company_sign_in.py.
SIGNING_IN = {
    "sign-in/code/",
    "sign-in/company/",
    "sign-in/company/callback/",
    "sign-in/confirm/",
    "sign-in/confirm/code/",
    "sign-in/confirm/passkey/",
    "sign-in/passkey/",
    "sign-out/",
    "account/",
    "account/name/",
    "account/undo/",
    "account/new-phone/",
    "account/new-phone/confirm/",
    "account/new-phone/refuse/",
    "account/passkeys/",
    "account/passkeys/add/",
    "account/password/",
    "account/sessions/",
    "account/sessions/end-others/",
    "account/two-step/",
    "account/two-step/app/",
    "account/two-step/app/remove/",
    "account/two-step/codes/",
    "account/two-step/codes/new/",
}

# Concern whoever asks, and name nothing.
ELSEWHERE = {
    *SIGNING_IN,
    # It names threads, too: proven in tests/messaging/work/test_bulk_pages.py.
    "bulk/",
    "bulk/tools/",
    # Proven in tests/messaging/contacts/imports/test_pages.py and test_exporting.py.
    "contacts/import/",
    "contacts/export/",
    "notifications/",
    "notifications/read/",
    "settings/",
    # Which contacts and inboxes they know is proven in tests/messaging/contacts/.
    "contacts/",
    "contacts/new/",
    "start/",
    "later/",
    # It names inboxes, too: proven in tests/messaging/replies/test_pages.py.
    "replies/new/",
    "replies/",
    "start/files/",
    "start/to/",
    "settings/password/",
    "settings/locale/",
    "settings/test/",
    "settings/push/",
    "service-worker.js",
}

# Name what is one agent's alone: proven in test_notifications.py, test_own_settings.py,
# test_media_outbound.py, tests/messaging/work/test_bulk_pages.py and
# tests/messaging/contacts/imports/test_pages.py.
OWN = {
    "bulk/<int:action_id>/",
    "bulk/<int:action_id>/undo/",
    "contacts/import/<int:import_id>/",
    "contacts/import/<int:import_id>/cancel/",
    "contacts/import/<int:import_id>/columns/",
    "contacts/import/<int:import_id>/errors/",
    "contacts/import/<int:import_id>/lines/",
    "contacts/import/<int:import_id>/progress/",
    "contacts/import/<int:import_id>/start/",
    "account/passkeys/<int:pk>/",
    "account/passkeys/<int:pk>/remove/",
    "account/sessions/<int:session_id>/end/",
    "notifications/<int:notification_id>/read/",
    "settings/push/<int:subscription_id>/remove/",
    "attachments/<int:attachment_id>/remove/",
}


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


ROUTES = list(routes(get_resolver().url_patterns))
ADMIN = [route for route in ROUTES if route.startswith("admin/")]
DEMO = [route for route in ROUTES if route.startswith("simulator/")]
# For administrators, and for whoever has the key: proven in tests/messaging/setup/, too.
SETUP = [route for route in ROUTES if route.startswith("setup/")]


def test_every_route_is_in_the_matrix() -> None:
    known = {
        *OPEN,
        *LISTS,
        *MATRIX,
        *CARRIERS,
        *PUBLIC,
        *LINKS,
        *ELSEWHERE,
        *OWN,
        *ADMIN,
        *DEMO,
        *SETUP,
    }
    assert set(ROUTES) - known == set()
    assert known - set(ROUTES) == set()
    assert len(ADMIN) > 20
    assert {route.removeprefix("simulator/") for route in DEMO} == {
        "",
        "received/",
        "send/",
        "files/<uuid:token>/",
        "far-end/",
        "carrier/messages/",
    }


def visible_response(response: HttpResponseBase) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """Return everything that a stranger can see of a response."""
    headers = {name: value for name, value in response.items() if name != "Set-Cookie"}
    assert not response.streaming
    return response.status_code, response.content, tuple(sorted(headers.items()))  # type: ignore[attr-defined]


def send_request(client: Client, route: str, key: int, **headers: str) -> HttpResponseBase:
    deed, _, form = MATRIX[route]
    path = "/" + route.replace(route[route.index("<") : route.index(">") + 1], str(key))
    answer: HttpResponseBase = getattr(client, deed)(path, form, headers=headers)
    return answer


@pytest.fixture
def agents_without_access(cast: Cast) -> dict[str, Agent]:
    """Return agents who may not see Front Desk; cho is no longer a member."""
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    return {
        "outsider": cast.dov,
        "ex-member": cast.cho,
        "administrator without a membership": cast.admin,
    }


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("route", MATRIX)
def test_foreign_and_missing_are_the_same_404(
    one_of_each: OneOfEach,
    cast: Cast,
    agents_without_access: dict[str, Agent],
    route: str,
    headers: dict[str, str],
) -> None:
    shared, personal = one_of_each.shared, one_of_each.personal
    what = MATRIX[route][1]
    for agent in [*agents_without_access.values(), cast.ben]:
        client = client_of(agent)
        missing = visible_response(send_request(client, route, MISSING, **headers))
        assert missing[0] == 404
        assert b"Page not found" in missing[1]
        foreign = [personal[what]] if agent == cast.ben else [shared[what], personal[what]]
        for key in [*foreign, 2**63, 10**30]:
            assert visible_response(send_request(client, route, key, **headers)) == missing


@pytest.mark.parametrize("route", MATRIX)
def test_members_and_owners_are_let_in(one_of_each: OneOfEach, cast: Cast, route: str) -> None:
    what = MATRIX[route][1]
    for agent, found in [(cast.ben, one_of_each.shared), (cast.ana, one_of_each.personal)]:
        status = send_request(client_of(agent), route, found[what]).status_code
        is_personal_list = agent == cast.ana and route in OF_SHARED_INBOXES
        assert (status == 404) is is_personal_list
        assert status < 500


@pytest.mark.parametrize("route", MATRIX)
def test_anonymous_requests_are_sent_to_sign_in_for_every_address(
    one_of_each: OneOfEach, cast: Cast, route: str
) -> None:
    found = one_of_each.shared[MATRIX[route][1]]
    for key in (found, MISSING):
        response = send_request(Client(), route, key)
        assert response.status_code == 302
        assert response["Location"].startswith(SIGN_IN)
        assert response["Location"].endswith(f"/{key}/") or f"/{key}/" in response["Location"]


def test_a_stranger_changes_nothing(
    one_of_each: OneOfEach, cast: Cast, agents_without_access: dict[str, Agent]
) -> None:
    found = one_of_each.shared
    for agent in [None, *agents_without_access.values()]:
        client = client_of(agent) if agent else Client()
        for route, (_, what, _) in MATRIX.items():
            send_request(client, route, found[what])
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.last_excerpt == "Secret words"
    assert not Thread.objects.filter(priority="urgent").exists()
    assert not Thread.objects.exclude(status="open", assignee=None).exists()
    assert {text.body for text in ScheduledText.objects.all()} == {"Secret plans"}
    assert ScheduledText.objects.count() == 2
    assert not Agent.objects.filter(
        pk__in=[agent.pk for agent in agents_without_access.values()], thread_states__isnull=False
    ).exists()


def test_a_member_who_returns_finds_everything_again(one_of_each: OneOfEach, cast: Cast) -> None:
    found = one_of_each.shared
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    client, route = client_of(cast.cho), "threads/<int:thread_id>/"
    assert send_request(client, route, found["thread"]).status_code == 404
    add_member(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    assert send_request(client, route, found["thread"]).status_code == 200


def test_the_top_list_shows_strangers_nothing(
    cast: Cast, agents_without_access: dict[str, Agent]
) -> None:
    for agent in agents_without_access.values():
        page = client_of(agent).get("/").content.decode()
        assert "Front Desk" not in page
        assert "Secret" not in page
    assert Client().get("/")["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("path", ["healthz", "readyz", "sign-in/"])
def test_open_pages_are_open(cast: Cast, path: str) -> None:
    assert Client().get(f"/{path}").status_code == OPEN[path]


@pytest.mark.parametrize("route", ADMIN)
def test_the_administration_is_for_administrators(cast: Cast, route: str) -> None:
    path = "/" + route.replace("<path:object_id>", "1").replace("<id>", "1")
    path = path.replace("<int:content_type_id>", "1").replace("<path:object_id>", "1")
    if "(?P" in path or "login" in path or "logout" in path or "jsi18n" in path:
        path = "/admin/"
    signed_out, no_administrator = Client().get(path), client_of(cast.ana).get(path)
    assert signed_out["Location"].startswith("/sign-in/?next=/admin/")
    assert no_administrator.status_code == 403
    assert "who isn’t an administrator" in read_words(no_administrator)


@pytest.mark.parametrize("route", SETUP)
def test_the_set_up_exists_for_administrators_alone(cast: Cast, route: str) -> None:
    path = "/" + route.replace("<slug:carrier>", "twilio").replace("<int:link_id>", "1")
    for client in (Client(), client_of(cast.ana)):
        nothing = visible_response(client.get("/nothing/"))[:2]
        assert nothing[0] == 404
        assert visible_response(client.get(path))[:2] == nothing
        assert visible_response(client.post(path))[:2] == nothing
    assert client_of(cast.admin).get(path).status_code in {200, 302}


def test_no_answer_to_a_signed_in_browser_is_stored(one_of_each: OneOfEach, cast: Cast) -> None:
    found = one_of_each.shared
    admin, ana = client_of(cast.admin), client_of(cast.ana)
    answers = [send_request(ana, route, found[what]) for route, (_, what, _) in MATRIX.items()]
    answers += [send_request(ana, route, MISSING) for route in MATRIX]
    answers += [
        send_request(ana, route, found[what], **{"HX-Request": "true"})
        for route, (_, what, _) in MATRIX.items()
    ]
    answers += [ana.get("/"), ana.get("/?after=x"), ana.get("/nowhere/"), admin.get("/admin/")]
    answers += [Client().get("/"), ana.post("/"), ana.post("/sign-out/")]
    for answer in answers:
        assert answer["Cache-Control"] == "private, no-store", answer
