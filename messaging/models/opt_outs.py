from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class OptOut(models.Model):
    """Record that a contact wants no texts from one of our numbers. Kept as proof when it ends.

    It names the two addresses, so it outlives threads, inboxes and the number's routing.
    """

    class Source(models.TextChoices):
        KEYWORD = "keyword", "They texted a keyword"
        CARRIER = "carrier", "The carrier refused a text because of it"
        ADMINISTRATOR = "administrator", "An administrator noted it"

    our_address = models.CharField(max_length=32)
    address = models.CharField(max_length=64)
    source = models.CharField(max_length=13, choices=Source)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["our_address", "address"],
                condition=Q(ended_at=None),
                name="somebody_is_opted_out_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Opt-out {self.pk}"
