"""Let an import meet an error that nobody expected: it stops, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.contacts.describing import ContactValues, describe_contact
from messaging.contacts.imports import failures, importing, writing
from messaging.models import ContactImport, OptOut
from tests.cast import Cast, client_of, create_cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.contacts.imports.files import (
    CUSTOMERS,
    _files_here,
    bring_in,
    go_on,
    page_words,
    read,
)
from tests.messaging.stepped_worker import carrier, run_jobs
from threads.models import Contact

__all__ = ["_files_here", "carrier", "far_end"]

State = ContactImport.State
ABENA = "+12025550151"
OTHER = "Name,Phone\nBo,2025550134\n"


class Fault:
    """Break a function down from its second call on, so many times."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: str, times: int = 1000, error: Any = KeyError
    ) -> None:
        self.error, self.calls, self.times = error, 0, times
        self.work: Callable[..., object] = getattr(writing, name)
        monkeypatch.setattr(writing, name, self)

    def __call__(self, *args: object) -> object:
        self.calls += 1
        if 1 < self.calls <= self.times + 1:
            raise self.error
        return self.work(*args)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


def read_customers(cast: Cast) -> ContactImport:
    """Read three contacts, one of whom is known and one opted out."""
    known = cast.thread(sender=ABENA).contact
    describe_contact(contact=known, values=ContactValues(name="Abena"), by=cast.ana)
    return read(cast.ana, cast.front_desk, CUSTOMERS)


def start(cast: Cast) -> ContactImport:
    return importing.start(one=read_customers(cast))


def fail(one: ContactImport, times: int) -> None:
    for _ in range(times):
        with pytest.raises(KeyError):
            importing.go_on(one.pk)


def assert_nothing_changed() -> None:
    assert list(Contact.objects.values_list("address", "name", "company")) == [
        (ABENA, "Abena", "")
    ]
    assert not OptOut.objects.exists()


def test_an_import_that_fails_again_and_again_stops_and_says_what_to_do(
    carrier: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = create_cast()
    one = read_customers(cast)
    run_jobs()
    client = client_of(cast.ana)
    Fault(monkeypatch, "_write_consents")

    page = client.post(f"/contacts/import/{one.pk}/start/", follow=True)
    assert "Importing the contacts…" in page_words(page)
    assert Contact.objects.count() == 2  # those of the first batch
    run_jobs()
    page = client.get(f"/contacts/import/{one.pk}/")
    assert f"The import stopped {failures.STOPPED}" in page_words(page)
    assert_nothing_changed()
    assert "customers.csv" in page_words(client.get("/contacts/import/"))
    failed = ProcrastinateJob.objects.filter(task_name="go_on_with_import", status="failed")
    assert failed.count() == failures.MOST - 1  # the request was the first

    monkeypatch.undo()
    assert bring_in(cast.ben, cast.front_desk, OTHER).state == State.FINISHED


def test_what_is_taken_back_after_a_stop_is_not_told_as_cancelled_by_somebody(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = start(cast)
    Fault(monkeypatch, "_write_consents")
    fail(one, failures.MOST)
    page = client_of(cast.ana).get(f"/contacts/import/{one.pk}/")
    assert "The import stopped. What was saved is taken back…" in page_words(page)


def test_an_error_that_passes_stops_no_import(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    one = start(cast)
    Fault(monkeypatch, "_write_consents", times=failures.MOST - 1)
    fail(one, failures.MOST - 1)
    assert go_on(one).state == State.FINISHED
    assert (one.failures, one.reason) == (0, "")
    assert Contact.objects.count() == 3


def test_an_import_that_fails_can_be_cancelled_meanwhile(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = start(cast)
    Fault(monkeypatch, "_write_consents")
    fail(one, failures.MOST - 1)
    importing.cancel(one=one)
    assert go_on(one).state == State.CANCELLED
    assert_nothing_changed()


def test_a_database_that_is_away_stops_no_import(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = start(cast)
    Fault(monkeypatch, "_write_consents", times=failures.MOST + 1, error=OperationalError)
    for _ in range(failures.MOST + 1):
        with pytest.raises(OperationalError):
            importing.go_on(one.pk)
    assert go_on(one).state == State.FINISHED


def test_what_cannot_be_taken_back_is_told_and_keeps_nobody_from_importing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = start(cast)
    while writing.write_batch(one.pk, behind=0):
        pass
    Fault(monkeypatch, "_take_contacts_back")
    importing.cancel(one=one)
    second = read(cast.ben, cast.front_desk, OTHER)
    fail(one, failures.MOST - 1)
    with pytest.raises(importing.NotYet):
        importing.start(one=second)
    fail(one, 1)
    page = client_of(cast.ana).get(f"/contacts/import/{one.pk}/")
    assert f"The import stopped {failures.NOT_TAKEN_BACK}" in page_words(page)
    assert Contact.objects.get().company == "Mensah Interiors"  # of the line that is left
    assert one.lines.filter(before__isnull=False).count() == 1
    importing.start(one=second)
    assert go_on(second).state == State.FINISHED
