"""Tell the version of this code, from pyproject.toml or, if it was installed, its metadata."""

import tomllib
from importlib import metadata
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def is_checkout() -> bool:
    """Return True if this code runs from a checkout, False if it was installed by pip."""
    return _PROJECT.exists()


def _read_version() -> str:
    if is_checkout():
        return str(tomllib.loads(_PROJECT.read_text())["project"]["version"])
    return metadata.version("partyline")


VERSION = _read_version()
