from __future__ import annotations

from typing import ClassVar

from django.db import models


class Rejection(models.Model):
    """One reason for which webhooks of an account were rejected of late, and how often.

    No body, no header, no address of the sender: whoever knocks chooses those.
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
