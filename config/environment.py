"""Reading settings from the environment, with one plain sentence for whatever makes no sense."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from environs import Env, EnvError

T = TypeVar("T")

env = Env()


class BadSetting(Exception):
    """An environment variable that cannot be used. Its text never repeats the value: some are
    secrets."""


def setting(
    name: str,
    read: Callable[..., T],
    default: T,
    takes: str,
    holds: Callable[[T], bool] = lambda _: True,
) -> T:
    """The value of `name`, or `default` where it is unset or empty. Raises BadSetting."""
    if not os.environ.get(name, "").strip():
        return default
    try:
        value = read(name)
        if holds(value):
            return value
    except (EnvError, ValueError):
        pass
    raise BadSetting(f"{name} cannot be used as it is set: it takes {takes}.")


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret kept in `path`, made on first use with mode 0600.

    Two processes that start together agree on one value: the file appears whole, by a hard link
    that only one of them can make.
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
        finally:
            draft.unlink()
    try:
        kept = path.read_text().strip()
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}.") from error
    if not kept:
        raise BadSetting(f"{path} is empty: put the secret back, or remove the file.")
    return kept
