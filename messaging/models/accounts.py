from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Value

from inboxes import encryption
from messaging.carriers import CARRIERS, get_carrier
from messaging.carriers.base import Carrier
from threads import addresses

NOT_FICTIONAL = (
    "The simulator reaches no phone, so it takes only made-up numbers like (202) 555-0110."
)


def new_account_token() -> str:
    return secrets.token_urlsafe(24)


class CarrierAccount(models.Model):
    """Hold our account with a carrier. The token in its webhook URL names the secret to verify
    with."""

    carrier = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    token = models.CharField(max_length=64, unique=True, default=new_account_token, editable=False)
    encrypted_credentials = models.TextField(blank=True, default="", editable=False)
    is_active = models.BooleanField(
        "in use", default=True, help_text="Turn this off instead of deleting the account."
    )
    rejected_count = models.PositiveBigIntegerField("webhooks rejected", default=0, editable=False)
    last_rejected_at = models.DateTimeField(null=True, editable=False)
    last_rejection = models.CharField(max_length=255, blank=True, default="", editable=False)
    self_tested_at = models.DateTimeField(null=True, editable=False)
    self_test = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        editable=False,
        help_text="What the last self-test found, as messaging/accounts/self_test.py writes it.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="carrier_account_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_credentials(self) -> dict[str, str]:
        """Return the decrypted credentials by name. Raise encryption.UndecryptableError."""
        return encryption.decrypt(self.encrypted_credentials)

    def set_credentials(self, values: dict[str, str]) -> None:
        """Encrypt with the first key; the caller saves."""
        self.encrypted_credentials = encryption.encrypt(values)

    @property
    def is_on(self) -> bool:
        """Return True if it is active and its carrier is known to this version."""
        return self.is_active and self.carrier in CARRIERS

    @property
    def is_known(self) -> bool:
        """Return True if its carrier is known here: the simulator is not everywhere."""
        return self.carrier in CARRIERS

    @property
    def adapter(self) -> Carrier:
        return get_carrier(self.carrier)

    @property
    def webhook_path(self) -> str:
        return f"/webhooks/{self.carrier}/{self.token}/"

    @property
    def webhook_url(self) -> str:
        """Return the address to enter in the carrier's console."""
        return f"{settings.PUBLIC_URL}{self.webhook_path}"


class Number(models.Model):
    """Hold one phone number of ours. It belongs to one carrier account and routes to one inbox."""

    address = models.CharField(
        max_length=32,
        unique=True,
        help_text="With its country code, like +12025550110, or a short code.",
    )
    account = models.ForeignKey(CarrierAccount, on_delete=models.PROTECT, related_name="numbers")
    inbox = models.OneToOneField("inboxes.Inbox", on_delete=models.PROTECT, related_name="number")
    segments_per_second = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1000)],
        help_text=(
            "How fast texts may be sent. If empty, as fast as the carrier allows an ordinary "
            "number, which is mostly 1."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(segments_per_second=None) | Q(segments_per_second__gt=0),
                name="number_sends_at_some_rate",
            ),
            models.CheckConstraint(
                condition=Q(address__regex=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$"),
                name="number_is_e164_or_a_short_code",
            ),
        ]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        """Keep real numbers off the simulator, whose texts reach nobody."""
        is_simulated = bool(self.account_id) and self.account.carrier == "simulator"
        if is_simulated and not addresses.is_fictional(self.address):
            raise ValidationError({"account": NOT_FICTIONAL})

    @property
    def display(self) -> str:
        return addresses.format_address(self.address)

    @property
    def rate(self) -> float:
        """Return how many segments per second may leave."""
        return self.segments_per_second or self.account.adapter.capabilities.segments_per_second

    @property
    def longest_text(self) -> int:
        """Return how many characters a text may have: the carrier's limit, or ours if that is
        lower."""
        return min(settings.MESSAGE_LIMIT, self.account.adapter.capabilities.longest_text)
