from __future__ import annotations

from django.db import models


class DeliveryState(models.TextChoices):
    """Say how far an outbound message has come."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"


# A receipt moves a state upward only. Any receipt of the carrier says that it took the message, so
# it replaces *unknown*; a delivery may still replace a failure. A carrier that cannot tell what
# became of the message makes it *unknown*, unless it has told already.
RANKS = {
    DeliveryState.QUEUED: 0,
    DeliveryState.SENDING: 1,
    DeliveryState.UNKNOWN: 1,
    DeliveryState.SENT: 2,
    DeliveryState.FAILED: 3,
    DeliveryState.DELIVERED: 4,
}


def is_progress(old: DeliveryState, new: DeliveryState) -> bool:
    """Return True if a receipt for `new` may replace `old`."""
    if old == DeliveryState.UNKNOWN:
        return new != DeliveryState.UNKNOWN
    if new == DeliveryState.UNKNOWN:
        return RANKS[old] < RANKS[DeliveryState.FAILED]
    return RANKS[new] > RANKS[old]
