from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

# Why a text to a number that no inbox has is in quarantine.
UNKNOWN_NUMBER = "It's addressed to a number that is not set up here."


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def quarantined(self) -> WebhookQuerySet:
        return self.filter(is_quarantined=True)


class Webhook(models.Model):
    """Hold a carrier's verified request as it came."""

    account = models.ForeignKey(
        "messaging.CarrierAccount", on_delete=models.PROTECT, related_name="webhooks"
    )
    path = models.CharField(max_length=512, help_text="With the query, as the carrier called it.")
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of path and body.")
    is_quarantined = models.BooleanField(default=False)
    reason = models.CharField(max_length=255, blank=True, default="")
    received_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook in quarantine"
        verbose_name_plural = "quarantine"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "digest"],
                condition=Q(is_quarantined=True),
                name="quarantined_webhook_is_kept_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-received_at"],
                condition=Q(is_quarantined=True),
                name="webhook_quarantine",
            ),
        ]

    def __str__(self) -> str:
        return f"Webhook {self.pk}"
