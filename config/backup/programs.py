"""PostgreSQL's own programs, and how they reach the database."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from procrastinate.contrib.django.utils import connector_params
from psycopg import pq
from psycopg.conninfo import make_conninfo

from config.backup.errors import Refused
from config.embedded.paths import program_folder

DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Program:
    path: str
    version: int  # PostgreSQL's, like 18


def connect() -> psycopg.Connection[Any]:
    """Return a connection of our own. Starts the embedded server if needed."""
    return psycopg.connect(**_parameters())


def connection_options() -> tuple[str, dict[str, str]]:
    """Return an option and an environment by which a program reaches the database.

    The password is in the environment: all users see the command line.
    """
    parameters = _parameters()
    password = str(parameters.pop("password", None) or "")
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    return f"--dbname={make_conninfo(**parameters)}", environment


def _parameters() -> dict[str, Any]:
    """Return the parameters of Django's connection that libpq knows."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    found = connector_params()
    return {name: value for name, value in found.items() if name in known and value != ""}


def find_program(name: str, at_least: int = 0) -> Program:
    """Return a program for the database that is not older than `at_least`. Raises Refused.

    For a database of its own (DATABASE_URL), those of the system come first: the embedded ones
    cannot speak TLS.
    """
    embedded, systems = [*_embedded(name)], [*_systems(name)]
    found = [*systems, *embedded] if settings.DATABASE_URL else embedded
    for program in found:
        if program.version >= at_least:
            return program
    raise Refused(
        f"{name} of PostgreSQL {at_least or 15} or newer is needed to reach the database."
        " On Debian: apt-get install postgresql-client"
    )


def find_newest(name: str) -> Program:
    """Return the newest program of that name, for work that needs no connection."""
    found = [*_embedded(name), *_systems(name)]
    if not found:
        raise Refused(f"{name} is missing. On Debian: apt-get install postgresql-client")
    return max(found, key=lambda program: program.version)


def _embedded(name: str) -> Iterator[Program]:
    try:
        path = program_folder() / name
    except RuntimeError:
        return
    yield from _program(str(path))


def _systems(name: str) -> Iterator[Program]:
    """Yield those of the system, the newest first; Debian has each version in its own folder."""
    paths = {str(path) for path in DEBIAN.glob(f"*/bin/{name}")}
    if on_path := shutil.which(name):
        paths.add(on_path)
    programs = [program for path in paths for program in _program(path)]
    yield from sorted(programs, key=lambda program: program.version, reverse=True)


def _program(path: str) -> Iterator[Program]:
    try:
        done = subprocess.run(  # noqa: S603  PostgreSQL's own program
            [path, "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return
    if found := re.search(r"\) (\d+)", done.stdout):
        yield Program(path, int(found[1]))
