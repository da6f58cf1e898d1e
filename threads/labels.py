"""The labels of inboxes: which there are, and which of them a thread has."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models.functions import Lower

from threads.models import Label, Thread


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
