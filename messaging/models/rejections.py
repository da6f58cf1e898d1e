from __future__ import annotations

from typing import ClassVar

from django.db import models


class Rejection(models.Model):
    """Count how often webhooks of an account were lately rejected for one reason.

    It keeps no body, header or address, since the sender chooses those.
    """

    account = models.ForeignKey(
        "messaging.CarrierAccount",
        on_delete=models.CASCADE,
        related_name="rejections",
        db_index=False,
    )
    reason = models.CharField(max_length=255)
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "reason"], name="rejections_are_counted_by_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"Rejection {self.pk}"
