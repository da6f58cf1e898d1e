"""Forms that were opened before a new sign-in, and addresses of forms that are opened as pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.forms import BaseForm, PasswordInput
from django.test import Client
from django.urls import get_resolver

from config.csrf import NEVER_KEPT
from inboxes.models import Agent
from messaging.admin.accounts import PREFIX
from messaging.carriers import CARRIERS
from messaging.models import Message
from messaging.setup.forms import CredentialsForm
from tests.cast import Cast, client_of
from tests.markup import read_words

ORIGIN = {"origin": "http://testserver"}


def signed_in(name: str) -> Client:
    """Return a signed-in browser whose forms are protected."""
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in/")
    token = client.cookies["csrftoken"].value
    form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/sign-in/", form).status_code == 302
    return client


PASSWORD = "long-enough-words"
OLD_TOKEN = "a" * 32


@pytest.fixture
def ana(cast: Cast) -> Client:
    cast.ana.set_password(PASSWORD)
    cast.ana.save()
    return signed_in("ana")


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/settings/", "/settings/"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("settings", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_form_of_another_tab_leads_on_once_one_is_signed_in(
    ana: Client, wanted: str, target: str
) -> None:
    form = {"username": "ana", "password": PASSWORD, "csrfmiddlewaretoken": OLD_TOKEN}
    answer = ana.post("/sign-in/", form | {"next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_an_outdated_sign_in_form_is_shown_anew_to_whoever_is_signed_out(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in/")
    form = {"username": "ana", "password": "x", "csrfmiddlewaretoken": OLD_TOKEN}
    answer = client.post("/sign-in/", form | {"next": "/settings/"})
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/sign-in/?next=%2Fsettings%2F",
    )


def test_a_browser_without_cookies_is_told_so(cast: Cast) -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "ana"})
    assert answer.status_code == 403
    assert "Allow cookies for this address" in read_words(answer)


def test_a_text_that_was_written_before_a_new_sign_in_is_offered_again(
    cast: Cast, ana: Client
) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/messages/"
    form = {
        "body": "Your car is <ready>",
        "form_key": "0c4ab05c-6a5c-4f43-9d0f-6d2c2f0a3f77",
        "csrfmiddlewaretoken": OLD_TOKEN,
    }
    page = read_words(ana.post(path, form, headers=ORIGIN))
    assert "You signed in again since this page was opened." in page
    assert "send it now as Ana Ruiz" in page
    assert "Your car is <ready></textarea>" in page
    assert f'action="{path}"' in page
    assert OLD_TOKEN not in page
    assert not Message.objects.filter(kind="outbound").exists()
    form["csrfmiddlewaretoken"] = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert ana.post(path, form, headers=ORIGIN).status_code == 302
    assert Message.objects.get(kind="outbound").body == "Your car is <ready>"


@pytest.mark.parametrize("origin", ["https://evil.test", "null"])
def test_a_form_of_another_site_is_offered_to_nobody(cast: Cast, ana: Client, origin: str) -> None:
    path = f"/threads/{cast.thread().pk}/messages/"
    answer = ana.post(path, {"body": "Send me money"}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "Send me money" not in read_words(answer)
    assert "<form" not in read_words(answer)


def test_passwords_are_never_written_into_a_page(ana: Client) -> None:
    form = {"old_password": PASSWORD, "new_password1": "a-secret-word", "other": "kept"}
    page = read_words(ana.post("/account/password/", form, headers=ORIGIN))
    assert "kept" in page
    assert PASSWORD not in page
    assert "a-secret-word" not in page


@pytest.mark.parametrize("name", CARRIERS)
def test_what_proves_us_to_a_carrier_is_never_written_into_a_page(
    cast: Cast, ana: Client, name: str
) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(is_staff=True)
    setup = list(CredentialsForm(CARRIERS[name]))
    secrets = {field.html_name: f"typed-{field.name}" for field in setup}
    secrets |= {
        f"{PREFIX}{field.name}": f"typed-{field.name}"
        for field in CARRIERS[name].credential_fields
    }
    form = secrets | {"other": "kept"}
    page = read_words(ana.post(f"/setup/carrier/{name}/", form, headers=ORIGIN))
    assert 'value="kept"' in page
    assert "typed-" not in page


def test_no_form_has_a_field_for_secrets_that_would_be_kept() -> None:
    get_resolver().url_patterns  # noqa: B018  imports all forms
    kinds = set(_all_kinds(BaseForm))
    hidden = {
        name
        for kind in kinds
        if kind.__module__.split(".")[0] in {"config", "inboxes", "messaging", "allauth"}
        for name, field in getattr(kind, "base_fields", {}).items()
        if isinstance(field.widget, PasswordInput) or "one-time" in str(field.widget.attrs)
    }
    assert {"password", "code"} <= hidden
    kept = {name for name in hidden if not any(secret in name for secret in NEVER_KEPT)}
    assert kept == set()


def _all_kinds(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from _all_kinds(one)


def test_signing_out_in_an_old_tab_asks_once_more(ana: Client) -> None:
    answer = ana.post("/sign-out/", {"csrfmiddlewaretoken": OLD_TOKEN}, headers=ORIGIN)
    assert "Sign out?" in read_words(answer)
    assert 'action="/sign-out/"' in read_words(answer)


def test_a_forms_address_that_is_opened_leads_to_its_page(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    owners = {
        f"/threads/{thread.pk}/messages/": f"/threads/{thread.pk}/",
        f"/threads/{thread.pk}/delete/": f"/threads/{thread.pk}/",
        f"/messages/{thread.last_message_id}/retry/": "/",
        "/later/1/send/": "/later/1/",
        "/notifications/read/": "/notifications/",
        "/notifications/1/read/": "/notifications/",
        "/settings/test/": "/settings/",
        "/settings/push/1/remove/": "/settings/",
    }
    for path, owner in owners.items():
        for ask in (client.get, client.head):
            assert ask(path, follow=True).redirect_chain[-1] == (owner, 302), path


def test_other_methods_are_refused_with_a_page_that_leads_back(cast: Cast) -> None:
    client = client_of(cast.ana)
    asked = client.options("/settings/test/")
    assert (asked.status_code, asked.headers["Allow"], asked.content) == (204, "POST", b"")
    refused = client.put("/settings/test/")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert 'href="/settings/"' in read_words(refused)
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/", "/start/", "/settings/", "/search/"):
        assert client.head(path).status_code == 200, path
    assert client.get("/settings/test/", headers={"HX-Request": "true"}).status_code == 405
