"""Find the folder in which an installation keeps its data."""

import os
from pathlib import Path

from config.version import is_checkout


def find_data_folder(base: Path, given: str) -> Path:
    """Return the absolute path of the data folder; `given` is what PARTYLINE_DATA says.

    In a checkout it is `var/`, and paths are relative to the checkout, `base`. An installed
    Partyline must keep nothing beside its code: it takes what the system has for such data.
    """
    if given:
        return ((base if is_checkout() else Path.cwd()) / Path(given).expanduser()).resolve()
    if is_checkout():
        return (base / "var").resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/partyline")
    home = os.environ.get("XDG_DATA_HOME", "")
    # The specification of base directories wants relative paths to be ignored.
    folder = Path(home) if home.startswith("/") else Path("~/.local/share").expanduser()
    return (folder / "partyline").resolve()
