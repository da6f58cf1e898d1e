"""The labels of inboxes: which there are, which of them a thread has, and changes of that.

Whoever puts labels on threads or takes them off holds the inbox's counter, so that nobody deletes
a label or changes a thread meanwhile. They record the activity and ring.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from threads.changes import Change, group_threads
from threads.models import Label, Thread, ThreadLabel

_WITH_LABEL = "(SELECT array_agg(key ORDER BY key) FROM unnest(label_ids || %s::bigint) AS key)"
_WITHOUT_LABEL = "array_remove(label_ids, %s::bigint)"


class NoSuchLabel(Exception):
    """The inbox has no such label, or has it no more; the message says so to an agent."""


def labels_of(inbox_ids: Collection[int]) -> dict[int, Label]:
    """Return the labels that inboxes have today, by key and in the order of their names.

    One query. A deleted label is missing at once, whatever threads still have its key.
    """
    labels = Label.objects.filter(inbox__in=inbox_ids, deleted_at=None)
    return {label.pk: label for label in labels.order_by(Lower("name"), "pk")}


def labels_on(thread: Thread, labels: Mapping[int, Label]) -> list[Label]:
    """Return the labels of a thread in the order of `labels`, which `labels_of` returned."""
    keys = set(thread.label_ids)
    return [label for key, label in labels.items() if key in keys] if keys else []


def get_label(*, inbox_id: int, label_id: int) -> Label:
    """Return a label of the inbox. Raises NoSuchLabel."""
    label = Label.objects.filter(pk=label_id, inbox=inbox_id).first()
    if label is None or label.deleted_at is not None:
        which = f"The label {label.name}" if label else "This label"
        raise NoSuchLabel(f"{which} was deleted.")
    return label


def find_label(*, inbox_id: int, name: str) -> Label:
    """Return the inbox's label of that name, ignoring case. Raises NoSuchLabel."""
    label = Label.objects.filter(inbox=inbox_id, name__iexact=name, deleted_at=None).first()
    if label is None:
        raise NoSuchLabel(f"This inbox has no label {name}.")
    return label


def put_on(*, inbox_id: int, thread_ids: Collection[int], label: Label, seq: int) -> list[Change]:
    """Put a label on threads of its inbox; return what changed."""
    threads = Thread.objects.filter(inbox=inbox_id, pk__in=thread_ids)
    bare = threads.exclude(label_ids__contains=[label.pk]).order_by("pk")
    found = dict(bare.values_list("pk", "last_at"))
    ThreadLabel.objects.bulk_create(
        [ThreadLabel(label=label, thread_id=key, last_at=at) for key, at in found.items()],
        ignore_conflicts=True,
    )
    _rewrite(Thread.objects.filter(pk__in=found), _WITH_LABEL, label.pk, seq)
    return [_change(key, label.pk, is_on=True) for key in found]


def take_off(
    *, inbox_id: int, thread_ids: Collection[int], label: Label, seq: int
) -> list[Change]:
    """Take a label off threads of its inbox; return what changed."""
    threads = Thread.objects.filter(inbox=inbox_id, pk__in=thread_ids)
    having = threads.filter(label_ids__contains=[label.pk]).order_by("pk")
    found = list(having.values_list("pk", flat=True))
    ThreadLabel.objects.filter(label=label, thread__in=found).delete()
    _rewrite(Thread.objects.filter(pk__in=found), _WITHOUT_LABEL, label.pk, seq)
    return [_change(key, label.pk, is_on=False) for key in found]


def restore(*, inbox_id: int, changes: Collection[Change], seq: int) -> list[Change]:
    """Take changes of labels back where the thread is still as they left it; return what changed.

    A label that was deleted meanwhile is put on nothing.
    """
    wanted = group_threads(
        ((change.before["label"], change.before["is_on"]), change.thread_id) for change in changes
    )
    labels = labels_of([inbox_id]) if wanted else {}
    done: list[Change] = []
    for (key, was_on), thread_ids in wanted.items():
        if key in labels:
            write = put_on if was_on else take_off
            done += write(inbox_id=inbox_id, thread_ids=thread_ids, label=labels[key], seq=seq)
    return done


def _rewrite(threads: QuerySet[Thread], expression: str, label_id: int, seq: int) -> None:
    threads.update(label_ids=RawSQL(expression, [label_id]), seq=seq)  # noqa: S611  ours


def _change(thread_id: int, label_id: int, *, is_on: bool) -> Change:
    before, after = ({"label": label_id, "is_on": value} for value in (not is_on, is_on))
    return Change(thread_id, before, after)
