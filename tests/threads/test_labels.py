"""The labels of an inbox, and those that its members put on threads."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.cast import Cast
from threads.labels import labels_of, labels_on
from threads.models import Label, Thread

pytestmark = pytest.mark.django_db


def test_the_labels_of_inboxes_are_read_at_once_by_name(cast: Cast) -> None:
    names = {"Repair": cast.front_desk, "invoice": cast.front_desk, "Parts": cast.dispatch}
    made = {
        name: Label.objects.create(inbox=inbox, name=name, colour="blue")
        for name, inbox in names.items()
    }
    Label.objects.create(inbox=cast.front_desk, name="Gone", deleted_at=timezone.now())
    both = labels_of([cast.front_desk.pk, cast.dispatch.pk])
    assert [label.name for label in both.values()] == ["invoice", "Parts", "Repair"]
    theirs = labels_of([cast.front_desk.pk])
    assert list(theirs) == [made["invoice"].pk, made["Repair"].pk]
    thread = Thread(label_ids=sorted(label.pk for label in Label.objects.all()))
    assert [label.name for label in labels_on(thread, theirs)] == ["invoice", "Repair"]
