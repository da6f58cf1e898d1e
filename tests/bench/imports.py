"""Measure an import of contacts: how many lines it reads and writes in a second, and its memory.

Each import runs in a process of its own, whose largest resident memory is compared between a file
of a tenth and a whole one. How long a batch holds the inbox's counter is what a webhook of that
inbox may have to wait.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.bench.setup import Setup, new_agent
from tests.stack import ROOT

FEW, MANY = 10_000, 100_000
AREAS = (303, 304, 305, 307, 308, 309, 310, 312, 313, 314)
AIM_LINES = 2_000  # in a second
AIM_GROWTH = 1.15
AIM_WAIT = 0.1  # seconds


def measure(setup: Setup) -> list[Figure]:
    from inboxes.models import Inbox

    figures = []
    told = {}
    for count in (FEW, MANY):
        inbox = Inbox.objects.create(name=f"Import of {count:,}")
        agent = new_agent(f"importer{count}", inbox.pk)
        told[count] = _run(agent.pk, inbox.pk, count)
    many, few = told[MANY], told[FEW]
    for step in ("read", "written", "both"):
        speed = MANY / many[step]
        figures.append(
            Figure(
                f"lines {step} in a second, of {MANY:,}" if step != "both" else "whole import",
                f"{speed:,.0f}",
                "",
                "",
                f"≥ {AIM_LINES:,}" if step == "both" else "",
                speed >= AIM_LINES,
                "reading with the preview" if step == "read" else "",
            )
        )
    figures.append(
        Figure(
            f"memory of an import of {MANY:,} lines : {FEW:,}",
            f"{many['memory'] / 1e6:.0f} MB",
            f"{few['memory'] / 1e6:.0f} MB",
            f"{many['memory'] / few['memory']:.2f}",
            f"≤ {AIM_GROWTH}",
            many["memory"] <= AIM_GROWTH * few["memory"],
            "largest resident memory of a process that does nothing else",
        )
    )
    figures.append(
        Figure(
            "longest time that a batch holds the inbox",
            f"{many['longest'] * 1e3:.0f} ms",
            f"{many['usual'] * 1e3:.0f} ms",
            "",
            f"≤ {AIM_WAIT * 1e3:.0f} ms",
            many["usual"] <= AIM_WAIT,
            "floor: the median of all batches, which the aim is for",
        )
    )
    return figures


def _run(agent: int, inbox: int, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.imports", str(agent), str(inbox), str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _write_file(count: int, path: Path) -> None:
    with path.open("w") as file:
        file.write("Name,Phone,Company,E-mail,Reference,Note,Do not text,Consent\n")
        for n in range(count):
            file.write(
                f"Customer {n},({AREAS[n // 10_000]}) 555-{n % 10_000:04d},Company {n % 977},"
                f"customer{n}@example.com,K-{n},A note of some words about number {n},"
                f"{'yes' if n % 50 == 0 else 'no'},{'Web form' if n % 3 == 0 else ''}\n"
            )


def _import(agent_id: int, inbox_id: int, count: int) -> dict[str, float]:
    """Import a file in this process; return seconds, and bytes of memory."""
    import resource
    import tempfile

    from django.core.files.uploadedfile import SimpleUploadedFile

    from inboxes.models import Agent, Inbox
    from messaging.contacts.imports import importing, writing
    from messaging.stream import jobs

    # The server's worker leaves it to this process.
    setattr(jobs, "defer_import", lambda _: None)  # noqa: B010 - it is typed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        _write_file(count, path)
        upload = SimpleUploadedFile("customers.csv", b"")
        with path.open("rb") as file:
            upload.file, upload.size = file, path.stat().st_size
            agent, inbox = Agent.objects.get(pk=agent_id), Inbox.objects.get(pk=inbox_id)
            one = importing.begin(agent=agent, inbox=inbox, upload=upload)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    read = _seconds(lambda: importing.go_on(one.pk))
    importing.start(one=one)
    held: list[float] = []
    _time_batches(writing, held)
    written = _seconds(lambda: importing.go_on(one.pk))
    one.refresh_from_db()
    assert (one.state, one.new_count) == ("finished", count), (one.state, one.reason)
    return {
        "read": read,
        "written": written,
        "both": read + written,
        "longest": max(held),
        "usual": sorted(held)[len(held) // 2],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _time_batches(module: Any, held: list[float]) -> None:
    """Note how long each batch holds the counter: from taking it to the commit."""
    whole, take = module.write_batch, module.counters.next_inbox_seq
    taken: list[float] = []

    def noted(inbox_id: int) -> int:
        seq: int = take(inbox_id)
        taken.append(time.perf_counter())
        return seq

    def timed(import_id: int, *, behind: int) -> int | None:
        last: int | None = whole(import_id, behind=behind)
        if last is not None:
            held.append(time.perf_counter() - taken[-1])
        return last

    module.counters.next_inbox_seq = noted
    module.write_batch = timed


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_import(*(int(argument) for argument in sys.argv[1:]))))
