"""Counts, places and words of what was written before they existed.

The inbox's counter is locked for each batch, as whoever writes a message holds it: a text that
comes in meanwhile waits for some milliseconds and gets the next place.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, transaction

from threads import words

BATCH = 100


def fill(apps: Any, editor: Any) -> None:
    thread = apps.get_model("threads", "Thread")
    waiting = thread.objects.filter(message_count=0).exclude(last_message_id=None)
    while batch := list(waiting.order_by("inbox_id", "pk").values_list("inbox_id", "pk")[:BATCH]):
        for inbox_id, keys in groupby(batch, key=lambda pair: pair[0]):
            with transaction.atomic():
                inboxes = apps.get_model("inboxes", "Inbox").objects.select_for_update(no_key=True)
                inboxes.get(pk=inbox_id)
                for _, key in keys:
                    _fill_thread(apps, thread.objects.select_related("contact").get(pk=key))


def _fill_thread(apps: Any, thread: Any) -> None:
    model = apps.get_model("messaging", "Message")
    messages = list(model.objects.filter(thread=thread.pk).order_by("pk"))
    for position, message in enumerate(messages, 1):
        message.position = position
        message.words = words.build_tsvector(thread.inbox_id, words.split_words(message.body))
    model.objects.bulk_update(messages, ["position", "words"], batch_size=500)
    texts = [message for message in messages if message.kind != "internal"]
    thread.message_count = len(messages)
    thread.words = messages[-1].words
    thread.last_text_id = texts[-1].pk if texts else 0
    thread.needs_reply = bool(texts) and texts[-1].kind == "inbound"
    thread.save(update_fields=["message_count", "words", "last_text_id", "needs_reply"])
    contact = thread.contact
    found = [*words.split_words(contact.name), *words.digit_triples(contact.address)]
    contact.words = words.build_tsvector(thread.inbox_id, found)
    contact.save(update_fields=["words"])
    states = apps.get_model("threads", "ThreadState").objects.filter(thread=thread.pk)
    for state in states.exclude(last_read_id=0):
        state.read_count = sum(message.pk <= state.last_read_id for message in messages)
        state.save(update_fields=["read_count"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("messaging", "0005_run_the_inbox"),
        ("threads", "0003_run_the_inbox"),
        ("inboxes", "0004_run_the_inbox"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently("message", GinIndex(fields=["words"], name="message_words")),
    ]
