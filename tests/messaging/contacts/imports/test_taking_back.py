"""Take an import back: what others did meanwhile stays, and nobody waits for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from messaging.carriers import results
from messaging.contacts.imports import importing, writing
from messaging.models import Attempt, ContactImport, Message, OptOut, OptOutSettings
from messaging.outbound import delivery
from messaging.outbound.opt_outs import apply_keyword, record_opt_out
from tests.cast import DISPATCH, FRONT_DESK, Cast, create_cast
from tests.messaging.contacts.imports.files import _files_here, go_on, read

__all__ = ["_files_here"]

State = ContactImport.State
ANN = "+12025550133"
OPTED_OUT = "Name,Phone,Opt-out\nAnn,2025550133,yes\n"


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


def write(cast: Cast, file: str = OPTED_OUT) -> ContactImport:
    """Write the lines of a file, and leave the import unfinished."""
    one = read(cast.ana, cast.front_desk, file)
    importing.start(one=one)
    last: int | None = 0
    while (last := writing.write_batch(one.pk, behind=last or 0)) is not None:
        pass
    return one


def cancel(one: ContactImport) -> None:
    importing.cancel(one=one)
    assert go_on(one).state == State.CANCELLED


def test_a_stop_to_another_inbox_outlives_the_import(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    one = write(cast)
    stop = cast.text_in("STOP", sender=ANN, to=DISPATCH)
    cancel(one)
    opt_out = OptOut.objects.current().get()
    assert (opt_out.address, opt_out.source, opt_out.message) == (ANN, "keyword", stop)
    assert (opt_out.is_for_all, opt_out.recorded_by) == (True, None)
    assert opt_out.recorded_in == cast.dispatch


def test_a_stop_that_was_found_late_takes_the_place_of_the_files_word(cast: Cast) -> None:
    message = cast.text_in("Stop", sender=ANN)
    OptOut.objects.all().delete()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Message.objects.update(after_id=message.pk, carrier_sent_at=an_hour_ago)
    message.refresh_from_db()
    one = write(cast)
    with transaction.atomic():
        apply_keyword(message, "opt_out", our_address=FRONT_DESK)
    cancel(one)
    assert OptOut.objects.current().get().message == message


def test_what_a_member_records_meanwhile_outlives_the_import(cast: Cast) -> None:
    one = write(cast)
    record_opt_out(
        our_address=FRONT_DESK,
        address=ANN,
        source=OptOut.Source.MEMBER,
        by=cast.ben,
        reason="She called.",
    )
    cancel(one)
    opt_out = OptOut.objects.current().get()
    assert (opt_out.source, opt_out.recorded_by, opt_out.reason) == (
        "member",
        cast.ben,
        "She called.",
    )


def test_a_carriers_refusal_outlives_the_import(cast: Cast) -> None:
    message = cast.answer(cast.thread(sender=ANN), "Hello")
    attempt = Attempt.objects.create(message=message, ordinal=1, account=cast.account)
    one = write(cast)
    delivery.write_outcome(attempt, results.OptedOut("21610", ""))
    cancel(one)
    assert OptOut.objects.current().get().source == "carrier"


def test_what_the_file_says_later_does_not_replace_a_stop(cast: Cast) -> None:
    stop = cast.text_in("STOP", sender=ANN)
    cancel(write(cast))
    assert OptOut.objects.current().get().message == stop
