"""Invitations: a link that lets one newcomer in, once."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.utils import timezone

from inboxes.invitations import actions, tokens
from inboxes.models import Agent, MembershipChange, OneTimeLink
from tests.cast import Cast, client_of, create_cast

LINKS = "/admin/inboxes/onetimelink/"
JOINING = {"display_name": "Eva Stone", "username": "eva", "password": "a garden of stones"}


def path_of(new: tokens.NewLink) -> str:
    return urlsplit(new.url).path


def open_form(path: str, **changes: str) -> Any:
    return Client().post(path, JOINING | changes)


def test_a_newcomer_chooses_name_and_password_and_is_in(cast: Cast) -> None:
    new = actions.invite(
        invited_by=cast.admin, email="eva@example.com", inboxes=[cast.front_desk, cast.dispatch]
    )
    client = Client()
    page = client.get(path_of(new))
    assert page.status_code == 200
    assert "The Administrator invites you to Dispatch and Front Desk" in page.text
    assert client.post(path_of(new), JOINING).headers["Location"] == "/"
    eva = Agent.objects.get(username="eva")
    assert (eva.display_name, eva.email, eva.is_staff) == ("Eva Stone", "eva@example.com", False)
    assert eva.check_password("a garden of stones")
    assert {inbox.name for inbox in eva.inboxes.all()} == {"Front Desk", "Dispatch"}
    changes = MembershipChange.objects.filter(agent=eva)
    assert {change.changed_by for change in changes} == {cast.admin}
    assert "Front Desk" in client.get("/").text
    new.link.refresh_from_db()
    assert (new.link.state, new.link.used_by) == ("used", eva)


def test_a_personal_line_takes_no_newcomer(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin, inboxes=[cast.anas_line])
    assert new.link.inboxes.count() == 0


def test_only_administrators_invite(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        actions.invite(invited_by=cast.ana)
    with pytest.raises(PermissionDenied):
        actions.send_reset_link(agent=cast.ben, made_by=cast.ana)
    assert not OneTimeLink.objects.exists()


def test_only_a_hash_of_the_link_is_stored(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin)
    token = path_of(new).split("/")[2]
    assert len(token) == 43  # 256 bits
    row = OneTimeLink.objects.filter(pk=new.link.pk).values().get()
    assert token not in str(row)
    assert bytes(row["token_hash"]) == tokens.hash_token(token)


def test_opening_a_link_changes_nothing(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin)
    before = OneTimeLink.objects.filter(pk=new.link.pk).values().get()
    for _ in range(3):
        assert Client().get(path_of(new)).status_code == 200
        assert Client().head(path_of(new)).status_code == 200
    assert OneTimeLink.objects.filter(pk=new.link.pk).values().get() == before


def test_the_page_of_a_link_is_kept_private(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin)
    for path in (path_of(new), "/invitation/unknown/"):
        headers = Client().get(path).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Referrer-Policy"] == "strict-origin"
        assert headers["X-Robots-Tag"] == "noindex"


def test_links_that_are_over_look_the_same(cast: Cast) -> None:
    used, revoked, of_former = (actions.invite(invited_by=cast.admin) for _ in range(3))
    with time_machine.travel(timezone.now() - timedelta(days=3, seconds=1)):
        expired = actions.invite(invited_by=cast.admin)
    former = Agent.objects.create(username="former", display_name="Former", is_staff=True)
    of_former = actions.invite(invited_by=former)
    Agent.objects.filter(pk=former.pk).update(is_staff=False)
    assert open_form(path_of(used)).status_code == 302
    actions.revoke(link=revoked.link, revoked_by=cast.admin)
    over = [path_of(one) for one in (used, revoked, expired, of_former)]
    seen = set()
    for path in [*over, "/invitation/unknown/", f"/invitation/{'A' * 43}/"]:
        for response in (Client().get(path), open_form(path, username="another")):
            assert response.status_code == 404
            assert "This link doesn't work" in response.text or "doesn&#x27;t" in response.text
            seen.add((response.text, tuple(sorted(response.headers.items()))))
    assert len(seen) == 1
    assert Agent.objects.filter(username__in=["eva", "another"]).count() == 1


def test_a_link_works_until_its_last_minute(cast: Cast) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=2, hours=23, minutes=59)):
        new = actions.invite(invited_by=cast.admin)
    assert open_form(path_of(new)).status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("username", "ANA", "Somebody here has that username already"),
        ("username", "a na", "Use letters, digits and"),
        ("username", "", "This field is required"),
        ("username", "e" * 151, "150 characters at most"),
        ("username", "ev\0a", "Null characters are not allowed"),
        ("display_name", "   ", "This field is required"),
        ("password", "short", "too short"),
        ("password", "12345678901", "entirely numeric"),
        ("password", "eva-stone", "too similar to the username"),
        ("password", "", "This field is required"),
    ],
)
def test_what_a_newcomer_can_not_choose_is_said(
    cast: Cast, field: str, value: str, sentence: str
) -> None:
    new = actions.invite(invited_by=cast.admin)
    response = open_form(path_of(new), **{"username": "eva-stone", field: value})
    assert response.status_code == 422
    assert sentence in response.text
    assert Agent.objects.count() == 5
    assert open_form(path_of(new)).status_code == 302


def test_somebody_signed_in_is_asked_to_sign_out_first(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin)
    client = client_of(cast.ana)
    page = client.get(path_of(new))
    assert "signed in here as <bdi>Ana Ruiz</bdi>" in page.text
    client.post(path_of(new), JOINING)
    assert not Agent.objects.filter(username="eva").exists()
    assert client.post(path_of(new), {"leave": "1"}).headers["Location"] == path_of(new)
    client.post(path_of(new), JOINING)
    assert client.session["_auth_user_id"] == str(Agent.objects.get(username="eva").pk)


def test_links_are_forgotten_a_month_after_they_ended(cast: Cast) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=34)):
        actions.invite(invited_by=cast.admin)
    with time_machine.travel(timezone.now() - timedelta(days=32)):
        kept = actions.invite(invited_by=cast.admin).link
    assert actions.delete_old_links() == 1
    assert list(OneTimeLink.objects.all()) == [kept]


def in_two_browsers(*deeds: Any) -> list[Any]:
    """Call the functions at the same time, each with a database connection of its own."""
    results: list[Any] = []
    start = threading.Barrier(len(deeds))

    def run(deed: Any) -> None:
        start.wait()
        try:
            results.append(deed())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_with_one_link_only_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the other where it is about to make an agent; none gets there twice."""
    create, both = actions._create_agent, threading.Barrier(2)

    def create_together(**fields: Any) -> Agent:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return create(**fields)

    monkeypatch.setattr(actions, "_create_agent", create_together)
    cast = create_cast()
    path = path_of(actions.invite(invited_by=cast.admin, inboxes=[cast.dispatch]))
    answers = in_two_browsers(
        lambda: open_form(path, username="eva").status_code,
        lambda: open_form(path, username="eve").status_code,
    )
    assert sorted(answers) == [302, 404]
    assert Agent.objects.filter(username__in=["eva", "eve"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_newcomers_with_one_name_only_one_gets_it() -> None:
    cast = create_cast()
    one, other = (path_of(actions.invite(invited_by=cast.admin)) for _ in range(2))
    answers = in_two_browsers(
        lambda: open_form(one, username="eva").status_code,
        lambda: open_form(other, username="EVA").status_code,
    )
    assert sorted(answers) == [302, 422]
    assert Agent.objects.filter(username__iexact="eva").count() == 1


@pytest.mark.parametrize(
    ("taken", "wanted"), [("mia", "M\uff29A"), ("straße", "STRASSE"), ("mia", "mıa")]
)
def test_a_username_that_looks_like_a_colleague_s_is_taken(
    cast: Cast, taken: str, wanted: str
) -> None:
    Agent.objects.create(username=taken, display_name="Mia")
    answer = open_form(path_of(actions.invite(invited_by=cast.admin)), username=wanted)
    assert answer.status_code == 422
    assert "Somebody here has that username already." in answer.text
    page = f"/admin/inboxes/agent/{cast.ben.pk}/change/"
    admin = client_of(cast.admin)
    answer = admin.post(page, {"username": wanted, "display_name": "Ben"})
    assert "Somebody here has that username already." in answer.text
    kept = {"username": "ben", "display_name": "Ben Two"}
    assert admin.post(page, kept).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_renew_one_link_at_once_get_one_new_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has read the link before the other replaces it."""
    cast = create_cast()
    renew, both = actions.renew, threading.Barrier(2)

    def renew_together(**details: Any) -> Any:
        both.wait()
        return renew(**details)

    monkeypatch.setattr(actions, "renew", renew_together)
    link = actions.invite(invited_by=cast.admin).link
    admins = [client_of(cast.admin), client_of(cast.admin)]
    answers = in_two_browsers(
        *(
            lambda admin=admin: admin.post(f"{LINKS}{link.pk}/renew/")["Location"]
            for admin in admins
        )
    )
    assert sorted(answers) == [LINKS, f"{LINKS}made/"]
    assert OneTimeLink.objects.waiting().count() == 1


def test_a_link_that_is_used_while_it_is_renewed_lets_in_one_person(cast: Cast) -> None:
    new = actions.invite(invited_by=cast.admin, is_administrator=True)
    seen = OneTimeLink.objects.get(pk=new.link.pk)
    open_form(path_of(new))
    with pytest.raises(tokens.LinkIsOver):
        actions.renew(link=seen, made_by=cast.admin)
    assert not OneTimeLink.objects.waiting().exists()


def test_a_link_that_ran_out_or_was_revoked_is_made_anew_once(cast: Cast) -> None:
    link = actions.invite(invited_by=cast.admin).link
    actions.revoke(link=link, revoked_by=cast.admin)
    link.refresh_from_db()
    actions.renew(link=link, made_by=cast.admin)
    with pytest.raises(tokens.LinkIsOver):
        actions.renew(link=link, made_by=cast.admin)


def test_too_many_links_that_do_not_work_are_too_many_for_an_address(
    cast: Cast, settings: Any
) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 5
    new = actions.invite(invited_by=cast.admin)
    answers = [Client().get(f"/invitation/guess-{n}/").status_code for n in range(7)]
    assert answers == [404] * 5 + [429] * 2
    assert Client(REMOTE_ADDR="192.0.2.7").get("/invitation/guess/").status_code == 404
    assert open_form(path_of(new)).status_code == 302


def test_a_new_administrator_is_asked_for_a_second_factor(cast: Cast, settings: Any) -> None:
    settings.TWO_STEP_SIGN_IN = "administrators"
    new = actions.invite(invited_by=cast.admin, is_administrator=True)
    client = Client()
    client.post(path_of(new), JOINING)
    assert Agent.objects.get(username="eva").is_staff
    assert client.get("/").headers["Location"].startswith("/account/two-step/")


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_with_one_reset_link_only_one_sets_the_password() -> None:
    cast = create_cast()
    path = path_of(actions.send_reset_link(agent=cast.ben, made_by=cast.admin))
    answers = in_two_browsers(
        lambda: Client().post(path, {"password": "a garden of stones"}).status_code,
        lambda: Client().post(path, {"password": "a garden of sticks"}).status_code,
    )
    assert sorted(answers) == [302, 404]
