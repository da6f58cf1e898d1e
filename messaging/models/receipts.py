from __future__ import annotations

from typing import ClassVar, cast

from django.db import models
from django.db.models import Q

from messaging.carriers import events
from messaging.models.states import DeliveryState


class DeliveryReceipt(models.Model):
    """Hold what a carrier reported of a message, whether or not it moved a state.

    Without an attempt it is parked: it came before we knew the carrier's id.
    """

    account = models.ForeignKey(
        "messaging.CarrierAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    attempt = models.ForeignKey(
        "messaging.Attempt", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    carrier_message_id = models.CharField(max_length=128)
    state = models.CharField(max_length=9, choices=DeliveryState)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error_class = models.CharField(max_length=16, blank=True, default="")
    recipient = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Whose phone it is about, where the carrier reports for each one.",
    )
    carrier_words = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="What the carrier itself says of the failure. It may repeat phone numbers.",
    )
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "carrier_message_id", "state", "error_code", "recipient"],
                name="receipt_is_stored_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account", "carrier_message_id"],
                condition=Q(attempt=None),
                name="receipt_parked",
            ),
        ]

    def __str__(self) -> str:
        return f"Receipt {self.pk}: {self.state}"

    def as_event(self) -> events.Receipt:
        """Return it as the adapter had parsed it."""
        return events.Receipt(
            carrier_message_id=self.carrier_message_id,
            state=cast("events.State", self.state),
            error_code=self.error_code,
            error_class=cast("events.ErrorClass", self.error_class),
            recipient=self.recipient,
            words=self.carrier_words,
        )
