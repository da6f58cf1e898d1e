"""Run experiments and print what was lost or doubled: `python -m tests.faults [short] [e1] …`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import Figure, format_table
from tests.faults import attacks, deploys, ingest, revocations, sends
from tests.faults.one_serve import one_serve
from tests.faults.sites import ClusterSite, Site, cluster_site

Experiment = Callable[[ClusterSite, Any], list[Figure]]
# In this order: what E2 sent gives E1 and E7 their receipts.
PARTS: dict[str, tuple[Experiment, Any, Any]] = {
    "e2": (sends.measure_killed_workers, sends.SHORT, sends.LONG),
    "order": (sends.measure_order, sends.SHORT, sends.ORDER),
    "e1": (ingest.measure_killed_processes, ingest.SHORT, ingest.LONG),
    "e7": (ingest.measure_killed_database, ingest.SHORT, ingest.LONG),
    "e6": (revocations.measure_revocations, revocations.SHORT, revocations.LONG),
    "e8": (deploys.measure_rolling_restarts, deploys.SHORT, deploys.LONG),
}

# On one `manage.py serve` without a proxy.
ALONE: dict[str, tuple[Callable[[Site, Any], list[Figure]], Any, Any]] = {
    "e10": (attacks.measure_attacks, attacks.SHORT, attacks.LONG),
}


def main(words: list[str]) -> int:
    names = [word for word in words if word != "short"]
    unknown = [name for name in names if name not in PARTS | ALONE]
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are: short, {', '.join(PARTS | ALONE)}.")
        return 2
    begun = time.monotonic()
    figures: list[Figure] = []
    if parts := [part for part in PARTS if part in names or not names]:
        with cluster_site(threads=50, members=revocations.LONG.members) as site:
            for name in parts:
                figures += _run_part(name, site, PARTS[name], "short" in words)
    for name in [part for part in ALONE if part in names or not names]:
        with one_serve(threads=10, members=attacks.LONG.members) as site:
            figures += _run_part(name, site, ALONE[name], "short" in words)
    print(f"{time.monotonic() - begun:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 1 if any(figure.is_met is False for figure in figures) else 0


def _run_part(name: str, site: Any, part: tuple[Any, Any, Any], is_short: bool) -> list[Figure]:
    print(f"{name} …", flush=True)
    experiment, short, long = part
    results: list[Figure] = experiment(site, short if is_short else long)
    print(f"{format_table(results)}\n", flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
