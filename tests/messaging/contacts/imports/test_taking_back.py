"""Take an import back: what others did meanwhile stays, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from inboxes.models import Inbox
from messaging.carriers import results
from messaging.contacts.imports import importing, writing
from messaging.conversations.views.contact_imports import ONE_AT_A_TIME
from messaging.models import Attempt, ContactImport, Message, OptOut, OptOutSettings
from messaging.outbound import delivery, imported_opt_outs
from messaging.outbound.opt_outs import apply_keyword, record_opt_out
from tests.cast import DISPATCH, FRONT_DESK, Cast, client_of, create_cast
from tests.messaging.contacts.imports.files import _files_here, go_on, page_words, read
from threads.models import Consent, Contact

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


def test_one_import_at_a_time_writes_into_an_inbox(cast: Cast) -> None:
    first = read(cast.ana, cast.front_desk, OPTED_OUT)
    second = read(cast.ben, cast.front_desk, "Name,Phone\nBo,2025550134\n")
    elsewhere = read(cast.ben, cast.dispatch, OPTED_OUT)
    importing.start(one=first)
    page = client_of(cast.ben).post(f"/contacts/import/{second.pk}/start/", follow=True)
    assert ONE_AT_A_TIME in page_words(page)
    second.refresh_from_db()
    assert second.state == State.READY
    importing.start(one=elsewhere)
    assert go_on(first).state == State.FINISHED
    importing.start(one=second)
    assert go_on(second).state == State.FINISHED


def test_what_another_import_has_too_stays(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    one = write(cast, "Name,Company,Phone,Opt-out\nAnn,Old Ltd,2025550133,yes\n")
    there = read(cast.ana, cast.dispatch, OPTED_OUT)
    here = read(cast.ana, cast.front_desk, OPTED_OUT)
    for other in (there, here):  # as if both had started before this could be known
        ContactImport.objects.filter(pk=other.pk).update(state=State.IMPORTING)
        assert go_on(other).state == State.FINISHED
    cancel(one)
    ann = Contact.objects.get(inbox=cast.front_desk)
    assert (ann.name, ann.company) == ("Ann", "")
    assert OptOut.objects.current().filter(address=ANN).exists()


def test_a_preview_is_cancelled_without_work_in_any_inbox(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    cast.text_in("Hello", sender=ANN, to=DISPATCH)
    one = read(cast.ana, cast.front_desk, OPTED_OUT)
    seq = Inbox.objects.get(pk=cast.dispatch.pk).seq
    assert importing.cancel(one=one).state == State.CANCELLED
    assert Inbox.objects.get(pk=cast.dispatch.pk).seq == seq
    assert not one.lines.exists()


def test_other_inboxes_follow_only_what_was_taken_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    OptOutSettings(is_for_all=True).save()
    monkeypatch.setattr(writing, "BATCH", 2)
    numbers = [f"+1202555013{n}" for n in range(6)]
    threads = [cast.thread(sender=number, to=DISPATCH) for number in numbers]
    lines = "".join(f"{number},yes\n" for number in numbers)
    one = read(cast.ana, cast.front_desk, f"Phone,Opt-out\n{lines}")
    importing.start(one=one)
    assert writing.write_batch(one.pk, behind=0)
    assert writing.write_batch(one.pk, behind=0)  # four of six, and then no more
    followed: list[list[str]] = []
    follow = imported_opt_outs.follow_in_other_inboxes

    def watch(inbox_id: int, addresses: Collection[str]) -> None:
        followed.append(sorted(addresses))
        follow(inbox_id, addresses)

    monkeypatch.setattr(imported_opt_outs, "follow_in_other_inboxes", watch)
    importing.cancel(one=one)
    while not importing.go_on(one.pk, seconds=0):  # one step at a time, as if always killed
        pass
    assert followed == [numbers[:2], numbers[2:4]]
    for thread in threads:
        thread.refresh_from_db()
        assert thread.needs_reply


def test_consents_are_looked_up_once_for_a_batch(
    cast: Cast, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    lines = "".join(f"Customer {n},(303) 555-{n:04d}\n" for n in range(100))
    one = write(cast, f"Name,Phone\n{lines}")
    kept = Contact.objects.get(name="Customer 7")
    Consent.objects.create(contact=kept, how="phone", given_at=timezone.now())
    importing.cancel(one=one)
    with django_assert_max_num_queries(25):
        assert writing.take_batch_back(one.pk, before=None)
    assert list(Contact.objects.values_list("pk", "name")) == [(kept.pk, "")]
