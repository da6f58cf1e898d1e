"""Kill workers in the middle of an import: all is in, or nothing is, and no line is done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from messaging.contacts.imports import importing, writing
from messaging.models import ContactImport, ContactImportLine, OptOut
from messaging.stream import jobs
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.contacts.imports.files import read, upload
from tests.messaging.stepped_worker import carrier
from tests.messaging.worker_processes import run_workers, wait_until
from threads.models import Consent, Contact

__all__ = ["carrier", "far_end"]

COUNT = 1_200  # lines: several batches
POINTS = ["lines read", "half written", "lines written", "half taken back", "lines taken back"]


def make_file(company: str, count: int) -> str:
    """Return contacts, every tenth of them opted out, and every fifth with a consent."""
    lines = [
        f"Customer {n},(303) 555-{n:04d},{company},{'yes' if n % 10 == 0 else ''},"
        f"{company if n % 5 == 0 else ''}\n"
        for n in range(count)
    ]
    return "Name,Phone,Company,Opt-out,Consent\n" + "".join(lines)


def snapshot() -> list[Any]:
    return [
        list(Contact.objects.order_by("pk").values()),
        list(OptOut.objects.order_by("pk").values()),
        list(Consent.objects.order_by("pk").values()),
    ]


def in_state(one: ContactImport, state: str) -> bool:
    return ContactImport.objects.filter(pk=one.pk, state=state).exists()


def cancel_half_way(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> ContactImport:
    """Import two batches of another file, without a worker, and cancel."""
    one = read_without_worker(cast, make_file("Second", COUNT + 300), monkeypatch)
    # In one transaction: no worker may find an import that has no job.
    with monkeypatch.context() as alone, transaction.atomic():
        alone.setattr(jobs, "defer_import", lambda _: None)
        importing.start(one=one)
        for _ in range(3):
            assert writing.write_batch(one.pk, behind=0)
        assert Contact.objects.filter(company="Second").count() == 3 * writing.BATCH
        alone.undo()
        return importing.cancel(one=one)


def read_without_worker(cast: Cast, file: str, monkeypatch: pytest.MonkeyPatch) -> ContactImport:
    with monkeypatch.context() as alone:
        alone.setattr(jobs, "defer_import", lambda _: None)
        return read(cast.ana, cast.front_desk, file)


def test_workers_that_are_killed_lose_and_double_nothing(
    carrier: FarEnd, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = upload(cast.ana, cast.front_desk, make_file("First", COUNT))
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    with run_workers(carrier, tmp_path / "workers.log", *POINTS) as log:
        wait_until(lambda: in_state(one, "ready"), log)
        one.refresh_from_db()
        assert (one.line_count, one.new_count, one.opt_out_count) == (COUNT, COUNT, COUNT // 10)
        importing.start(one=one)
        wait_until(lambda: in_state(one, "finished"), log)
        assert Contact.objects.filter(company="First", inbox=cast.front_desk).count() == COUNT
        assert OptOut.objects.filter(source="import").count() == COUNT // 10
        assert Consent.objects.filter(words="First").count() == COUNT // 5
        one.refresh_from_db()
        assert (one.new_count, one.done_count) == (COUNT, COUNT)
        before = snapshot()
        second = cancel_half_way(cast, monkeypatch)
        wait_until(lambda: in_state(second, "cancelled"), log)
        assert snapshot() == before
        assert not ContactImportLine.objects.filter(contact_import=second).exists()
        killed = [line.removesuffix(" killed") for line in log.read_text().splitlines()]
        assert [line for line in killed if line in POINTS] == POINTS
