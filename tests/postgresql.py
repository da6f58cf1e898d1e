"""Start the tests' own PostgreSQL, as a pytest plugin that runs before Django's settings load.

A developer's own installation is not touched: neither its data folder nor its database.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.embedded import ensure_running, release_server
from config.embedded.paths import ServerPaths, database_url

_PREFIX = "partyline-test-"
_DATA_VARIABLE = "PARTYLINE_TEST_POSTGRESQL"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    # A wrapper runs before pytest-django's own implementation, which reads the settings.
    _start_server(early_config)
    yield


def _start_server(config: pytest.Config) -> None:
    if _DATA_VARIABLE in os.environ:
        return  # a worker of pytest-xdist uses the server of the process that started it
    _allow_compiled_files()
    _remove_leftovers()
    data = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _claim(data)
    ensure_running(data, is_durable=False)
    for name in ("REDIS_URL", "PUBLIC_URL", "HOST", "PORT", "ALLOWED_HOSTS", "TIME_ZONE"):
        os.environ.pop(name, None)
    (data / "installation" / "static").mkdir(parents=True)
    os.environ |= {
        _DATA_VARIABLE: str(data),
        "DATABASE_URL": database_url(data),
        "PARTYLINE_DATA": str(data / "installation"),
        "PARTYLINE_DEMO": "1",
        "SECRET_KEY": Fernet.generate_key().decode() * 2,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "STATIC_HASHED": "0",
        "DB_POOL_SIZE": "0",
        "SINGLE_PROCESS_LOCK": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    config.add_cleanup(lambda: _remove_server(data))


def _allow_compiled_files() -> None:
    """Let Python keep what it compiled, even where the environment says no.

    The tests start about a hundred processes, and each of them would compile the whole program.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _remove_server(data: Path) -> None:
    release_server(data)
    shutil.rmtree(data, ignore_errors=True)


def _remove_leftovers() -> None:
    """Stop and remove what a killed run left. A run that goes on holds its claim."""
    for leftover in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            is_dead = leftover.stat().st_uid == os.getuid() and _claim(leftover, is_new=False)
        except FileNotFoundError:
            continue  # it has just ended
        if not is_dead:
            continue
        if ServerPaths(leftover).users_lock.exists():
            ensure_running(leftover, is_durable=False)
            release_server(leftover)
        shutil.rmtree(leftover, ignore_errors=True)


def _claim(data: Path, *, is_new: bool = True) -> bool:
    """Hold the folder until this process ends; return False if another process holds it.

    Raises FileNotFoundError for a folder that is gone, or that nobody has claimed yet.
    """
    descriptor = os.open(data / "claim", os.O_RDWR | (os.O_CREAT if is_new else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True
