"""`python -m tests.bench [webhooks] [live] …`, any of PARTS: prints a table of figures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from django.db import connection

from tests.bench import (
    cluster,
    first_load,
    lists,
    live,
    memory,
    mixed,
    mixed_cluster,
    search,
    sends,
    together,
    webhooks,
)
from tests.bench.figures import Figure, table
from tests.bench.floor import TABLE
from tests.bench.house import bench_house
from tests.bench.stage import Stage, enter

PARTS: dict[str, Callable[[Stage], list[Figure]]] = {
    "webhooks": webhooks.measure,
    "live": live.measure,
    "together": together.measure,
    "lists": lists.measure,
    "search": search.measure,
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
    begun = time.monotonic()
    with bench_house() as house:
        stage = enter(house)
        with house.connect() as raw:
            raw.execute(TABLE)
        for name in names or PARTS:
            print(f"{name} …", flush=True)
            found = PARTS[name](stage)
            print(f"{table(found)}\n", flush=True)
            # One of them starts the database anew.
            connection.close()
    load = os.getloadavg()[0]
    print(
        f"{time.monotonic() - begun:.0f} s on {os.cpu_count()} processors, load {load:.1f}."
        " Ratios are medians of rounds taken in turns; absolute figures are this machine's alone."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
