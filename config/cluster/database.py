"""PostgreSQL for the cluster: Debian's where it is installed, else the one that is embedded."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

import psycopg

from config.cluster.rendering import DEPLOY, Plan
from config.embedded.places import programs as embedded_programs
from config.embedded.root import find_runner, open_programs, open_way_to

USER = DATABASE = "partyline"


def programs() -> Path:
    """The folder with `postgres` and `pg_dump`."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest is not None else embedded_programs()


def password(data: Path) -> str:
    """The database's password, made at the first start."""
    kept = data / "database_password"
    if not kept.exists():
        kept.touch(0o600)
        kept.write_text(secrets.token_urlsafe(24))
    return kept.read_text()


def command(plan: Plan) -> list[str]:
    """How the server is started, set up before if it is new. It runs as `find_runner` says."""
    cluster = plan.data / "postgres"
    if not (cluster / "PG_VERSION").exists():
        _set_up(plan, cluster)
    (cluster / "partyline.conf").write_text((DEPLOY / "postgresql/partyline.conf").read_text())
    options = {
        "port": plan.database_port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
    }
    chosen = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [str(programs() / "postgres"), "-D", str(cluster), *chosen]


def _set_up(plan: Plan, cluster: Path) -> None:
    runner = find_runner()
    if runner.uid is not None:
        open_way_to(plan.data, "so that PostgreSQL reaches its data")
        if programs() == embedded_programs():
            open_programs(programs().parent)
    cluster.mkdir(mode=0o700, exist_ok=True)
    runner.own(cluster)
    given = cluster.with_name("postgres.password")
    given.touch(0o600)
    given.write_text(password(plan.data))
    runner.own(given)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PG"))
    }
    arguments = [
        "--auth=scram-sha-256",
        f"--pwfile={given}",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    try:
        subprocess.run(  # noqa: S603  our own arguments
            [str(programs() / "initdb"), "-D", str(cluster), f"--username={USER}", *arguments],
            cwd=plan.data,
            env={**kept, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            user=runner.uid,
            group=runner.gid,
            extra_groups=None if runner.uid is None else [],
            check=True,
        )
    finally:
        given.unlink()
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("include 'partyline.conf'\n")


def answers(url: str) -> bool:
    """Whether the server takes connections. Makes our database where it is missing."""
    try:
        with psycopg.connect(url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    except psycopg.OperationalError:
        return False
    return True
