"""Define the labels of an inbox: add, rename, recolour and delete them.

A change stamps the label alone, and open pages word it anew. A deleted label is gone from every
page at once; a job takes it off its threads.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Inbox
from messaging.stream import jobs
from threads.models import Label, Thread, ThreadLabel

MOST_LABELS = 50  # of one inbox

# Threads in one transaction, so that nobody waits long for the inbox's counter.
BATCH = 500


@transaction.atomic
def define_labels(
    *,
    inbox: Inbox,
    added: Collection[Label] = (),
    changed: Collection[Label] = (),
    deleted: Collection[Label] = (),
) -> None:
    """Write labels of the inbox as they are given. The caller has checked their names."""
    seq = counters.next_inbox_seq(inbox.pk)
    gone = [label.pk for label in deleted]
    Label.objects.filter(pk__in=gone, inbox=inbox).update(deleted_at=timezone.now(), seq=seq)
    kept = Label.objects.filter(inbox=inbox, deleted_at=None)
    # Two labels may swap their names, which no two may share in between.
    for label in changed:
        kept.filter(pk=label.pk).update(name=f"{label.pk}\n")
    for label in changed:
        kept.filter(pk=label.pk).update(name=label.name, colour=label.colour, seq=seq)
    for label in added:
        label.inbox, label.seq = inbox, seq
        label.save()
    for key in gone:
        jobs.defer_taking_label_off(label_id=key)
    bell.ring_inbox(inbox.pk, seq)


def take_label_off_all(label_id: int) -> None:
    """Take a deleted label off all threads that have it, a batch in each transaction."""
    label = Label.objects.filter(pk=label_id, deleted_at__isnull=False).first()
    while label is not None and _take_off_some(label):
        pass


@transaction.atomic
def _take_off_some(label: Label) -> bool:
    """Take the label off a batch of threads; return False if none had it.

    No page shows it any more, so that the threads keep their counters.
    """
    counters.next_inbox_seq(label.inbox_id)
    having = ThreadLabel.objects.filter(label=label)
    batch = dict(having.values_list("pk", "thread")[:BATCH])
    without = RawSQL("array_remove(label_ids, %s::bigint)", [label.pk])
    Thread.objects.filter(pk__in=batch.values()).update(label_ids=without)
    ThreadLabel.objects.filter(pk__in=batch).delete()
    return bool(batch)
