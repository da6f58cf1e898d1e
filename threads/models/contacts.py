from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from threads import addresses, words


class Consent(models.Model):
    """Record how, where and when a contact agreed to get texts. Kept as proof when it ends."""

    class How(models.TextChoices):
        FORM = "form", "On a web form"
        PAPER = "paper", "On paper"
        IN_PERSON = "in_person", "In person"
        PHONE = "phone", "By phone"
        TEXT = "text", "By text"
        IMPORT = "import", "From an imported file"
        OTHER = "other", "Another way"

    contact = models.ForeignKey(
        "threads.Contact", on_delete=models.CASCADE, related_name="consents"
    )
    how = models.CharField(max_length=9, choices=How)
    words = models.CharField(
        "where, or in what words", max_length=255, blank=True, default="", db_default=""
    )
    given_at = models.DateTimeField("when")
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    how__in=["form", "paper", "in_person", "phone", "text", "import", "other"]
                ),
                name="consent_was_given_in_a_known_way",
            ),
        ]

    def __str__(self) -> str:
        return f"Consent {self.pk}"


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
    email = models.EmailField("e-mail", blank=True, default="", db_default="")
    company = models.CharField(max_length=120, blank=True, default="", db_default="")
    reference = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="What the business calls them elsewhere, such as a customer number.",
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="As a member corrected it; empty where it is guessed from the number.",
    )
    blocked_at = models.DateTimeField(null=True, editable=False)
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    is_unused = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether it has no thread yet: it was imported or added by hand.",
    )
    words = SearchVectorField(
        null=True,
        editable=False,
        help_text="Of the name, the number's runs of digits and, marked, of company, e-mail and "
        "reference, as threads/words.py folds them.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inbox", "address"], name="contact_is_known_once_in_an_inbox"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="contact_has_an_address"),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["words"], name="contact_words"),
            models.Index(
                "inbox", Lower("name"), "id", condition=~Q(name=""), name="contact_name_list"
            ),
            models.Index(
                fields=["inbox", "-id"], condition=Q(is_unused=True), name="contact_unused_list"
            ),
            models.Index(
                fields=["inbox", "-blocked_at"],
                condition=~Q(blocked_at=None),
                name="contact_blocked_list",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.display

    @property
    def display(self) -> str:
        return addresses.format_address(self.address)

    @property
    def can_receive(self) -> bool:
        """Return False for an alphanumeric sender, which has no number to text to."""
        return self.kind != self.Kind.NAME

    def build_words(self) -> str:
        """Return what the column `words` has to hold."""
        return words.build_contact_vector(
            self.inbox_id, self.address, self.name, (self.company, self.email, self.reference)
        )
