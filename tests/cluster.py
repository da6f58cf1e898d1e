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
from config.embedded.paths import database_url

_PREFIX = "partyline-test-"
_OURS = "PARTYLINE_TEST_CLUSTER"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    # A wrapper runs before pytest-django's own implementation, which reads the settings.
    _prepare(early_config)
    yield


def _prepare(config: pytest.Config) -> None:
    if _OURS in os.environ:
        return  # a worker of pytest-xdist uses the cluster of the process that started it
    _allow_compiled_files()
    _sweep()
    data = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _claim(data)
    ensure_running(data, is_durable=False)
    for name in ("REDIS_URL", "PUBLIC_URL", "HOST", "PORT", "ALLOWED_HOSTS", "TIME_ZONE"):
        os.environ.pop(name, None)
    (data / "house" / "static").mkdir(parents=True)
    os.environ |= {
        _OURS: str(data),
        "DATABASE_URL": database_url(data),
        "PARTYLINE_DATA": str(data / "house"),
        "PARTYLINE_DEMO": "1",
        "SECRET_KEY": Fernet.generate_key().decode() * 2,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "STATIC_HASHED": "0",
        "DB_POOL_SIZE": "0",
        "SINGLE_PROCESS_LOCK": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    config.add_cleanup(lambda: _throw_away(data))


def _allow_compiled_files() -> None:
    """Let Python keep what it compiled, even where the environment says no.

    The tests start about a hundred processes, and each of them would compile the whole program.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _throw_away(data: Path) -> None:
    release_server(data)
    shutil.rmtree(data, ignore_errors=True)


def _sweep() -> None:
    """Stop and remove what a killed run left. A run that goes on holds its claim."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            is_dead = left.stat().st_uid == os.getuid() and _claim(left, is_new=False)
        except FileNotFoundError:
            continue  # it ended by itself just now
        if not is_dead:
            continue
        if (left / "postgres.guests").exists():
            ensure_running(left, is_durable=False)
            release_server(left)
        shutil.rmtree(left, ignore_errors=True)


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
