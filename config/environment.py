"""Read settings from the environment, and refuse wrong values with one plain sentence."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from environs import Env, EnvError

T = TypeVar("T")

env = Env()
# The names of all settings that were read, and the files that this process made secrets in.
names_read: set[str] = set()
secrets_made: set[Path] = set()


class BadSetting(Exception):
    """An environment variable has a value that cannot be used.

    The text never repeats the value, which may be a secret.
    """


def setting(
    name: str,
    read: Callable[..., T],
    default: T,
    takes: str,
    holds: Callable[[T], bool] = lambda _: True,
) -> T:
    """Return the value of `name`, or `default` if it is unset or empty.

    `read` parses it, `holds` checks it, and `takes` says in an error what is accepted. Raises
    BadSetting.
    """
    names_read.add(name)
    if not os.environ.get(name, "").strip():
        return default
    try:
        value = read(name)
        if holds(value):
            return value
    except (EnvError, ValueError):
        pass
    raise BadSetting(f"{name} cannot be used as it is set: it takes {takes}.")


def load_or_create_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in the file `path`, which is made on first use with mode 0600.

    Two processes that start together agree on one value: a hard link, which only one of them can
    make, puts the finished file in place. Raises BadSetting if the file is empty or unreadable.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
                secrets_made.add(path)
        finally:
            draft.unlink()
    try:
        kept = path.read_text().strip()
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}.") from error
    if not kept:
        raise BadSetting(f"{path} is empty: put the secret back, or remove the file.")
    return kept
