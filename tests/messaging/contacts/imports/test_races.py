"""Somebody acts in the very moment in which an import is started or taken back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from messaging.contacts.imports import importing, writing
from messaging.models import ContactImport, OptOut, OptOutSettings
from tests.cast import DISPATCH, Cast
from tests.messaging.contacts.imports.files import _files_here, go_on, read
from tests.messaging.work.test_races import _wait_for_sessions

__all__ = ["_files_here"]

pytestmark = pytest.mark.django_db(transaction=True)

State = ContactImport.State
ANN = "+12025550133"
OPTED_OUT = "Name,Phone,Opt-out\nAnn,2025550133,yes\n"


def run_behind(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Let the second wait for a lock of the first, which has not committed yet."""

    def run() -> None:
        try:
            second()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            running = pool.submit(run)
            _wait_for_sessions(1)
        running.result(20)


def test_a_stop_to_another_inbox_while_the_import_is_taken_back(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    one = read(cast.ana, cast.front_desk, OPTED_OUT)
    importing.start(one=one)
    writing.write_batch(one.pk, behind=0)
    importing.cancel(one=one)
    run_behind(
        lambda: writing.take_batch_back(one.pk, before=None),
        lambda: cast.text_in("STOP", sender=ANN, to=DISPATCH),
    )
    assert go_on(one).state == State.CANCELLED
    assert OptOut.objects.current().get(address=ANN).source == "keyword"


def test_a_stop_just_before_the_import_is_taken_back(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    one = read(cast.ana, cast.front_desk, OPTED_OUT)
    importing.start(one=one)
    writing.write_batch(one.pk, behind=0)
    importing.cancel(one=one)
    run_behind(
        lambda: cast.text_in("STOP", sender=ANN, to=DISPATCH),
        lambda: writing.take_batch_back(one.pk, before=None),
    )
    assert go_on(one).state == State.CANCELLED
    assert OptOut.objects.current().get(address=ANN).source == "keyword"


def test_two_imports_that_start_at_once_write_one_after_the_other(cast: Cast) -> None:
    first = read(cast.ana, cast.front_desk, OPTED_OUT)
    second = read(cast.ben, cast.front_desk, OPTED_OUT)

    def start_too() -> None:
        with pytest.raises(importing.NotYet):
            importing.start(one=second)

    run_behind(lambda: importing.start(one=first), start_too)
    second.refresh_from_db()
    assert second.state == State.READY
