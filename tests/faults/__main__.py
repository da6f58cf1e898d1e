"""`python -m tests.faults [short] [e1] [e2] …`, any of PARTS: prints what was lost and doubled."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import Figure, table
from tests.faults import deploys, hostile, ingest, revocations, sends
from tests.faults.ground import Ground, Site, ground
from tests.faults.one_serve import one_serve

Deed = Callable[[Ground, Any], list[Figure]]
PARTS: dict[str, tuple[Deed, Any, Any]] = {
    "e2": (sends.e2, sends.SHORT, sends.LONG),
    "order": (sends.order, sends.SHORT, sends.ORDER),
    "e1": (ingest.e1, ingest.SHORT, ingest.LONG),
    "e7": (ingest.e7, ingest.SHORT, ingest.LONG),
    "e6": (revocations.e6, revocations.SHORT, revocations.LONG),
    "e8": (deploys.e8, deploys.SHORT, deploys.LONG),
}
"""In this order: what E2 sent gives E1 and E7 their receipts."""

ALONE: dict[str, tuple[Callable[[Site, Any], list[Figure]], Any, Any]] = {
    "e10": (hostile.e10, hostile.SHORT, hostile.LONG),
}
"""On one `manage.py serve`, with no proxy before it."""


def main(words: list[str]) -> int:
    names = [word for word in words if word != "short"]
    unknown = [name for name in names if name not in PARTS | ALONE]
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are: short, {', '.join(PARTS | ALONE)}.")
        return 2
    begun = time.monotonic()
    figures: list[Figure] = []
    if parts := [part for part in PARTS if part in names or not names]:
        with ground(threads=50, members=revocations.LONG.members) as there:
            for name in parts:
                figures += _run(name, there, PARTS[name], "short" in words)
    for name in [part for part in ALONE if part in names or not names]:
        with one_serve(threads=10, members=hostile.LONG.members) as there:
            figures += _run(name, there, ALONE[name], "short" in words)
    print(f"{time.monotonic() - begun:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 1 if any(figure.is_met is False for figure in figures) else 0


def _run(name: str, there: Any, part: tuple[Any, Any, Any], is_short: bool) -> list[Figure]:
    print(f"{name} …", flush=True)
    deed, short, long = part
    found: list[Figure] = deed(there, short if is_short else long)
    print(f"{table(found)}\n", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
