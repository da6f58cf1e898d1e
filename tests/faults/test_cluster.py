"""Test a cluster as deploy/ describes it, with the short forms of the experiments.

It consists of nginx with TLS, two web processes, two workers, Redis and PostgreSQL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests.bench.figures import Figure, format_table
from tests.faults import attacks, deploys, ingest, revocations, sends
from tests.faults.deploys import ReopeningPages
from tests.faults.sites import CallerLedger, ClusterSite, call_until_accepted, cluster_site
from tests.stack import ROOT

# A generous limit in seconds; the long forms measure the speed.
LEISURE = 60.0


@pytest.fixture(scope="module")
def site() -> Iterator[ClusterSite]:
    members = revocations.SHORT.members + attacks.SHORT.members
    with cluster_site(threads=6, members=members) as running:
        yield running


def assert_met(figures: list[Figure]) -> None:
    print(format_table(figures))
    missed = [figure for figure in figures if figure.is_met is False]
    assert not missed, format_table(missed)


def test_an_inbound_text_reaches_pages_of_both_processes(site: ClusterSite) -> None:
    pages = ReopeningPages(site, 2)
    _, address = site.threads[0]
    call = site.text_call("SMfirst", "Through all of it", sender=address)
    with ExitStack() as opened, site.http_client() as http:
        sockets = [opened.enter_context(pages.open_connection()) for _ in range(2)]
        taken = http.post(call.path, content=call.body, headers=call.headers)
        assert taken.status_code == 200, taken.text
        for socket in sockets:
            while "Through all of it" not in json.loads(socket.recv(timeout=20)).get("rows", ""):
                pass

    def upstreams() -> set[str]:
        lines = (site.cluster.data / "logs/partyline.log").read_text().splitlines()
        return {line.split()[-1] for line in lines if " /live/ 101 " in line}

    site.wait_until(lambda: len(upstreams()) == 2, seconds=10)


def test_the_program_uses_the_client_address_that_nginx_saw(
    site: ClusterSite,
) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    with site.http_client(headers=lies | {"Origin": site.cluster.url}) as http:
        page = http.get("/sign-in/")
        assert page.status_code == 200, "it believed us and redirected to https"
        token = page.cookies["__Host-csrftoken"]
        form = {"username": "ana", "password": "wrong", "csrfmiddlewaretoken": token}
        http.post("/sign-in/", data=form)
    seen = site.cluster.sql("SELECT address FROM inboxes_signinfailure")
    assert {row[0] for row in seen} == {"127.0.0.1"}


def test_nginx_serves_static_files_as_immutable_and_refuses_large_bodies(
    site: ClusterSite,
) -> None:
    manifest = json.loads((site.cluster.data / "static/staticfiles.json").read_text())
    with site.http_client() as http:
        file = http.get("/static/" + manifest["paths"]["css/tokens.css"])
        assert "immutable" in file.headers["Cache-Control"]
        assert file.headers["Content-Encoding"] == "gzip"
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert http.post(site.webhook_path, content=b"x" * (2**20 + 1)).status_code == 413
        assert http.get("/static../secret_key").status_code == 404


def test_nginx_logs_neither_secrets_nor_query_strings(site: ClusterSite) -> None:
    with site.http_client() as http:
        http.get("/search/?q=Mrs+Ferguson")
        http.post(site.webhook_path)
    logs = "".join(path.read_text() for path in (site.cluster.data / "logs").iterdir())
    assert "/webhooks/twilio/- " in logs
    assert site.webhook_path not in logs
    assert "Ferguson" not in logs


def test_killed_processes_cost_no_webhook_and_no_text(site: ClusterSite) -> None:
    assert_met(sends.measure_killed_workers(site, sends.Size(texts=24, kills=1, threads=6)))
    assert_met(ingest.measure_killed_processes(site, ingest.Size(calls=100, kills=2)))


def test_a_killed_database_costs_no_webhook(site: ClusterSite) -> None:
    assert_met(
        ingest.measure_killed_database(
            site, ingest.Size(calls=100, kills=2, down_seconds=1.0, back_within=LEISURE)
        )
    )


def test_a_new_version_is_rolled_out_without_loss(site: ClusterSite) -> None:
    assert_met(
        deploys.measure_rolling_restarts(
            site, deploys.Size(rounds=1, pages=6, calls=60, away=LEISURE)
        )
    )


def test_an_agent_who_loses_a_right_is_shown_no_more_texts(site: ClusterSite) -> None:
    assert_met(revocations.measure_revocations(site, revocations.SHORT))


def test_attacks_cost_the_others_no_text(site: ClusterSite) -> None:
    assert_met(attacks.measure_attacks(site, attacks.SHORT))


WAITING = """
INSERT INTO messaging_message (thread_id, inbox_id, kind, body, created_at, seq, state, reason,
                               tries, next_try_at, carrier_message_id)
SELECT thread_id, inbox_id, 'outbound', 'Waits', now(), seq, 'queued', '', 0,
       now() + interval '1 day', ''
  FROM messaging_message WHERE carrier_message_id = 'SMbackup'
