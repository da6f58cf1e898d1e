"""A batch is planned before it takes the inbox's counter; what others do meanwhile counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inboxes import counters
from messaging.contacts.describing import ContactValues, create_contact
from messaging.contacts.imports import importing, planning, writing
from messaging.models import ContactImport
from tests.cast import Cast, create_cast
from tests.messaging.contacts.imports.files import _files_here, go_on, read
from threads.models import Contact

__all__ = ["_files_here"]

ANN = "+12025550133"


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


def test_a_contact_that_a_colleague_adds_meanwhile_is_merged_and_kept_when_all_is_taken_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = read(cast.ana, cast.front_desk, "Name,Phone\nAnn,2025550133\n")
    importing.start(one=one)

    def plan_and_be_late(
        one: ContactImport, lines: Sequence[planning.WaitingLine]
    ) -> planning.Plan:
        plan = planning.make_plan(one, lines)
        if not Contact.objects.filter(address=ANN).exists():
            values = ContactValues(name="Annie", company="Ann & Sons")
            create_contact(inbox_id=one.inbox_id, address=ANN, values=values, by=cast.ben)
        return plan

    monkeypatch.setattr(writing, "make_plan", plan_and_be_late)
    assert writing.write_batch(one.pk, behind=0)
    ann = Contact.objects.get(address=ANN)
    assert (ann.name, ann.company) == ("Ann", "Ann & Sons")
    assert one.lines.get().outcome == "merge"
    importing.cancel(one=one)
    go_on(one)
    ann.refresh_from_db()
    assert (ann.name, ann.company) == ("Annie", "Ann & Sons")


def test_the_inbox_is_held_only_once_the_contacts_are_planned(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = read(cast.ana, cast.front_desk, "Name,Phone\nAnn,2025550133\nBo,2025550134\n")
    importing.start(one=one)
    order: list[str] = []
    take, plan = counters.next_inbox_seq, planning.make_plan

    def noted_take(inbox_id: int) -> int:
        order.append("held")
        return take(inbox_id)

    def noted_plan(one: ContactImport, lines: Sequence[planning.WaitingLine]) -> planning.Plan:
        order.append("planned")
        return plan(one, lines)

    monkeypatch.setattr(counters, "next_inbox_seq", noted_take)
    monkeypatch.setattr(writing, "make_plan", noted_plan)
    writing.write_batch(one.pk, behind=0)
    assert order == ["planned", "held"]
    found = Contact.objects.filter(name__in=["Ann", "Bo"])
    assert {contact.words is not None for contact in found} == {True}
    assert {(contact.kind, contact.is_unused) for contact in found} == {("phone", True)}
