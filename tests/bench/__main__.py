"""Run parts of the bench and print a table of figures: `python -m tests.bench [webhooks] [live]
…`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from django.db import connection

from tests.bench import (
    cluster,
    contacts,
    first_load,
    imports,
    lists,
    live,
    memory,
    mixed,
    mixed_cluster,
    search,
    sends,
    together,
    views,
    webhooks,
)
from tests.bench.figures import Figure, format_table
from tests.bench.floor import TABLE
from tests.bench.server import running_server
from tests.bench.setup import Setup, make_setup

PARTS: dict[str, Callable[[Setup], list[Figure]]] = {
    "webhooks": webhooks.measure,
    "live": live.measure,
    "together": together.measure,
    "lists": lists.measure,
    "views": views.measure,
    "search": search.measure,
    "contacts": contacts.measure,
    "imports": imports.measure,
    "memory": memory.measure,
    "first_load": first_load.measure,
    "sends": sends.measure,
    "cluster": cluster.measure,
    "mixed": mixed.measure,
    "mixed_cluster": mixed_cluster.measure,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}.")
        return 2
    started_at = time.monotonic()
    with running_server() as server:
        setup = make_setup(server)
        with server.connect() as database:
            database.execute(TABLE)
        for name in names or PARTS:
            print(f"{name} …", flush=True)
            figures = PARTS[name](setup)
            print(f"{format_table(figures)}\n", flush=True)
            # A part may restart the database.
            connection.close()
    load = os.getloadavg()[0]
    print(
        f"{time.monotonic() - started_at:.0f} s on {os.cpu_count()} processors, load {load:.1f}."
        " Ratios are medians of rounds taken in turns; absolute figures are this machine's alone."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