"""


SECRETS = """
INSERT INTO django_session VALUES ('a-live-session-of-somebody', 'x', now() + interval '1 day');
INSERT INTO messaging_pushsubscription
       (agent_id, endpoint, p256dh, auth, session_key, session_hash, created_at)
SELECT id, 'https://push.example', '', '', 'a-live-session-of-somebody', '', now()
  FROM inboxes_agent WHERE username = 'admin';
INSERT INTO usersessions_usersession
       (user_id, created_at, ip, last_seen_at, session_key, user_agent, data)
SELECT id, now(), '127.0.0.1', now(), 'a-live-session-of-somebody', '', '{}'
  FROM inboxes_agent WHERE username = 'admin';
INSERT INTO mfa_authenticator (user_id, type, data, created_at)
SELECT id, 'webauthn', '{"name": "seedseedseedseed"}', now()
  FROM inboxes_agent WHERE username = 'admin';
"""
SECOND_FACTORS = """
SELECT agent.username, factor.data ->> 'name' FROM mfa_authenticator AS factor
  JOIN inboxes_agent AS agent ON agent.id = factor.user_id
"""


def test_a_backup_restores_rows_files_and_keys(site: ClusterSite, tmp_path: Path) -> None:
    ledger, cluster = CallerLedger(), site.cluster
    call_until_accepted(site, [site.text_call("SMbackup", "Keep this")], ledger)
    (cluster.data / "media").mkdir(exist_ok=True)
    (cluster.data / "media/picture").write_bytes(b"\xff\xd8")
    with cluster.connect() as connection:
        connection.execute(WAITING)
        connection.execute(SECRETS)
    file, keys = make_backup(site, tmp_path)
    with cluster.connect() as connection:
        connection.execute("DELETE FROM mfa_authenticator")
    with cluster.connect() as connection:
        connection.execute("CREATE DATABASE restored")
    restored = tmp_path / "there"
    address = cluster.environment["DATABASE_URL"].rsplit("/", 1)[0] + "/restored"
    settings = {"PARTYLINE_DATA": str(restored), "DATABASE_URL": address}
    other = {"FIELD_KEYS": Fernet.generate_key().decode()}
    done = run_command(site, "restore", file, "--keys", keys, **settings, **other)
    assert (done.returncode, [*restored.iterdir()]) == (4, [])
    assert "the environment has another FIELD_KEYS" in done.stderr
    done = run_command(site, "restore", file, "--keys", keys, **settings)
    assert done.returncode == 0, done.stderr
    assert (restored / "media/picture").read_bytes() == b"\xff\xd8"
    secrets = assert_restored(address)
    key = Fernet((restored / "field_keys").read_text().strip())
    assert site.secret in key.decrypt(secrets).decode()

    again = run_command(site, "restore", file, "--keys", keys, **settings)
    assert again.returncode == 3, "a database with tables is left alone"


def run_command(
    site: ClusterSite, *arguments: str | Path, **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment_of(site) | site.settings | changes,
        capture_output=True,
        text=True,
        check=False,
    )


def environment_of(site: ClusterSite) -> dict[str, str]:
    return {**os.environ, "PATH": f"{site.cluster.postgres_bin}:{os.environ['PATH']}"}


def make_backup(site: ClusterSite, folder: Path) -> tuple[Path, Path]:
    """Make a backup that only its owner can read and that holds no live secrets."""
    file, keys = folder / "b" / "today", folder / "k" / "today"
    done = run_command(site, "backup", file, "--keys", keys)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mode & 0o077 == 0 for path in (file, keys))
    with tarfile.open(file) as archive:
        archive.extract("database.dump", folder)
    plain = subprocess.run(
        ["pg_restore", "-f", "-", folder / "database.dump"],
        env=environment_of(site),
        capture_output=True,
        check=True,
    ).stdout
    assert b"Keep this" in plain
    assert b"a-live-session-of-somebody" not in plain
    assert b"seedseedseedseed" not in plain
    return file, keys


def assert_restored(address: str) -> bytes:
    """Check the rows of the restored database; return the account's encrypted credentials."""
    with psycopg.connect(address) as connection:
        row = connection.execute(
            "SELECT body FROM messaging_message WHERE carrier_message_id = 'SMbackup'"
        ).fetchone()
        assert row == ("Keep this",)
        row = connection.execute(
            "SELECT state, reason LIKE '%may have gone already%' FROM messaging_message"
            " WHERE body = 'Waits'"
        ).fetchone()
        assert row == ("failed", True)
        row = connection.execute(
            "SELECT encrypted_credentials FROM messaging_carrieraccount"
        ).fetchone()
        devices = connection.execute(SECOND_FACTORS).fetchall()
        assert devices == [("admin", "seedseedseedseed")]
        for table in ("django_session", "usersessions_usersession", "messaging_pushsubscription"):
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []
        # Sequences came back too, so the next keys are free.
        connection.execute(SECRETS)
    assert row is not None
    encrypted: bytes = row[0]
    return encrypted
