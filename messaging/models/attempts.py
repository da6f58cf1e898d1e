from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from messaging.models.states import DeliveryState


class Attempt(models.Model):
    """Hold one handing-over of an outbound message to a carrier, committed before the call.

    A trigger refuses an attempt for a message that is not outbound.
    """

    message = models.ForeignKey(
        "messaging.Message", on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    ordinal = models.PositiveSmallIntegerField(help_text="1 for the first attempt.")
    account = models.ForeignKey(
        "messaging.CarrierAccount", on_delete=models.PROTECT, related_name="attempts"
    )
    token = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Stands in the URL of its receipts."
    )
    carrier_message_id = models.CharField(max_length=128, blank=True, default="")
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.SENDING)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error_class = models.CharField(max_length=16, blank=True, default="")
    detail = models.CharField(max_length=255, blank=True, default="")
    carrier_words = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="What the carrier itself says of the failure. It may repeat phone numbers.",
    )
    started_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    look_ups = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often the carrier was asked what became of it."
    )
    look_up_at = models.DateTimeField(null=True, help_text="Not to be asked for again before.")

    class Meta:
        verbose_name = "attempt to send"
        verbose_name_plural = "attempts to send"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "ordinal"], name="attempts_of_a_message_are_counted"
            ),
            models.UniqueConstraint(
                fields=["account", "carrier_message_id"],
                condition=~Q(carrier_message_id=""),
                name="carrier_message_belongs_to_one_attempt",
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(state="sending"),
                name="message_has_one_open_attempt",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["started_at"], condition=Q(state="unknown"), name="attempt_unknown"
            ),
            models.Index(
                fields=["-id"],
                condition=Q(state__in=["failed", "unknown"]),
                name="attempt_went_wrong",
            ),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.ordinal} of message {self.message_id}"
