"""`python -m tests.faults [short] [e1] [e2] …`, any of PARTS: prints what was lost and doubled."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import Figure, table
from tests.faults import deploys, ingest, revocations, sends
from tests.faults.ground import Ground, ground

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


def main(words: list[str]) -> int:
    names = [word for word in words if word != "short"]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are: short, {', '.join(PARTS)}.")
        return 2
    begun = time.monotonic()
    figures: list[Figure] = []
    with ground(threads=50, members=revocations.LONG.members) as there:
        for name in [part for part in PARTS if part in names or not names]:
            print(f"{name} …", flush=True)
            deed, short, long = PARTS[name]
            found = deed(there, short if "short" in words else long)
            print(f"{table(found)}\n", flush=True)
            figures += found
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if any(figure.is_met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
