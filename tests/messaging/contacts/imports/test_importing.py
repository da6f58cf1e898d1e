"""Import files: see what is written, what is left alone, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from inboxes.actions import add_member, remove_member
from inboxes.models import Inbox
from messaging.contacts.describing import ContactValues, describe_contact
from messaging.contacts.imports import importing, writing
from messaging.contacts.imports.merging import KnownContact, describe_changes
from messaging.models import ContactImport, ContactImportLine, OptOut, OptOutSettings
from messaging.outbound.opt_outs import end_opt_out
from messaging.stream import jobs
from messaging.stream.refusals import find_refusal
from tests.cast import FRONT_DESK, Cast, create_cast
from tests.messaging.contacts.imports.files import (
    CUSTOMERS,
    _files_here,
    bring_in,
    go_on,
    read,
    upload,
)
from threads.models import Consent, Contact

__all__ = ["_files_here"]

MARTA, CARL, ABENA = "+12025550126", "+13125550188", "+12025550151"
State = ContactImport.State


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


@pytest.fixture
def marta(cast: Cast) -> Contact:
    thread = cast.thread(sender=MARTA)
    values = ContactValues(name="Marta Lindqvist", note="Prefers a call")
    return describe_contact(contact=thread.contact, values=values, by=cast.ana)


def told(one: ContactImport) -> dict[int, str]:
    """Return what the preview says of each line."""
    return {
        line.line: f"{line.column}: {line.error}"
        if line.error
        else describe_changes(line.changes, is_new=line.outcome == "new")
        for line in one.lines.order_by("line")
    }


def contacts(cast: Cast) -> set[tuple[str, str]]:
    return set(Contact.objects.filter(inbox=cast.front_desk).values_list("address", "name"))


def test_the_preview_says_what_will_happen_and_changes_nothing(cast: Cast, marta: Contact) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    assert told(one) == {
        2: "New",
        3: "Merges: adds e-mail",
        4: "New, opted out",
        5: "Phone: has 8 digits; a number here has 10.",
        6: "Do not text: is neither yes nor no. Nobody should be texted on a guess.",
    }
    counts = one.line_count, one.new_count, one.merged_count, one.opt_out_count, one.error_count
    assert counts == (5, 2, 1, 1, 2)
    assert one.contact_count == 3
    assert contacts(cast) == {(MARTA, "Marta Lindqvist")}
    assert not OptOut.objects.exists()


def test_an_import_adds_merges_and_opts_out(cast: Cast, marta: Contact) -> None:
    one = bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    assert one.state == State.FINISHED
    assert contacts(cast) == {
        (MARTA, "Marta Lindqvist"),
        (ABENA, "Abena Mensah"),
        (CARL, "Carl Voss"),
    }
    marta.refresh_from_db()
    assert (marta.email, marta.note) == ("marta@example.com", "Prefers a call")
    abena = Contact.objects.get(address=ABENA)
    assert (abena.company, abena.kind, abena.is_unused) == ("Mensah Interiors", "phone", True)
    assert abena.words
    opt_out = OptOut.objects.get()
    assert (opt_out.our_address, opt_out.address, opt_out.source) == (FRONT_DESK, CARL, "import")
    assert (opt_out.recorded_by, opt_out.recorded_in) == (cast.ana, cast.front_desk)


def test_the_same_file_again_changes_nothing(cast: Cast, marta: Contact) -> None:
    file = CUSTOMERS + "Ann,2025550133,,,\n"
    bring_in(cast.ana, cast.front_desk, file)
    before = list(Contact.objects.order_by("pk").values())
    again = read(cast.ben, cast.front_desk, file)
    assert (again.same_count, again.contact_count, again.opt_out_count) == (4, 0, 0)
    with pytest.raises(importing.NotNow):
        importing.start(one=again)
    assert list(Contact.objects.order_by("pk").values()) == before
    assert OptOut.objects.count() == 1


def test_lines_with_one_number_are_one_contact_and_the_later_one_wins(cast: Cast) -> None:
    file = (
        "Name,Phone,Company,Do not text\n"
        "Ann,2025550133,Old Ltd,yes\n"
        "Ben,2025550134,,\n"
        "Ann Lee,+1 202 555 0133,,no\n"
        "Ann Lee,2025550133,New Ltd,\n"
        "Ann Lee,2025550133,New Ltd,\n"
    )
    one = bring_in(cast.ana, cast.front_desk, file)
    assert told(one) == {
        2: "New, opted out",
        3: "New",
        4: "Merges with line 2",
        5: "Merges with line 2",
        6: "Merges with line 2",
    }
    assert (one.new_count, one.merged_count, one.same_count, one.contact_count) == (2, 0, 0, 2)
    assert one.repeated_count == 3
    ann = Contact.objects.get(address="+12025550133")
    assert (ann.name, ann.company) == ("Ann Lee", "New Ltd")
    assert OptOut.objects.current().filter(address=ann.address).exists()


@pytest.mark.parametrize("size", [1, 500])
def test_a_file_with_a_number_twice_changes_nothing_the_second_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(writing, "BATCH", size)
    for module in ("reading", "repeats"):
        monkeypatch.setattr(f"messaging.contacts.imports.{module}.BATCH", size)
    file = (
        "Name,Phone,Email,Company\n"
        "Ann,2025550133,ann@example.com,\n"
        "Dupe One,2025550134,one@example.com,Dupes\n"
        "Dupe Two,2025550134,two@example.com,\n"
    )
    bring_in(cast.ana, cast.front_desk, file)
    dupe = Contact.objects.get(address="+12025550134")
    assert (dupe.name, dupe.email, dupe.company) == ("Dupe Two", "two@example.com", "Dupes")
    again = read(cast.ana, cast.front_desk, file)
    assert set(again.lines.values_list("outcome", flat=True)) == {"same"}
    assert (again.contact_count, again.same_count, again.repeated_count) == (0, 2, 1)


def test_what_the_lines_of_a_file_are_counted_as_adds_up(cast: Cast, marta: Contact) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS + "M. Lindqvist,2025550126,,,\n")
    assert (one.new_count, one.merged_count, one.contact_count) == (2, 1, 3)
    assert (one.same_count, one.repeated_count, one.error_count) == (0, 1, 2)
    assert (one.line_count, told(one)[3]) == (6, "Merges: adds e-mail")
    importing.start(one=one)
    done = go_on(one)
    assert (done.new_count, done.merged_count, done.repeated_count) == (2, 1, 1)
    marta.refresh_from_db()
    assert (marta.name, marta.email) == ("M. Lindqvist", "marta@example.com")


def test_many_lines_with_one_number_are_merged_across_batches(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)
    monkeypatch.setattr("messaging.contacts.imports.reading.BATCH", 2)
    lines = "".join(f"Name {n},202555013{n % 3}\n" for n in range(11))
    one = read(cast.ana, cast.front_desk, f"Name,Phone\n{lines}")
    assert (one.new_count, one.merged_count, one.contact_count) == (3, 0, 3)
    importing.start(one=one)
    assert go_on(one).state == State.FINISHED
    assert contacts(cast) == {
        ("+12025550130", "Name 9"),
        ("+12025550131", "Name 10"),
        ("+12025550132", "Name 8"),
    }


def test_no_import_ends_an_opt_out(cast: Cast) -> None:
    bring_in(cast.ana, cast.front_desk, "Phone,Opt-out\n2025550133,yes\n")
    bring_in(cast.ana, cast.front_desk, "Phone,Opt-out,Name\n2025550133,no,Ann\n")
    thread = cast.thread(sender="+12025550133")
    assert "opted out" in find_refusal(thread)


def test_an_opt_out_that_ended_is_told_again_before_it_counts_again(cast: Cast) -> None:
    bring_in(cast.ana, cast.front_desk, "Phone,Opt-out\n2025550133,yes\n")
    end_opt_out(opt_out=OptOut.objects.get(), by=cast.ana)
    again = read(cast.ana, cast.front_desk, "Phone,Opt-out\n2025550133,yes\n")
    assert told(again) == {2: "Merges: opts out"}


def test_an_opt_out_lets_the_conversation_need_no_reply(cast: Cast) -> None:
    thread = cast.thread(sender=CARL)
    assert thread.needs_reply
    bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    thread.refresh_from_db()
    assert not thread.needs_reply


def test_one_opt_out_for_all_numbers_counts_in_every_inbox(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    there = cast.thread(sender=CARL, to="+12025550111")
    one = bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    assert one.opt_out_count == 1
    assert "all our numbers" in find_refusal(there)


def test_consent_is_recorded_once_and_an_old_file_does_not_bring_it_back(cast: Cast) -> None:
    file = (
        "Phone,Consent,Consent date\n"
        "2025550133,Web form,2024-03-01\n"
        "2025550134,yes,\n"
        "2025550135,no,2024-03-01\n"
    )
    bring_in(cast.ana, cast.front_desk, file)
    rows = Consent.objects.order_by("pk").values_list("contact__address", "how", "words")
    assert list(rows) == [
        ("+12025550133", "import", "Web form"),
        ("+12025550134", "import", ""),
    ]
    assert Consent.objects.earliest("pk").given_at.date().isoformat() == "2024-03-01"
    Consent.objects.update(ended_at=timezone.now())
    assert read(cast.ana, cast.front_desk, file).contact_count == 0


def test_our_own_numbers_and_short_codes_are_no_contacts(cast: Cast) -> None:
    one = read(cast.ana, cast.front_desk, f"Phone\n{FRONT_DESK}\n72000\n")
    assert told(one) == {
        2: "Phone: is one of our own numbers.",
        3: "Phone: has 5 digits; a number here has 10.",
    }


def test_a_short_code_is_left_out_even_if_it_texted_before(cast: Cast) -> None:
    cast.thread(sender="72000")
    one = read(cast.ana, cast.front_desk, "Phone,Name\n72000,The bank\n")
    assert told(one) == {2: "Phone: has 5 digits; a number here has 10."}
    assert Contact.objects.get(address="72000").name == ""


def test_cancelling_takes_back_what_was_written(
    cast: Cast, marta: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)
    file = CUSTOMERS + "Marta L.,2025550126,,new@example.com,yes\nAbena M.,2025550151,,,\n"
    file = file.replace("Do not text", "Opt-out") + "Zoe,2025550133,,,\n"
    one = read(cast.ana, cast.front_desk, file)
    importing.start(one=one)
    while writing.write_batch(one.pk, behind=0):
        pass
    assert Contact.objects.get(address=ABENA).name == "Abena M."
    assert OptOut.objects.count() == 2
    importing.cancel(one=one)
    assert go_on(one).state == State.CANCELLED
    assert contacts(cast) == {(MARTA, "Marta Lindqvist")}
    marta.refresh_from_db()
    assert (marta.name, marta.email) == ("Marta Lindqvist", "")
    assert not OptOut.objects.exists()
    assert not ContactImportLine.objects.exists()


def test_cancelling_keeps_what_others_did_meanwhile(cast: Cast) -> None:
    one = read(
        cast.ana, cast.front_desk, "Name,Phone,Opt-out\nAnn,2025550133,yes\nBo,2025550134,\n"
    )
    importing.start(one=one)
    writing.write_batch(one.pk, behind=0)
    cast.text_in("STOP", sender="+12025550133")
    values = ContactValues(name="Bo", company="Bo & Sons")
    bo = Contact.objects.get(address="+12025550134")
    describe_contact(contact=bo, values=values, by=cast.ben)
    importing.cancel(one=one)
    go_on(one)
    assert OptOut.objects.current().filter(address="+12025550133").exists()
    bo.refresh_from_db()
    assert (bo.name, bo.company) == ("", "Bo & Sons")


@pytest.mark.parametrize("state", ["uploaded", "ready"])
def test_cancelling_before_the_import_leaves_no_trace(cast: Cast, state: str) -> None:
    make = upload if state == "uploaded" else read
    one = make(cast.ana, cast.front_desk, CUSTOMERS)
    assert one.state == state
    name = one.stored_name
    importing.cancel(one=one)
    assert go_on(one).state == State.CANCELLED
    assert not ContactImportLine.objects.exists()
    assert one.stored_name == ""
    assert not Contact.objects.exists()
    assert name


def test_what_is_imported_cannot_be_cancelled(cast: Cast) -> None:
    one = bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    with pytest.raises(importing.NotNow):
        importing.cancel(one=one)


def test_an_agent_who_leaves_the_inbox_imports_nothing(cast: Cast) -> None:
    one = read(cast.ben, cast.front_desk, CUSTOMERS)
    importing.start(one=one)
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert go_on(one).state == State.CANCELLED
    assert not Contact.objects.exists()


def test_two_workers_at_once_do_no_line_twice(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    importing.start(one=one)
    # Both begin at the first line; the second one waited for the first one's commit.
    assert writing.write_batch(one.pk, behind=0) == 3
    assert writing.write_batch(one.pk, behind=0) == 4
    assert writing.write_batch(one.pk, behind=0) is None
    assert go_on(one).state == State.FINISHED
    assert (one.new_count, one.same_count) == (3, 0)
    assert Contact.objects.count() == 3


def test_choosing_other_columns_reads_the_file_again(cast: Cast) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    importing.choose_columns(one=one, mapping={"number": 1, "reference": 0}, region="US")
    go_on(one)
    assert one.line_count == 5
    assert one.lines.get(line=2).values == {"reference": "Abena Mensah"}


def test_columns_are_chosen_as_the_last_time(cast: Cast) -> None:
    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    assert one.mapping == {"name": 0, "number": 1, "company": 2, "email": 3, "opt_out": 4}
    importing.choose_columns(one=one, mapping={"number": 1, "reference": 0}, region="US")
    assert upload(cast.ana, cast.dispatch, CUSTOMERS).mapping == {"number": 1, "reference": 0}
    assert upload(cast.ben, cast.dispatch, CUSTOMERS).mapping["name"] == 0


def test_imports_that_were_begun_and_left_give_way(cast: Cast) -> None:
    first, *others = [upload(cast.ana, cast.front_desk, CUSTOMERS) for _ in range(6)]
    assert go_on(first).state == State.CANCELLED
    assert [go_on(one).state for one in others] == [State.UPLOADED] * 5


def test_files_and_lines_go_after_a_month(
    cast: Cast, django_capture_on_commit_callbacks: object
) -> None:
    one = bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    name = one.stored_name
    assert default_storage.exists(name)
    assert importing.delete_old_imports() == 0
    ContactImport.objects.update(created_at=timezone.now() - timedelta(days=31))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert importing.delete_old_imports() == 1
    assert not default_storage.exists(name)
    assert not ContactImportLine.objects.exists()
    one.refresh_from_db()
    assert (one.state, one.new_count) == (State.FINISHED, 3)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("0001-01-01T00:00:00+14:00", "is before 1990."),
        ("1989-12-31", "is before 1990."),
        ("9999-12-31T23:59:59-14:00", "is in the future."),
    ],
    ids=["first", "early", "last"],
)
def test_a_consent_of_another_age_leaves_its_line_out(cast: Cast, cell: str, why: str) -> None:
    one = read(cast.ana, cast.front_desk, f"Phone,Consent date\n2025550133,{cell}\n")
    assert told(one) == {2: f"Consent date: {why}"}


def test_a_file_that_breaks_its_reader_fails_with_a_sentence(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("Abena Mensah")

    monkeypatch.setattr("messaging.contacts.imports.lines.numbers.parse_cell", break_down)
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    assert (one.state, one.reason) == (State.FAILED, importing.UNEXPECTED)
    assert "RuntimeError" in caplog.text
    assert "Abena" not in caplog.text


def test_a_database_that_is_away_for_a_moment_fails_no_import(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_away(*_: object) -> None:
        raise OperationalError

    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    with monkeypatch.context() as trouble:
        trouble.setattr("messaging.contacts.imports.reading._write", be_away)
        with pytest.raises(OperationalError):
            go_on(one)
    assert go_on(one).state == State.READY


def test_a_number_on_very_many_lines_is_not_read_again_and_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.contacts.imports.reading.BATCH", 10)
    merged: list[int] = []
    merge = KnownContact.merge

    def count(self: KnownContact, *line: Any) -> dict[str, object]:
        merged.append(1)
        return merge(self, *line)

    monkeypatch.setattr(KnownContact, "merge", count)
    lines = "".join(f"Name {n},2025550133,{2000 + n % 20}-01-01\n" for n in range(100))
    one = read(cast.ana, cast.front_desk, f"Name,Phone,Consent date\n{lines}")
    assert (one.new_count, one.merged_count, one.repeated_count) == (1, 0, 99)
    assert one.lines.get(line=101).changes == {"adds": ["name"], "line": 2}
    assert len(merged) == 100


def test_a_reader_that_goes_on_knows_what_earlier_lines_did(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.contacts.imports.reading.BATCH", 10)
    one = upload(cast.ana, cast.front_desk, "Name,Phone\n" + "Ann,2025550133\n" * 100)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    while not importing.go_on(one.pk, seconds=0):
        pass
    one.refresh_from_db()
    assert (one.state, one.new_count, one.repeated_count) == (State.READY, 1, 99)


def test_a_file_with_more_lines_than_expected_keeps_nobody_waiting(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.contacts.imports.reading.BATCH", 1)
    monkeypatch.setattr(importing, "WAIT", 0)
    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    importing.go_on_here(one, line_count=5)
    assert (one.state, one.line_count) == (State.READING, 1)
    assert jobs.imports_without_a_job([one.pk]) == set()


def test_a_file_goes_with_its_inbox(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    inbox = Inbox.objects.create(name="Gone soon")
    add_member(inbox=inbox, agent=cast.ana, changed_by=cast.admin)
    name = upload(cast.ana, inbox, CUSTOMERS).stored_name
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        inbox.delete()
    assert not default_storage.exists(name)


def test_a_file_is_not_left_in_the_store_without_its_row(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(ContactImport, "save", refuse)
    with pytest.raises(OperationalError):
        upload(cast.ana, cast.front_desk, CUSTOMERS)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
