from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Label(models.Model):
    """A word and a colour that an inbox's members put on its threads. Administrators define them.

    A deleted one stays as a row, by which pages that were away hear of it.
    """

    class Colour(models.TextChoices):
        VIOLET = "violet", "Violet"
        BLUE = "blue", "Blue"
        PINK = "pink", "Pink"
        GREEN = "green", "Green"

    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.CASCADE, related_name="labels", db_index=False
    )
    name = models.CharField(max_length=40)
    colour = models.CharField(max_length=6, choices=Colour, default=Colour.BLUE)
    seq = models.BigIntegerField(
        default=0, editable=False, help_text="The inbox's counter at the last change."
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="label_has_a_name"),
            models.CheckConstraint(
                condition=Q(colour__in=["violet", "blue", "pink", "green"]),
                name="label_colour_is_known",
            ),
            models.UniqueConstraint(
                "inbox",
                Lower("name"),
                condition=Q(deleted_at=None),
                name="label_name_is_unique_in_its_inbox",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["inbox", "seq"], name="label_changes")]

    def __str__(self) -> str:
        return self.name


class ThreadLabel(models.Model):
    """A label on a thread. Both name the same inbox.

    `last_at` repeats the thread's, so that one index holds the threads of a label, newest first.
    """

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+", db_index=False)
    thread = models.ForeignKey(
        "threads.Thread", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    last_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "label"], name="label_is_put_on_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                "label", F("last_at").desc(), F("thread").desc(), name="label_thread_list"
            ),
        ]

    def __str__(self) -> str:
        return f"Label {self.label_id} on thread {self.thread_id}"
