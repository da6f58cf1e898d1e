from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, Value


class BulkAction(models.Model):
    """One action of an agent on many threads, and how far it has come. One Undo takes it back."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        UNDOING = "undoing", "Undoing"
        UNDONE = "undone", "Undone"
        STOPPED = "stopped", "Stopped"

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    inbox = models.ForeignKey(
        "inboxes.Inbox",
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        help_text="Empty for threads of all the agent's inboxes.",
    )
    deed = models.CharField(max_length=12)
    details = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="To whom, until when, which label, which threads: what the deed needs.",
    )
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    total = models.IntegerField(default=0, help_text="Threads that were selected.")
    done_count = models.IntegerField(default=0, help_text="Threads that it has come to.")
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "finished", "undoing", "undone", "stopped"]),
                name="bulk_action_state_is_known",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="bulk_action_age")]

    def __str__(self) -> str:
        return f"Bulk action {self.pk}"


class BulkItem(models.Model):
    """One thread that an action on many changed, with its state before and after, for the Undo."""

    bulk = models.ForeignKey(
        BulkAction, on_delete=models.CASCADE, related_name="items", db_index=False
    )
    thread = models.ForeignKey(
        "threads.Thread",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    before = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    after = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bulk", "thread"], name="bulk_item_is_one_thread"),
        ]

    def __str__(self) -> str:
        return f"Bulk item {self.pk}"
