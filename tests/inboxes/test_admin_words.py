"""The administration speaks of agents, inboxes and numbers, not of Django's objects."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from inboxes.invitations import actions as invitations
from inboxes.models import SignInSettings
from messaging.models import Attempt, OptOut, OptOutSettings
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.markup import read_words
from tests.messaging.carrier_calls import post_webhook, text_fields

# As a heading, a button or a link may not read, nor a sentence.
DJANGOS_WORDS = re.compile(
    r"Home\b|Site administration|Django|to change\b|Staff status|staff member|Save and|"
    r"successfully|\bobjects?\b|\bGo\b|Yes, I’m sure|View site|Log ?out|Log ?in\b|superuser|"
    r"Change history|---------|related items",
)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
_SHOWN_IN_TAGS = re.compile(r'(?:title|alt|aria-label|value|placeholder)="([^"]*)"')

NO_INLINES = {
    f"{inline}-{count}_FORMS": 0
    for inline in ("memberships", "labels")
    for count in ("TOTAL", "INITIAL")
}


@pytest.fixture
def row_of_each(cast: Cast) -> Cast:
    """Leave no list of the administration empty."""
    post_webhook(cast.account, text_fields("Hello?", to="+12025550119"))
    Attempt.objects.create(
        message=cast.answer(cast.thread(), "Hi"), account=cast.account, state="failed", ordinal=1
    )
    OptOut.objects.create(
        our_address=FRONT_DESK, address=CUSTOMER, source="keyword", since="2026-01-01T00:00Z"
    )
    OptOutSettings().save()
    SignInSettings().save()
    invitations.invite(invited_by=cast.admin, name="Eve")
    return cast


def shown_words(page: str) -> str:
    return " ".join([_MARKUP.sub(" ", page), *_SHOWN_IN_TAGS.findall(page)])


def admin_pages(client: Client) -> list[tuple[str, str]]:
    """Return every page of each model, with its path."""
    pages = [("/admin/", read_words(client.get("/admin/")))]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pk = model._default_manager.values_list("pk", flat=True)[:1].get()
        paths = [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        paths += [reverse(f"{name}_{page}", args=[pk]) for page in ("change", "history", "delete")]
        for path in paths:
            answer = client.get(path, follow=True)
            if answer.status_code == 200:
                pages.append((path, read_words(answer)))
    return pages


def test_no_page_shows_djangos_words(row_of_each: Cast) -> None:
    pages = admin_pages(client_of(row_of_each.admin))
    assert len(pages) > 35
    found = {
        path: hits for path, page in pages if (hits := DJANGOS_WORDS.findall(shown_words(page)))
    }
    assert found == {}


def test_each_page_says_where_it_is_and_what_it_is_called(row_of_each: Cast) -> None:
    client = client_of(row_of_each.admin)
    for path, heading, title in [
        ("/admin/", "Overview", "Overview · Partyline"),
        ("/admin/messaging/webhook/", "Quarantine", "Quarantine · Partyline"),
        ("/admin/inboxes/inbox/add/", "Add inbox", "Add inbox · Partyline"),
        ("/admin/inboxes/agent/", "Agents", "Agents · Partyline"),
    ]:
        page = client.get(path).content.decode()
        [found] = re.findall(r"<h1>(.*?)</h1>", page, re.DOTALL)
        assert _MARKUP.sub("", found).strip() == heading
        [found] = re.findall(r"<title>(.*?)</title>", page, re.DOTALL)
        assert " ".join(found.split()) == title
        assert page.count('aria-current="page"') >= 1


def test_what_was_saved_is_said_by_its_name(cast: Cast) -> None:
    client = client_of(cast.admin)
    form = {"name": "Returns", **NO_INLINES}
    assert "Added: <a href=" in read_words(
        client.post("/admin/inboxes/inbox/add/", form, follow=True)
    )
    page = reverse("admin:inboxes_inbox_change", args=[cast.dispatch.pk])
    answer = client.post(page, form | {"name": "Dispatchers"}, follow=True)
    assert re.search(r"Saved: <a [^>]*>Dispatchers</a>\.", read_words(answer))


def test_a_form_with_an_error_keeps_what_was_typed(cast: Cast) -> None:
    form = {"name": "Dispatch", "help_text": "We repair ovens", **NO_INLINES}
    answer = client_of(cast.admin).post("/admin/inboxes/inbox/add/", form)
    words = read_words(answer)
    assert "Not saved: see the note below." in words
    assert "We repair ovens" in words


def test_a_page_that_is_not_there_leads_back_to_the_administration(cast: Cast) -> None:
    answer = client_of(cast.admin).get("/admin/no/such/page/")
    assert answer.status_code == 404
    assert 'href="/admin/"' in answer.content.decode()


def test_the_parts_of_the_program_have_no_pages_of_their_own(cast: Cast) -> None:
    client = client_of(cast.admin)
    assert client.get("/admin/messaging/")["Location"] == "/admin/"
    assert client.get("/admin/inboxes/")["Location"] == "/admin/"
    assert client.get("/admin/procrastinate/").status_code == 404
