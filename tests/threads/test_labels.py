"""The labels of an inbox, and those that its members put on threads."""

from __future__ import annotations

import pytest
from django.http.response import HttpResponseBase
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.work import bulk, deeds
from messaging.work.bulk_deeds import Deed
from messaging.work.labels import label_threads
from tests.cast import DISPATCH, Cast, client_of
from threads.labels import labels_of, labels_on
from threads.models import Activity, Label, Thread, ThreadLabel

pytestmark = pytest.mark.django_db


def make_label(inbox: Inbox, name: str) -> Label:
    return Label.objects.create(inbox=inbox, name=name, colour="blue")


def label_over_http(agent: Agent, thread: Thread, label: Label, on: str) -> HttpResponseBase:
    form = {"label": str(label.pk), "on": on}
    return client_of(agent).post(f"/threads/{thread.pk}/label/", form)


def labels_in_record(thread: Thread) -> list[int]:
    """Return the thread's labels, which its own row and the rows for lists agree about."""
    thread.refresh_from_db()
    rows = ThreadLabel.objects.filter(thread=thread)
    assert {(row.label_id, row.last_at) for row in rows} == {
        (key, thread.last_at) for key in thread.label_ids
    }
    assert thread.label_ids == sorted(thread.label_ids)
    return thread.label_ids


def test_the_labels_of_inboxes_are_read_at_once_by_name(cast: Cast) -> None:
    names = {"Repair": cast.front_desk, "invoice": cast.front_desk, "Parts": cast.dispatch}
    made = {name: make_label(inbox, name) for name, inbox in names.items()}
    Label.objects.create(inbox=cast.front_desk, name="Gone", deleted_at=timezone.now())
    both = labels_of([cast.front_desk.pk, cast.dispatch.pk])
    assert [label.name for label in both.values()] == ["invoice", "Parts", "Repair"]
    theirs = labels_of([cast.front_desk.pk])
    assert list(theirs) == [made["invoice"].pk, made["Repair"].pk]
    thread = Thread(label_ids=sorted(label.pk for label in Label.objects.all()))
    assert [label.name for label in labels_on(thread, theirs)] == ["invoice", "Repair"]


def test_a_member_puts_labels_on_a_conversation_and_takes_them_off(cast: Cast) -> None:
    thread = cast.thread()
    first, second = (make_label(cast.front_desk, name) for name in ("Install", "Parts"))
    for label in (second, first, first):
        answer = label_over_http(cast.ana, thread, label, "1")
        assert (answer.status_code, answer["Location"]) == (302, f"/threads/{thread.pk}/")
    assert labels_in_record(thread) == [first.pk, second.pk]
    label_over_http(cast.ben, thread, second, "0")
    assert labels_in_record(thread) == [first.pk]
    done = Activity.objects.order_by("pk").values_list("kind", "actor", "details__name")
    assert list(done) == [
        ("labelled", cast.ana.pk, "Parts"),
        ("labelled", cast.ana.pk, "Install"),
        ("unlabelled", cast.ben.pk, "Parts"),
    ]


def test_a_new_text_lifts_a_labelled_conversation_in_the_lists_of_its_labels(cast: Cast) -> None:
    thread = cast.thread()
    label_over_http(cast.ana, thread, make_label(cast.front_desk, "Install"), "1")
    cast.text_in("Hello again")
    assert len(labels_in_record(thread)) == 1


def test_a_deleted_label_is_refused_with_a_word(cast: Cast) -> None:
    thread, label = cast.thread(), make_label(cast.front_desk, "Install")
    Label.objects.update(deleted_at=timezone.now())
    answer = client_of(cast.ana).post(
        f"/threads/{thread.pk}/label/",
        {"label": str(label.pk), "on": "1"},
        headers={"HX-Request": "true"},
    )
    assert (answer.status_code, answer.content) == (422, b"The label Install was deleted.")
    assert labels_in_record(thread) == []


def test_a_label_of_another_inbox_is_refused_and_its_name_is_not_told(cast: Cast) -> None:
    thread, label = cast.thread(), make_label(cast.dispatch, "Secret")
    answer = client_of(cast.cho).post(
        f"/threads/{thread.pk}/label/",
        {"label": str(label.pk), "on": "1"},
        headers={"HX-Request": "true"},
    )
    assert (answer.status_code, answer.content) == (422, b"This label was deleted.")
    assert labels_in_record(thread) == []


def test_putting_a_label_on_can_be_undone_where_it_still_is(cast: Cast) -> None:
    here, there = cast.thread(), cast.thread(sender="+12025550178")
    label = make_label(cast.front_desk, "Install")
    changes = label_threads(
        inbox_id=cast.front_desk.pk,
        thread_ids=[here.pk, there.pk],
        label_id=label.pk,
        is_on=True,
        by=cast.ana,
    )
    label_over_http(cast.ben, there, label, "0")
    undone = deeds.undo(inbox_id=cast.front_desk.pk, changes=changes, by=cast.ana)
    assert [change.thread_id for change in undone] == [here.pk]
    assert labels_in_record(here) == labels_in_record(there) == []
    assert Activity.objects.filter(kind="unlabelled").count() == 2


def test_many_get_the_label_of_that_name_in_their_own_inbox(cast: Cast) -> None:
    here, there = cast.thread(), cast.thread(to=DISPATCH)
    mine = make_label(cast.front_desk, "Install")
    action = bulk.begin(
        agent=cast.ana,
        deed=Deed.LABEL,
        shown={thread.pk: thread.last_message_id or 0 for thread in (here, there)},
        details={"name": "install"},
    )
    assert labels_in_record(here) == [mine.pk]
    assert labels_in_record(there) == []
    bulk.undo(action=action)
    assert labels_in_record(here) == []
