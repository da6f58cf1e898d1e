from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

MINUTES = (5, 15, 60)


class EmailPreference(models.Model):
    """Hold after how long an agent is e-mailed about what they missed. Without a row, never."""

    agent = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="email_preference",
    )
    minutes = models.PositiveSmallIntegerField(
        help_text="How old an unread notification has to be, and between e-mails."
    )
    told_until = models.BigIntegerField(
        help_text="The newest notification that an e-mail told of, or an open page showed."
    )
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(
        max_length=200, blank=True, default="", help_text="Why the last e-mail did not leave."
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(minutes__in=MINUTES),
                name="missed_messages_are_e_mailed_after_5_15_or_60_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"E-mail preference of agent {self.agent_id}"
