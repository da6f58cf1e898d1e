"""Keep two administrators from changing one number at its carrier at the same time.

A claim is a time on the connection's row. Whoever is interrupted leaves it behind, and it runs
out. What is written under a claim is dropped if somebody else has claimed the row since.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from messaging.models import CarrierAccount, NumberConnection


class ClaimLost(Exception):
    """Say that it took so long that somebody else began to change the number."""


@dataclass(slots=True)
class Claim:
    """Hold a claimed connection. `is_new` means that nothing was known of the number before."""

    connection: NumberConnection
    is_new: bool

    @contextmanager
    def writing(self) -> Iterator[NumberConnection]:
        """Lock the row, give it, save it, and renew the claim. Raise ClaimLost."""
        with transaction.atomic():
            row = NumberConnection.objects.select_for_update().get(pk=self.connection.pk)
            if row.revision != self.connection.revision:
                raise ClaimLost
            row.claimed_at = timezone.now()
            yield row
            row.save()
        self.connection = row

    def release(self, trouble: str = "") -> None:
        """Give the claim up: nothing was changed at the carrier."""
        with transaction.atomic():
            row = NumberConnection.objects.select_for_update().get(pk=self.connection.pk)
            if row.revision != self.connection.revision:
                return
            if self.is_new:
                row.delete()
                return
            row.claimed_at = None
            row.trouble = trouble[:255]
            row.save(update_fields=["claimed_at", "trouble"])


@transaction.atomic
def claim_number(account: CarrierAccount, address: str, carrier_id: str) -> Claim | None:
    """Claim a number, known or new; None if somebody else has a claim on it."""
    now = timezone.now()
    row, is_new = NumberConnection.objects.select_for_update().get_or_create(
        address=address,
        defaults={
            "account": account,
            "carrier_id": carrier_id,
            "state": NumberConnection.State.DISCONNECTED,
        },
    )
    if row.is_claimed(now):
        return None
    row.claimed_at, row.tried_at = now, now
    row.revision += 1
    row.save(update_fields=["claimed_at", "tried_at", "revision"])
    return Claim(row, is_new)
