"""Second factors from before the upgrade go on working after it."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection
from django.test import Client

from inboxes.models import Agent

PASSWORD = "long-enough-words"
# The key and a code of RFC 6238, appendix B.
KEY, MOMENT, CODE = b"12345678901234567890".hex(), 2_000_000_000, "279037"
OTHER_KEY = b"another key of 20 byt".hex()

TABLES = """
CREATE TABLE otp_totp_totpdevice (
    id serial, user_id int, name text, confirmed bool, key text, step int, t0 int, digits int,
    last_used_at timestamptz
);
CREATE TABLE otp_static_staticdevice (id serial, user_id int, name text, confirmed bool);
CREATE TABLE otp_static_statictoken (id serial, device_id int, token text);
"""

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: str | int | bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def add_app(
    agent: Agent, key: str = KEY, *, confirmed: bool = True, used: str = "2026-01-01"
) -> None:
    sql(
        "INSERT INTO otp_totp_totpdevice"
        " (user_id, name, confirmed, key, step, t0, digits, last_used_at)"
        " VALUES (%s, 'app', %s, %s, 30, 0, 6, %s)",
        agent.pk,
        confirmed,
        key,
        used,
    )


def add_recovery_codes(agent: Agent, *codes: str) -> None:
    sql(
        "INSERT INTO otp_static_staticdevice (user_id, name, confirmed)"
        " VALUES (%s, 'codes', true)",
        agent.pk,
    )
    for code in codes:
        sql(
            "INSERT INTO otp_static_statictoken (device_id, token)"
            " SELECT max(id), %s FROM otp_static_staticdevice",
            code,
        )


def upgrade() -> None:
    """Run the migration as `migrate` does, with the tables that the old version left."""
    migration = importlib.import_module("inboxes.migrations.0013_second_factors_move")
    with connection.schema_editor() as editor:
        migration.move_second_factors(apps, editor)


@pytest.fixture
def root() -> Agent:
    sql(TABLES)
    return Agent.objects.create_superuser("root", display_name="Root", password=PASSWORD)


def sign_in(code: str) -> Client:
    client = Client()
    asked = client.post("/sign-in/", {"username": "root", "password": PASSWORD})
    assert asked["Location"] == "/sign-in/code/"
    client.post("/sign-in/code/", {"code": code})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_same_authenticator_app_and_recovery_codes_go_on_working(root: Agent) -> None:
    add_app(root)
    add_recovery_codes(root, "abcd2345", "efgh6723")
    upgrade()
    with time_machine.travel(datetime.fromtimestamp(MOMENT, UTC), tick=False):
        assert is_signed_in(sign_in(f"{CODE[:3]} {CODE[3:]}"))
        assert not is_signed_in(sign_in(CODE)), "a code is good for once"
    assert is_signed_in(sign_in("abcd2345"))
    assert not is_signed_in(sign_in("abcd2345"))
    assert is_signed_in(sign_in("efgh6723"))


def test_the_secrets_are_encrypted_and_no_longer_where_they_were(root: Agent) -> None:
    add_app(root)
    add_recovery_codes(root, "abcd2345")
    upgrade()
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "GEZDGNBVGY3TQOJQ" not in kept
    assert "abcd2345" not in kept
    for table in ("otp_totp_totpdevice", "otp_static_statictoken"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)


def test_of_several_apps_the_one_used_last_is_kept_and_unconfirmed_ones_are_not(
    root: Agent,
) -> None:
    add_app(root, OTHER_KEY, used="2025-01-01")
    add_app(root, KEY, used="2026-03-01")
    add_app(root, OTHER_KEY, used="2026-02-01")
    other = Agent.objects.create_user("mia", display_name="Mia", password=PASSWORD)
    add_app(other, confirmed=False)
    upgrade()
    assert not Authenticator.objects.filter(user=other).exists()
    with time_machine.travel(datetime.fromtimestamp(MOMENT, UTC), tick=False):
        assert is_signed_in(sign_in(CODE))


def test_an_installation_that_never_had_the_old_tables_is_upgraded_too() -> None:
    upgrade()
    assert not Authenticator.objects.exists()


def test_a_key_that_cannot_be_read_stops_no_upgrade(root: Agent) -> None:
    add_app(root, "no key at all")
    upgrade()
    assert not Authenticator.objects.exists()
