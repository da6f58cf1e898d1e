"""Sessions: their keys, the list of them, and what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.models import Agent, PhoneSignIn
from inboxes.phone_sign_in.actions import offer_phone_sign_in
from inboxes.sessions import keys_of_all_sessions
from inboxes.sign_in import cleaning, sessions
from inboxes.sign_in.adapters import SessionsAdapter
from messaging.tasks import forget_expired_sessions
from tests.inboxes.sign_in.people import add_app, code_now, create_agent, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia() -> Agent:
    return create_agent("mia")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    sessions._written.clear()
    yield
    sessions._written.clear()


def key_of(client: Client) -> str:
    return str(client.session.session_key)


def is_signed_in(client: Client) -> bool:
    return client.get("/notifications/").status_code == 200


def test_a_key_that_somebody_else_chose_is_worth_nothing_after_the_sign_in(mia: Agent) -> None:
    client = Client()
    client.get("/sign-in/passkey/", headers={"Accept": "application/json"})
    planted = key_of(client)
    sign_in("mia", client=client)
    assert key_of(client) != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_signed_in(thief)
    assert is_signed_in(client)


def test_the_key_before_the_second_step_is_worth_nothing_after_it(mia: Agent) -> None:
    add_app(mia)
    client = sign_in("mia")
    before = key_of(client)
    client.post("/sign-in/code/", {"code": code_now()})
    assert key_of(client) != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert not is_signed_in(thief)


def test_confirming_with_a_second_factor_renews_the_key_and_keeps_the_sessions_row(
    mia: Agent,
) -> None:
    client = sign_in("mia")
    add_app(mia)
    before = key_of(client)
    offer_phone_sign_in(agent=mia, session_key=before)
    client.post("/sign-in/confirm/code/", {"code": code_now()})
    assert key_of(client) != before
    assert is_signed_in(client)
    assert UserSession.objects.get(user=mia).session_key == key_of(client)
    assert PhoneSignIn.objects.get(agent=mia).session_key == key_of(client)


def test_asking_for_a_passkey_keeps_one_session_for_minutes(mia: Agent) -> None:
    client = Client()
    for _ in range(3):
        client.get("/sign-in/passkey/", headers={"Accept": "application/json"})
    [session] = Session.objects.all()
    assert session.expire_date <= timezone.now() + timedelta(minutes=5)
    sign_in("mia", client=client)
    assert Session.objects.get().expire_date > timezone.now() + timedelta(days=13)


def test_sessions_that_are_over_are_deleted_and_others_stay(
    mia: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "DELETED_AT_ONCE", 2)
    here = sign_in("mia")
    over = [key_of(sign_in("mia")) for _ in range(5)]
    offer_phone_sign_in(agent=mia, session_key=over[0])
    PhoneSignIn.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    Session.objects.filter(session_key__in=over).update(expire_date=timezone.now())
    forget_expired_sessions(timestamp=0)
    assert Session.objects.get().session_key == key_of(here)
    assert UserSession.objects.get().session_key == key_of(here)
    assert not PhoneSignIn.objects.exists()


def test_weeks_after_the_upgrade_ending_sessions_reads_no_others(mia: Agent) -> None:
    client, stranger = sign_in("mia"), Client()
    stranger.get("/sign-in/passkey/", headers={"Accept": "application/json"})
    long_ago = timezone.now() - timedelta(days=30)
    MigrationRecorder.Migration.objects.filter(app="usersessions").update(applied=long_ago)
    with CaptureQueriesContext(connection) as asked:
        assert keys_of_all_sessions(mia) == [key_of(client)]
    assert not [one["sql"] for one in asked if "django_session" in one["sql"]]


def test_every_sign_in_is_listed_with_its_address_and_browser(mia: Agent) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7", headers={"User-Agent": "Firefox of Mia"})
    sign_in("mia", client=client)
    [row] = UserSession.objects.filter(user=mia)
    assert (row.ip, row.user_agent) == ("198.51.100.7", "Firefox of Mia")
    assert row.session_key == key_of(client)


def test_a_session_from_before_the_upgrade_is_listed_from_its_next_request_on(mia: Agent) -> None:
    client = sign_in("mia")
    UserSession.objects.all().delete()
    sessions._written.clear()
    client.get("/settings/")
    assert UserSession.objects.get(user=mia).session_key == key_of(client)


def test_the_last_use_is_written_once_in_some_minutes(
    mia: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("inboxes.sign_in.sessions.time.monotonic", lambda: clock[0])
    client = sign_in("mia")
    seen = UserSession.objects.get(user=mia).last_seen_at
    clock[0] += 60
    client.get("/settings/")
    assert UserSession.objects.get(user=mia).last_seen_at == seen
    clock[0] += 300
    client.get("/settings/")
    assert UserSession.objects.get(user=mia).last_seen_at > seen


def test_signing_in_with_two_steps_costs_a_page_no_query_of_its_own(mia: Agent) -> None:
    client = sign_in("mia")
    with CaptureQueriesContext(connection) as asked:
        client.get("/notifications/")
    ours = ("usersessions", "mfa_authenticator", "inboxes_signin")
    concerned = [one["sql"] for one in asked if any(table in one["sql"] for table in ours)]
    [agent] = concerned
    assert 'FROM "inboxes_agent"' in agent


def test_ended_sessions_are_signed_out_and_tell_their_pages(mia: Agent) -> None:
    here, there = sign_in("mia"), sign_in("mia")
    mia.refresh_from_db()
    seq = mia.seq
    SessionsAdapter().end_sessions(UserSession.objects.filter(session_key=key_of(there)))
    assert is_signed_in(here)
    assert not is_signed_in(there)
    mia.refresh_from_db()
    assert mia.seq > seq


def test_a_server_that_names_no_client_stops_no_sign_in(mia: Agent) -> None:
    client = sign_in("mia", client=Client(REMOTE_ADDR="unix"))
    assert is_signed_in(client)
    assert UserSession.objects.get(user=mia).ip == "0.0.0.0"


def test_a_browsers_name_may_hold_anything(mia: Agent) -> None:
    client = Client(headers={"User-Agent": "x" * 5000 + "\0"})
    sign_in("mia", client=client)
    assert is_signed_in(client)
