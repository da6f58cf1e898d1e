"""The file in the data folder with the address at which a new installation is set up."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings

NAME = "setup_link"


def link_path() -> Path:
    return Path(settings.DATA_DIR) / NAME


def write_link(address: str) -> None:
    """Put the address into the file, readable by nobody else. Raises OSError."""
    path = link_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{address}\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def remove_link() -> None:
    """Remove the file, if it is there: what it holds opens nothing any more."""
    try:
        link_path().unlink(missing_ok=True)
    except OSError:
        return  # A folder of another user's: its own process removes it.
