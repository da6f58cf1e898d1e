"""The keys of an installation: which ones a backup was made with, and where they are kept."""

import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from config import environment
from config.backup.errors import Refused

# The setting, and the file in the data folder that has it if the environment has not.
FILES = {
    "SECRET_KEY": "secret_key",
    "FIELD_KEYS": "field_keys",
    "VAPID_PRIVATE_KEY": "vapid_key",
}


def current_keys() -> dict[str, str]:
    """Return the keys in use, by the names of their settings."""
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "VAPID_PRIVATE_KEY": settings.VAPID_PRIVATE_KEY,
    }


def fingerprint(key: str, salt: str) -> str:
    """Return what tells whether a key is the same, and nothing else about it."""
    return hashlib.scrypt(key.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def other_keys(fingerprints: dict[str, str], salt: str) -> list[str]:
    """Return the names of the keys that are others than those of the fingerprints."""
    return [
        name
        for name, key in current_keys().items()
        if not hmac.compare_digest(fingerprints.get(name, ""), fingerprint(key, salt))
    ]


@contextmanager
def forgetting_new_keys() -> Iterator[None]:
    """Remove the keys that this process made if the block fails: a second try finds none."""
    try:
        yield
    except BaseException:
        for path in environment.secrets_made:
            path.unlink(missing_ok=True)
        raise


def put_in_place(wanted: dict[str, str]) -> None:
    """Write keys to the data folder. Keys that were there before this process are never replaced.

    Raises Refused if one differs.
    """
    for name, key in wanted.items():
        path = settings.DATA_DIR / FILES[name]
        if path in environment.secrets_made:
            _write_key(path, key)
        elif key != current_keys()[name]:
            where = "the environment" if os.environ.get(name) else str(path)
            raise Refused(f"{where} has another {name} than the backup was made with.", status=4)


def _write_key(path: Path, key: str) -> None:
    draft = path.with_name(f".{path.name}.restored")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
    draft.replace(path)
