"""Tell whoever runs the server where a new installation is set up."""

from __future__ import annotations

import logging

from messaging.setup import key, link_file

log = logging.getLogger(__name__)


def setup_lines() -> list[str]:
    """Return what to print at a start, and keep the file in the data folder up to date.

    The lines hold the key, so they go to the console and never to a logger. There are none once
    the installation has been set up.
    """
    try:
        address = key.setup_address()
    except key.AlreadySetUp:
        link_file.remove_link()
        return []
    lines = [
        "Nobody has set it up yet. Open this address to begin, and show it to nobody:",
        f"    {address}",
    ]
    try:
        link_file.write_link(address)
    except OSError as error:
        log.warning("the address for setting up can't be written: %s", error.strerror)
        return lines
    return [*lines, f"It is also in {link_file.link_path()}."]
