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
from pytest_django import Settings

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

OLD = ("otp_totp_totpdevice", "otp_static_staticdevice", "otp_static_statictoken")

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: str | int | bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def rows_of(table: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return list(cursor.fetchall())


def add_app(
    agent: Agent,
    key: str = KEY,
    *,
    confirmed: bool = True,
    used: str = "2026-01-01",
    step: int = 30,
) -> None:
    sql(
        "INSERT INTO otp_totp_totpdevice"
        " (user_id, name, confirmed, key, step, t0, digits, last_used_at)"
        " VALUES (%s, 'app', %s, %s, %s, 0, 6, %s)",
        agent.pk,
        confirmed,
        key,
        step,
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
        migration.copy_second_factors(apps, editor)


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


def test_the_copies_are_encrypted(root: Agent) -> None:
    add_app(root)
    add_recovery_codes(root, "abcd2345")
    upgrade()
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "GEZDGNBVGY3TQOJQ" not in kept
    assert "abcd2345" not in kept


def test_the_version_from_before_still_finds_what_it_had(root: Agent) -> None:
    add_app(root)
    add_app(root, "no key at all")
    add_recovery_codes(root, "abcd2345")
    before = {table: rows_of(table) for table in OLD}
    assert all(before.values())
    upgrade()
    assert {table: rows_of(table) for table in OLD} == before


def test_upgrading_once_more_copies_nothing_twice(root: Agent) -> None:
    add_app(root)
    add_recovery_codes(root, "abcd2345", "efgh6723")
    upgrade()
    assert is_signed_in(sign_in("abcd2345"))
    copied = list(Authenticator.objects.order_by("pk").values())
    upgrade()
    assert list(Authenticator.objects.order_by("pk").values()) == copied
    assert len(copied) == 2
    assert not is_signed_in(sign_in("abcd2345")), "a used code stays used"


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


def test_whoever_had_recovery_codes_alone_is_asked_for_one_and_then_sets_up_an_app(
    root: Agent, settings: Settings
) -> None:
    settings.TWO_STEP_SIGN_IN = "administrators"
    add_recovery_codes(root, "abcd2345")
    upgrade()
    client = sign_in("abcd2345")
    assert client.get("/admin/")["Location"].startswith("/account/two-step/?next=")


def test_an_installation_that_never_had_the_old_tables_is_upgraded_too() -> None:
    upgrade()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(("key", "step"), [("no key at all", 30), (KEY, 60)])
def test_whose_app_cannot_be_copied_is_named_with_what_to_do(
    root: Agent, key: str, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    add_app(root, key, step=step)
    upgrade()
    assert not Authenticator.objects.exists()
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("The authenticator app of root has settings that are not taken any")
    assert "set up two-step sign-in again, at Your account" in said
    assert key not in said


def test_an_app_that_cannot_be_copied_does_not_hide_another_one(
    root: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    add_app(root, KEY, used="2026-01-01")
    add_app(root, OTHER_KEY, used="2026-02-01", step=60)
    upgrade()
    assert not caplog.records
    with time_machine.travel(datetime.fromtimestamp(MOMENT, UTC), tick=False):
        assert is_signed_in(sign_in(CODE))
