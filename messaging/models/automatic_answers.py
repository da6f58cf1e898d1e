from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class AutomaticAnswer(models.Model):
    """Record that a contact got an automatic answer, which keeps the next one away."""

    class Kind(models.TextChoices):
        CLOSED = "closed", "While closed"
        GREETING = "greeting", "Greeting"

    thread = models.ForeignKey(
        "threads.Thread", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    period_start = models.DateTimeField(
        help_text="When the inbox closed; for a greeting the epoch, since there is one for ever."
    )
    message = models.ForeignKey(
        "messaging.Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["thread", "kind", "period_start"],
                name="contact_is_answered_once_in_a_period",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["closed", "greeting"]), name="automatic_answer_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Automatic answer {self.pk}"
