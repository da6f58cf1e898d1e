from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from threads import addresses


class Contact(models.Model):
    """A person or sender outside, as one inbox knows them."""

    class Kind(models.TextChoices):
        PHONE = "phone", "Phone number"
        SHORT_CODE = "short_code", "Short code"
        NAME = "name", "Alphanumeric sender"

    inbox = models.ForeignKey("inboxes.Inbox", on_delete=models.PROTECT, related_name="contacts")
    address = models.CharField(max_length=addresses.MAX_LENGTH)
    raw_address = models.CharField(max_length=255, help_text="As the carrier gave it first.")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=120, blank=True, default="")
    note = models.TextField(blank=True, default="", db_default="")
    words = SearchVectorField(
        null=True,
        editable=False,
        help_text="Of the name, and the number's runs of digits, as threads/words.py folds them.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inbox", "address"], name="contact_is_known_once_in_an_inbox"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="contact_has_an_address"),
        ]
        indexes: ClassVar = [GinIndex(fields=["words"], name="contact_words")]

    def __str__(self) -> str:
        return self.name or self.display

    @property
    def display(self) -> str:
        return addresses.format_address(self.address)

    @property
    def can_receive(self) -> bool:
        """Return False for an alphanumeric sender, which has no number to text to."""
        return self.kind != self.Kind.NAME
