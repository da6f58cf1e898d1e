"""Administrators invite colleagues and make reset links; no password passes their hands."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from inboxes.invitations import actions, sending
from inboxes.models import Agent, OneTimeLink
from tests.cast import Cast, client_of
from tests.mail import MailServer

INVITE = "/admin/inboxes/onetimelink/add/"
LINKS = "/admin/inboxes/onetimelink/"
MADE = "/admin/inboxes/onetimelink/made/"
JOINING = {"display_name": "Eva Stone", "username": "eva", "password": "a garden of stones"}


def signed_in_an_hour_ago(agent: Agent) -> Client:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        return client_of(agent)


@pytest.fixture
def admin(cast: Cast) -> Client:
    return client_of(cast.admin)


def shown_links(client: Client) -> list[str]:
    """Return the paths of the links on the page that shows them."""
    values = re.findall(r'value="([^"]+/invitation/[^"]+)"', client.get(MADE).text)
    return [urlsplit(value).path for value in values]


def test_an_invitation_is_shown_once_and_lets_in(cast: Cast, admin: Client) -> None:
    form = {"people": "Eva Stone", "inboxes": [cast.front_desk.pk]}
    assert admin.post(INVITE, form).headers["Location"] == MADE
    (path,) = shown_links(admin)
    assert admin.get(MADE).headers["Location"] == LINKS
    page = Client().get(path)
    assert 'value="Eva Stone"' in page.text
    Client().post(path, JOINING)
    eva = Agent.objects.get(username="eva")
    assert [inbox.name for inbox in eva.inboxes.all()] == ["Front Desk"]
    listed = admin.get(LINKS).text
    assert "Used by Eva Stone" in listed


def test_several_are_invited_at_once(cast: Cast, admin: Client, mail: MailServer) -> None:
    people = "Eva Stone <eva@example.com>\n\n  finn@example.com \r\nGil\n"
    admin.post(INVITE, {"people": people})
    assert len(shown_links(admin)) == 3
    links = OneTimeLink.objects.order_by("pk")
    assert [(link.name, link.email) for link in links] == [
        ("Eva Stone", "eva@example.com"),
        ("", "finn@example.com"),
        ("Gil", ""),
    ]
    assert [link.email_state for link in links] == ["waiting", "waiting", ""]


def test_a_link_without_a_name_is_made_from_an_empty_form(cast: Cast, admin: Client) -> None:
    admin.post(INVITE, {"people": "  \n"})
    assert len(shown_links(admin)) == 1


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ("Eva <eva@example>", "Line 1: eva@example isn't an e-mail address."),
        ("Gil\nnot@an@address", "Line 2: not@an@address isn't an e-mail address."),
        ("Eva <>", "Line 1: Eva &lt;&gt; isn't an e-mail address."),
        ("x" * 121, "Line 1: That name is longer than 120 characters."),
        ("eva@example.com\nEVA@example.com", "eva@example.com is there twice."),
        ("BEN@example.com", "ben@example.com is Ben Okafor's, who is here already."),
        ("\n".join(f"Agent {n}" for n in range(101)), "That's more than 100 people."),
    ],
)
def test_who_can_not_be_invited_is_said_by_line_and_nobody_is(
    cast: Cast, admin: Client, people: str, sentence: str
) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="ben@example.com")
    response = admin.post(INVITE, {"people": people})
    assert response.status_code == 422
    assert sentence in response.text.replace("&#x27;", "'")
    assert not OneTimeLink.objects.exists()


def test_a_link_waits_nowhere_in_the_clear(cast: Cast, admin: Client) -> None:
    admin.post(INVITE, {"people": "Eva"})
    stored = Session.objects.get(pk=admin.session.session_key).get_decoded()
    (path,) = shown_links(admin)
    assert path not in str(stored)
    after = Session.objects.get(pk=admin.session.session_key).get_decoded()
    assert "new_links" not in after


def test_who_invites_an_administrator_confirms_that_it_is_them(cast: Cast) -> None:
    client = signed_in_an_hour_ago(cast.admin)
    form = {"people": "Eva", "is_administrator": "on"}
    assert client.post(INVITE, form).headers["Location"].startswith("/sign-in/confirm/")
    assert not OneTimeLink.objects.exists()
    assert client_of(cast.admin).post(INVITE, form).headers["Location"] == MADE
    assert OneTimeLink.objects.get().is_administrator


def test_a_new_link_replaces_the_one_before(cast: Cast, admin: Client) -> None:
    first = actions.invite(
        invited_by=cast.admin, name="Eva", email="eva@example.com", inboxes=[cast.dispatch]
    )
    admin.post(f"{LINKS}{first.link.pk}/renew/")
    (path,) = shown_links(admin)
    assert Client().get(urlsplit(first.url).path).status_code == 404
    Client().post(path, JOINING)
    eva = Agent.objects.get(username="eva")
    assert (eva.email, eva.inboxes.get()) == ("eva@example.com", cast.dispatch)


def test_a_link_that_is_renewed_too_late_is_shown_to_be_renewed_again(cast: Cast) -> None:
    cast.admin.set_password("a-password")
    cast.admin.save()
    link = actions.invite(invited_by=cast.admin, is_administrator=True).link
    client, start = signed_in_an_hour_ago(cast.admin), timezone.now()
    asked = client.post(f"{LINKS}{link.pk}/renew/").headers["Location"]
    assert "To make a new link for a colleague, confirm" in client.get(asked).text
    with time_machine.travel(start + timedelta(minutes=6)):
        answer = client.post(asked, {"password": "a-password"}, follow=True)
    assert "Do it again" in answer.text
    assert f"{LINKS}{link.pk}/renew/" in answer.text


def test_a_revoked_link_works_no_more(cast: Cast, admin: Client) -> None:
    new = actions.invite(invited_by=cast.admin, name="Eva")
    page = admin.get(f"{LINKS}{new.link.pk}/change/").text
    assert "Waiting until" in page
    assert f"{LINKS}{new.link.pk}/revoke/" in page
    admin.post(f"{LINKS}{new.link.pk}/revoke/")
    assert Client().get(urlsplit(new.url).path).status_code == 404
    assert "Revoked" in admin.get(LINKS).text
    assert LogEntry.objects.filter(change_message="Revoked.").exists()


def test_a_used_link_can_be_neither_revoked_nor_renewed(cast: Cast, admin: Client) -> None:
    new = actions.invite(invited_by=cast.admin)
    Client().post(urlsplit(new.url).path, JOINING)
    for deed in ("revoke", "renew"):
        assert admin.post(f"{LINKS}{new.link.pk}/{deed}/").status_code == 404
    assert "Revoke" not in admin.get(f"{LINKS}{new.link.pk}/change/").text


def test_the_list_says_what_became_of_an_e_mail(
    cast: Cast, admin: Client, mail: MailServer
) -> None:
    for address in ("eva@example.com", "later@example.com", "refused@example.com"):
        link = actions.invite(invited_by=cast.admin, email=address).link
        sending.send_link(link.pk)
    words = admin.get(LINKS).text.replace("&#x27;", "'")
    assert "Sent to eva@example.com" in words
    assert "Not sent yet: The e-mail server refuses it for now. Partyline tries again" in words
    assert "The e-mail server refuses the address. Make a new link and give it to them." in words


def test_the_list_says_why_a_link_is_over_early(cast: Cast, admin: Client) -> None:
    former = Agent.objects.create(username="f", display_name="Former", is_staff=True)
    actions.invite(invited_by=former)
    Agent.objects.filter(pk=former.pk).update(is_staff=False)
    assert "Over: Former is no longer an administrator" in admin.get(LINKS).text


def test_an_agents_page_has_no_password_but_a_reset_link(cast: Cast, admin: Client) -> None:
    agent = f"/admin/inboxes/agent/{cast.ben.pk}/"
    page = admin.get(f"{agent}change/").text
    assert "password" not in page.lower()
    assert admin.get(f"/admin/inboxes/agent/{cast.ben.pk}/password/").status_code in {302, 404}
    assert "Ben Okafor" in admin.get(f"{agent}reset-link/").text
    admin.post(f"{agent}reset-link/")
    (path,) = shown_links(admin)
    Client().post(path, {"password": "a garden of stones"})
    assert Agent.objects.get(pk=cast.ben.pk).check_password("a garden of stones")
    assert LogEntry.objects.filter(change_message="Made a reset link.").exists()


def test_removing_second_factors_is_offered_where_there_are_some_and_logged(
    cast: Cast, admin: Client
) -> None:
    page = f"/admin/inboxes/agent/{cast.ben.pk}/reset-link/"
    assert "second factors" not in admin.get(page).text
    Authenticator.objects.create(user=cast.ben, type=Authenticator.Type.TOTP, data={})
    assert "Remove their second factors too" in admin.get(page).text
    admin.post(page, {"removes_second_factors": "on"})
    assert OneTimeLink.objects.get().removes_second_factors
    message = "Made a reset link that removes the second factors."
    assert LogEntry.objects.filter(change_message=message).exists()
    assert Authenticator.objects.filter(user=cast.ben).exists()


def test_who_makes_a_reset_link_confirms_that_it_is_them(cast: Cast) -> None:
    page = f"/admin/inboxes/agent/{cast.ben.pk}/reset-link/"
    client = signed_in_an_hour_ago(cast.admin)
    for response in (client.get(page), client.post(page)):
        assert response.headers["Location"].startswith("/sign-in/confirm/")
    assert not OneTimeLink.objects.exists()


def test_adding_an_agent_means_inviting(cast: Cast, admin: Client) -> None:
    assert admin.get("/admin/inboxes/agent/add/").headers["Location"] == INVITE
    form = {"username": "eve", "display_name": "Eve", "password1": "x", "password2": "x"}
    assert admin.post("/admin/inboxes/agent/add/", form).headers["Location"] == INVITE
    assert not Agent.objects.filter(username="eve").exists()
    assert "Invite colleagues" in admin.get("/admin/inboxes/agent/").text


def test_two_agents_have_no_address_in_common(cast: Cast, admin: Client) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="ben@example.com")
    form = {"username": "ana", "display_name": "Ana Ruiz", "email": "Ben@example.com"}
    page = admin.post(f"/admin/inboxes/agent/{cast.ana.pk}/change/", form)
    assert "That's Ben Okafor's address." in page.text.replace("&#x27;", "'")


@pytest.mark.parametrize("path", [INVITE, LINKS, MADE, "LINK/change/", "LINK/revoke/", "RESET"])
def test_only_administrators_get_there(cast: Cast, path: str) -> None:
    link = actions.invite(invited_by=cast.admin).link
    path = path.replace("LINK", f"{LINKS}{link.pk}")
    path = path.replace("RESET", f"/admin/inboxes/agent/{cast.ben.pk}/reset-link/")
    for send in ("get", "post"):
        answer: Any = getattr(client_of(cast.ana), send)(path)
        assert answer.status_code == 403
        assert getattr(Client(), send)(path).headers["Location"].startswith("/sign-in/")
    link.refresh_from_db()
    assert link.state == "waiting"
    assert OneTimeLink.objects.count() == 1
