"""Administrators define the labels of an inbox; open pages follow, whatever threads have them."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.models import Inbox
from messaging.work import label_definitions
from messaging.work.label_definitions import define_labels, take_label_off_all
from messaging.work.labels import label_threads
from tests.cast import Cast, client_of
from tests.markup import read_page, read_words
from tests.messaging.live.live_pages import new_tab
from threads.models import Label, Thread, ThreadLabel

Row = tuple[Label | None, str, str, bool]


def post_labels(cast: Cast, *rows: Row, extra: int = 0) -> str:
    """Save the inbox's page with these labels; return its words, empty if it was saved.

    A row is a label or None for a new one, its name and colour, and whether it is deleted.
    """
    old = [row for row in rows if row[0] is not None]
    ordered = [*old, *(row for row in rows if row[0] is None)]
    form: dict[str, Any] = {
        "name": "Front Desk",
        "help_text": "Help",
        "opt_out_text": "Stopped",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "labels-TOTAL_FORMS": len(ordered),
        "labels-INITIAL_FORMS": len(old),
    }
    for index, (label, name, colour, is_deleted) in enumerate(ordered):
        form |= {f"labels-{index}-name": name, f"labels-{index}-colour": colour}
        form |= {f"labels-{index}-inbox": cast.front_desk.pk}
        form |= {f"labels-{index}-id": label.pk} if label else {}
        form |= {f"labels-{index}-DELETE": "on"} if is_deleted else {}
    path = f"/admin/inboxes/inbox/{cast.front_desk.pk}/change/"
    answer = client_of(cast.admin).post(path, form)
    return "" if answer.status_code == 302 else read_words(answer)


def kept(inbox: Inbox) -> list[tuple[str, str]]:
    found = Label.objects.filter(inbox=inbox, deleted_at=None).order_by("name")
    return list(found.values_list("name", "colour"))


def make_label(inbox: Inbox, name: str) -> Label:
    define_labels(inbox=inbox, added=[Label(name=name, colour="blue")])
    return Label.objects.get(inbox=inbox, name=name, deleted_at=None)


@pytest.mark.django_db
def test_labels_are_added_renamed_recoloured_and_deleted_on_the_inboxes_page(cast: Cast) -> None:
    assert post_labels(cast, (None, " Install  soon ", "violet", False)) == ""
    assert kept(cast.front_desk) == [("Install soon", "violet")]
    label = Label.objects.get()
    assert post_labels(cast, (label, "Install", "pink", False)) == ""
    assert kept(cast.front_desk) == [("Install", "pink")]
    cast.front_desk.refresh_from_db()
    label.refresh_from_db()
    assert 0 < label.seq <= cast.front_desk.seq
    assert post_labels(cast, (label, "Install", "pink", True)) == ""
    assert kept(cast.front_desk) == []
    # The name is free again.
    assert post_labels(cast, (None, "install", "green", False)) == ""
    assert kept(cast.front_desk) == [("install", "green")]


@pytest.mark.django_db
def test_two_labels_swap_their_names(cast: Cast) -> None:
    first, second = (make_label(cast.front_desk, name) for name in ("Install", "Parts"))
    saved = post_labels(cast, (first, "Parts", "blue", False), (second, "Install", "pink", False))
    assert saved == ""
    assert kept(cast.front_desk) == [("Install", "pink"), ("Parts", "blue")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "Enter a name."),
        ("\u200b", "Enter a name."),
        ("x" * 41, "A name has at most 40 characters."),
        ("INSTALL", "There can be only one label “INSTALL” in an inbox."),
    ],
    ids=["none", "invisible", "long", "twice"],
)
def test_a_bad_name_is_refused_in_plain_words(cast: Cast, name: str, problem: str) -> None:
    label = make_label(cast.front_desk, "Install")
    rows: list[Row] = [(label, "Install", "blue", False), (None, name, "pink", False)]
    if not name:
        rows = [(label, name, "pink", False)]
    assert problem in post_labels(cast, *rows)
    assert kept(cast.front_desk) == [("Install", "blue")]


@pytest.mark.django_db
def test_an_inbox_has_fifty_labels_at_most(cast: Cast) -> None:
    for index in range(50):
        Label.objects.create(inbox=cast.front_desk, name=f"Label {index}")
    # Another administrator has added them meanwhile.
    assert "at most 50 labels" in post_labels(cast, (None, "One more", "blue", False))


@pytest.mark.django_db
def test_a_deleted_label_is_taken_off_its_threads_in_batches(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_definitions, "BATCH", 2)
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(5)]
    label, other = (make_label(cast.front_desk, name) for name in ("Install", "Parts"))
    for one in (label, other):
        label_threads(
            inbox_id=cast.front_desk.pk,
            thread_ids=[thread.pk for thread in threads],
            label_id=one.pk,
            is_on=True,
            by=cast.ana,
        )
    define_labels(inbox=cast.front_desk, deleted=[label])
    page = read_page(client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/"))
    assert "Install" not in page
    assert "Parts" in page
    job = ProcrastinateJob.objects.get(task_name="take_label_off")
    take_label_off_all(**job.args)
    assert {tuple(thread.label_ids) for thread in Thread.objects.all()} == {(other.pk,)}
    assert set(ThreadLabel.objects.values_list("label", flat=True)) == {other.pk}


@pytest.mark.django_db
def test_a_label_that_is_in_use_is_not_taken_off(cast: Cast) -> None:
    thread, label = cast.thread(), make_label(cast.front_desk, "Install")
    label_threads(
        inbox_id=thread.inbox_id,
        thread_ids=[thread.pk],
        label_id=label.pk,
        is_on=True,
        by=cast.ana,
    )
    take_label_off_all(label.pk)
    take_label_off_all(2**40)
    thread.refresh_from_db()
    assert thread.label_ids == [label.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "away"])
async def test_open_pages_hear_of_changed_labels_and_threads_keep_theirs(
    cast: Cast, is_connected: bool
) -> None:
    thread = await in_database(cast.thread)()
    label = await in_database(make_label)(cast.front_desk, "Install")
    paths = ["/", f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/"]
    pages = [await in_database(new_tab)(cast.cho) for _ in paths]
    for page, path in zip(pages, paths, strict=True):
        await in_database(page.load)(path)
        if is_connected:
            await page.open()
    seq = (await in_database(Thread.objects.get)()).seq
    label.name, label.colour = "Set up", "pink"
    await in_database(define_labels)(inbox=cast.front_desk, changed=[label])
    told = {"id": label.pk, "name": "Set up", "colour": "pink", "gone": False}
    for page in pages:
        if not is_connected:
            await page.open()
        await page.receive_until_idle()
        assert page.labels == {label.pk: told}
    await in_database(define_labels)(inbox=cast.front_desk, deleted=[label])
    for page in pages:
        await page.receive_until_idle()
        assert page.labels == {label.pk: told | {"gone": True}}
        await page.disconnect()
    assert (await in_database(Thread.objects.get)()).seq == seq


@pytest.mark.django_db
def test_a_row_shows_its_labels_by_name(cast: Cast) -> None:
    thread = cast.thread()
    for name in ("Parts", "install"):
        label = make_label(cast.front_desk, name)
        label_threads(
            inbox_id=thread.inbox_id,
            thread_ids=[thread.pk],
            label_id=label.pk,
            is_on=True,
            by=cast.ana,
        )
    Label.objects.create(inbox=cast.front_desk, name="Gone", deleted_at=timezone.now())
    page = read_page(client_of(cast.ben).get(f"/inboxes/{cast.front_desk.pk}/"))
    (row,) = page.split('class="row-labels"')[1:]
    words = " ".join(row.split("</li>")[0].replace("<", " <").split())
    assert "Parts" in words
    assert "install" in words
