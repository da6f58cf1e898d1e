"""Reset links: an agent chooses a new password, and their sessions elsewhere end."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.test import Client

from inboxes.invitations import actions, tokens
from inboxes.models import Agent
from tests.cast import Cast, client_of

NEW = {"password": "a garden of stones"}


def path_of(new: tokens.NewLink) -> str:
    return urlsplit(new.url).path


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


def test_a_weak_new_password_is_refused(cast: Cast) -> None:
    new = actions.send_reset_link(agent=cast.ben, made_by=cast.admin)
    response = Client().post(path_of(new), {"password": "password"})
    assert response.status_code == 422
    assert "too common" in response.text
