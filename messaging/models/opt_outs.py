from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from threads.models import Contact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from messaging.models.messages import Message

# A confirmation leaves within this time after the opt-out, or never (47 CFR 64.1200(a)(12)).
CONFIRMATION_TIME = timedelta(minutes=5)


class OptOutQuerySet(models.QuerySet["OptOut"]):
    def current(self) -> OptOutQuerySet:
        return self.filter(ended_at=None)

    def between(self, our_address: str, address: str) -> OptOutQuerySet:
        """Pick those that keep texts of this number of ours, or of all, from the contact."""
        return self.filter(Q(our_address=our_address) | Q(is_for_all=True), address=address)

    def confirmed_by(self, messages: Iterable[Message]) -> OptOutQuerySet:
        """Pick those whose confirmation is one of these; asks nothing if none is automatic."""
        automatic = [message for message in messages if message.is_automatic]
        threads = {message.thread_id for message in automatic}
        contacts = Contact.objects.filter(thread__in=threads)
        return self.filter(confirmation__in=automatic, address__in=contacts.values("address"))


class OptOut(models.Model):
    """Record that a contact wants no texts from one of our numbers, or from any of them.

    Kept as proof when it ends. It names the two addresses, so it outlives threads, inboxes and the
    number's routing.
    """

    class Source(models.TextChoices):
        KEYWORD = "keyword", "They texted it"
        CARRIER = "carrier", "The carrier refused a text because of it"
        MEMBER = "member", "A member of the inbox recorded it"
        ADMINISTRATOR = "administrator", "An administrator recorded it"
        IMPORT = "import", "An imported file said so"

    our_address = models.CharField("our number", max_length=32)
    address = models.CharField("their number", max_length=64)
    is_for_all = models.BooleanField("all our numbers", default=False, db_default=False)
    source = models.CharField("how", max_length=13, choices=Source)
    since = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    recorded_in = models.ForeignKey(
        "inboxes.Inbox",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="Only its members see who recorded it, and why.",
    )
    reason = models.CharField(max_length=255, blank=True, default="", db_default="")
    message = models.ForeignKey(
        "messaging.Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The text that asked for it.",
    )
    confirmation = models.ForeignKey(
        "messaging.Message",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The only text that may follow it.",
    )
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    ended_how = models.CharField(
        "how it ended", max_length=13, choices=Source, blank=True, default="", db_default=""
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    ended_in = models.ForeignKey(
        "inboxes.Inbox",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="Only its members see who ended it, and why.",
    )
    end_reason = models.CharField(
        "reason for the end", max_length=255, blank=True, default="", db_default=""
    )
    end_message = models.ForeignKey(
        "messaging.Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The text that asked for it to end.",
    )

    objects = OptOutQuerySet.as_manager()

    class Meta:
        verbose_name = "opt-out"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["our_address", "address"],
                condition=Q(ended_at=None),
                name="somebody_is_opted_out_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["address"], name="opt_out_address"),
            models.Index(
                fields=["address"],
                condition=Q(ended_at=None, is_for_all=True),
                name="opt_out_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"Opt-out {self.pk}"

    def lets_pass(self, message: Message | None) -> bool:
        """Return True for its own confirmation, while it is current and not too late for that."""
        is_its_own = message is not None and message.pk == self.confirmation_id is not None
        if self.ended_at is not None:
            return False
        return is_its_own and timezone.now() < self.since + CONFIRMATION_TIME


class OptOutSettings(models.Model):
    """Hold what counts for the opt-outs of the whole installation, in one row."""

    is_for_all = models.BooleanField(
        "one opt-out counts for all our numbers",
        default=False,
        db_default=False,
        help_text=(
            "A person who texts STOP to one of our numbers then gets no texts from any of them, "
            "until they text START to one. It counts for opt-outs from now on; each one ends as "
            "widely as it was made."
        ),
    )

    class Meta:
        verbose_name = "opt-out setting"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="opt_out_settings_are_one_row"),
        ]

    def __str__(self) -> str:
        return "Opt-out settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> OptOutSettings:
        """Return the settings; those that nobody has changed yet are the defaults."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
