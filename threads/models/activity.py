from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q, Value


class Activity(models.Model):
    """One change of the team's work on a thread, a line of its history.

    It is no message: nothing that sends, counts or notifies of messages can meet it.
    """

    class Kind(models.TextChoices):
        ASSIGNED = "assigned", "Assigned"
        UNASSIGNED = "unassigned", "Unassigned"
        DONE = "done", "Done"
        REOPENED = "reopened", "Reopened"
        SNOOZED = "snoozed", "Snoozed"
        UNSNOOZED = "unsnoozed", "Snooze ended"
        LABELLED = "labelled", "Label added"
        UNLABELLED = "unlabelled", "Label removed"
        PRIORITY = "priority", "Priority"
        WAITING = "waiting", "Waiting for a reply"
        BLOCKED = "blocked", "Blocked"
        UNBLOCKED = "unblocked", "Unblocked"
        CONSENT = "consent", "Consent recorded"

    thread = models.ForeignKey(
        "threads.Thread", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Who did it; empty for Partyline.",
    )
    kind = models.CharField(max_length=10, choices=Kind)
    details = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="To whom, until when, which label: what the line says besides who did it.",
    )
    after_id = models.BigIntegerField(
        default=0, help_text="The thread's newest message at that moment; 0 if it had none."
    )
    words = SearchVectorField(
        null=True, editable=False, help_text="Of the line, as threads/words.py folds them."
    )
    seq = models.BigIntegerField(help_text="The inbox's counter at this row's last change.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "activity"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "assigned",
                        "unassigned",
                        "done",
                        "reopened",
                        "snoozed",
                        "unsnoozed",
                        "labelled",
                        "unlabelled",
                        "priority",
                        "waiting",
                        "blocked",
                        "unblocked",
                        "consent",
                    ]
                ),
                name="activity_kind_is_known",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["thread", "after_id", "id"], name="activity_history"),
            models.Index(fields=["inbox", "seq"], name="activity_changes"),
            GinIndex(fields=["words"], name="activity_words"),
        ]

    def __str__(self) -> str:
        return f"Activity {self.pk}"
