"""Reset links: an agent chooses a new password, and their sessions elsewhere end."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from inboxes.invitations import actions, tokens
from inboxes.models import Agent, OneTimeLink
from tests.cast import Cast, client_of

NEW = {"password": "a garden of stones"}


def path_of(new: tokens.NewLink) -> str:
    return urlsplit(new.url).path


def give_app(agent: Agent) -> str:
    """Give the agent an authenticator app, and return its secret."""
    secret: str = totp.generate_totp_secret()
    totp.TOTP.activate(agent, secret)
    return secret


def code_of(secret: str) -> str:
    """Return the code that the app shows now."""
    code: str = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    return code


def test_a_reset_link_gives_a_new_password_and_ends_other_sessions(cast: Cast) -> None:
    elsewhere = client_of(cast.ben)
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    client = Client()
    assert "Ben Okafor" in client.get(path_of(new)).text
    assert elsewhere.get("/").status_code == 200
    assert client.post(path_of(new), NEW).headers["Location"] == "/"
    assert Agent.objects.get(pk=cast.ben.pk).check_password(NEW["password"])
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_a_reset_link_works_once_and_the_newest_only(cast: Cast) -> None:
    first = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    second = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    assert Client().post(path_of(first), NEW).status_code == 404
    assert Client().post(path_of(second), NEW).status_code == 302
    assert Client().post(path_of(second), NEW).status_code == 404


def test_a_reset_link_ends_with_the_password_that_it_was_for(cast: Cast) -> None:
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    cast.ben.set_password("another one by then")
    cast.ben.save()
    assert Client().get(path_of(new)).status_code == 404


def test_somebody_deactivated_gets_no_new_password(cast: Cast) -> None:
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    Agent.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert Client().post(path_of(new), NEW).status_code == 404


def test_second_factors_stay_and_are_asked_for(cast: Cast) -> None:
    secret = give_app(cast.ben)
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    client = Client()
    assert client.post(path_of(new), NEW).headers["Location"].startswith("/sign-in/code/")
    assert client.get("/").status_code == 302
    client.post("/sign-in/code/", {"code": code_of(secret)})
    assert client.get("/").status_code == 200


def test_somebody_who_lost_their_phone_gets_in_without_it(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    give_app(cast.ben)
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin, removes_second_factors=True)
    assert Authenticator.objects.filter(user=cast.ben).exists()
    client = Client()
    assert client.post(path_of(new), NEW).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert not Authenticator.objects.filter(user=cast.ben).exists()
    assert f"The second factors of agent {cast.ben.pk} were removed" in caplog.text


def test_a_link_of_the_lost_password_page_never_removes_second_factors(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="ben@example.com")
    actions.send_lost_password_link(agent_id=cast.ben.pk)
    assert not OneTimeLink.objects.get(agent=cast.ben).removes_second_factors


def test_a_weak_new_password_is_refused(cast: Cast) -> None:
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    response = Client().post(path_of(new), {"password": "password"})
    assert response.status_code == 422
    assert "too common" in response.text
