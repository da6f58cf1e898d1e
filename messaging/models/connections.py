from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone

from inboxes import encryption
from messaging.carriers import numbers
from messaging.models.accounts import CarrierAccount
from threads import addresses

# Whoever began to connect a number and has not ended by now was interrupted.
CONNECTING_TIME = timedelta(minutes=2)
# Looked at every hour, a number is told as not checked when that failed for so long.
UNCHECKED_AFTER = timedelta(hours=4)


class NumberListing(models.Model):
    """Keep the numbers of an account as its carrier told them last, so that people can leaf
    through five thousand of them. The addresses of others' webhooks in it may hold tokens."""

    account = models.OneToOneField(
        CarrierAccount, primary_key=True, on_delete=models.CASCADE, related_name="listing"
    )
    read_at = models.DateTimeField()
    encrypted_numbers = models.TextField(editable=False)
    count = models.PositiveIntegerField(default=0)
    cursor = models.TextField(
        blank=True, default="", help_text="Where to go on reading; empty if it is all."
    )
    gaps = models.JSONField(default=list, help_text="Sentences on what the carrier didn't tell.")

    def __str__(self) -> str:
        return f"Numbers of account {self.account_id}"

    def get_numbers(self) -> list[numbers.OfferedNumber]:
        """Return the numbers. Raise encryption.UndecryptableError."""
        kept = json.loads(encryption.decrypt(self.encrypted_numbers)["numbers"])
        return [numbers.OfferedNumber.read(one) for one in kept]

    def set_numbers(self, offered: list[numbers.OfferedNumber]) -> None:
        """Encrypt with the first key; the caller saves."""
        values = json.dumps([one.as_values() for one in offered])
        self.encrypted_numbers = encryption.encrypt({"numbers": values})
        self.count = len(offered)


class NumberConnectionQuerySet(models.QuerySet["NumberConnection"]):
    def watched(self) -> NumberConnectionQuerySet:
        """Pick those that are looked at every hour."""
        return self.filter(state__in=WATCHED)

    def not_receiving(self) -> NumberConnectionQuerySet:
        """Pick those whose new texts don't reach us, as far as we know."""
        return self.filter(state__in=NOT_RECEIVING, account__is_active=True)

    def not_checked(self, now: datetime) -> NumberConnectionQuerySet:
        """Pick those that were set to us when their carrier told last, which is long ago."""
        silent = self.filter(state=NumberConnection.State.OURS, account__is_active=True)
        return silent.filter(good_at__lt=now - UNCHECKED_AFTER).exclude(trouble="")


class NumberConnection(models.Model):
    """Remember what we set at the carrier for one number, and what was there before.

    It is found by its address, and may be older than the number that routes to an inbox. The steps
    are kept from before the first one is made, so that a connection that broke off can be resumed
    or undone. Addresses of others' webhooks in them may hold tokens, so they are encrypted.
    """

    class State(models.TextChoices):
        CONNECTING = "connecting", "Not finished"
        OURS = "ours", "Receiving"
        CHANGED = "changed", "Not receiving"
        GONE = "gone", "No longer in the account"
        UNWATCHED = "unwatched", "Not watched"
        DISCONNECTED = "disconnected", "Disconnected"

    account = models.ForeignKey(
        CarrierAccount, on_delete=models.PROTECT, related_name="connections"
    )
    address = models.CharField(max_length=32, unique=True)
    carrier_id = models.CharField(max_length=255)
    state = models.CharField(max_length=12, choices=State, default=State.CONNECTING)
    about = models.JSONField(
        default=dict, help_text="What the carrier told of it last: kind, place, registration."
    )
    handler = models.CharField(
        max_length=16, blank=True, default="", help_text="The resource that routes its texts."
    )
    handler_id = models.CharField(max_length=255, blank=True, default="")
    encrypted_steps = models.TextField(blank=True, default="", editable=False)
    encrypted_route = models.TextField(
        blank=True, default="", editable=False, help_text="Where its texts went at the last check."
    )
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    connected_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(
        null=True, help_text="Since when somebody is changing it at the carrier."
    )
    tried_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, help_text="When the carrier answered last.")
    good_at = models.DateTimeField(null=True, help_text="When it was last seen set to us.")
    changed_at = models.DateTimeField(null=True, help_text="When it was first seen changed.")
    next_check_at = models.DateTimeField(null=True)
    trouble = models.CharField(
        max_length=255, blank=True, default="", help_text="Why the last try told or did nothing."
    )
    revision = models.PositiveIntegerField(
        default=0,
        help_text="Grows with every change of ours, so that an older reading is dropped.",
    )

    objects = NumberConnectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="changed", changed_at__isnull=False) | ~Q(state="changed"),
                name="changed_number_says_since_when",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
                name="connection_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Connection of a number, {self.pk}"

    @property
    def display(self) -> str:
        return addresses.format_address(self.address)

    @property
    def is_receiving(self) -> bool:
        """Return True if new texts come to us, as far as the last check told."""
        return self.state == self.State.OURS

    @property
    def unchecked_since(self) -> datetime | None:
        """Return when it was last seen set to us, if that is too long ago to rely on."""
        if self.state != self.State.OURS:
            return None
        return unchecked_since(self.good_at)

    @property
    def is_watched(self) -> bool:
        return self.state in WATCHED

    @property
    def registration(self) -> numbers.Registration | None:
        kept = self.about.get("registration")
        return numbers.Registration(**kept) if kept else None

    def is_claimed(self, now: datetime) -> bool:
        """Return True while somebody is changing it at the carrier."""
        return self.claimed_at is not None and now - self.claimed_at < CONNECTING_TIME

    def get_steps(self) -> list[numbers.Step]:
        """Return the steps that we made or began. Raise encryption.UndecryptableError."""
        if not self.encrypted_steps:
            return []
        kept = json.loads(encryption.decrypt(self.encrypted_steps)["steps"])
        return [numbers.Step.read(one) for one in kept]

    def set_steps(self, steps: list[numbers.Step]) -> None:
        """Encrypt with the first key; the caller saves."""
        values = json.dumps([one.as_values() for one in steps])
        self.encrypted_steps = encryption.encrypt({"steps": values}) if steps else ""

    @property
    def host_before(self) -> str:
        """Return the host that got its texts before us; empty if none did, or we can't tell."""
        try:
            values = [change.now for step in self.get_steps() for change in step.fields]
        except encryption.UndecryptableError:
            return ""
        return next((host for host in map(numbers.host_of, values) if host), "")

    def get_route(self) -> numbers.Route | None:
        """Return where the texts went at the last check. Raise encryption.UndecryptableError."""
        if not self.encrypted_route:
            return None
        values: dict[str, Any] = json.loads(encryption.decrypt(self.encrypted_route)["route"])
        return numbers.Route.read(values)

    def set_route(self, route: numbers.Route | None) -> None:
        """Encrypt with the first key; the caller saves."""
        values = None if route is None else json.dumps(route.as_values())
        self.encrypted_route = encryption.encrypt({"route": values}) if values else ""


def unchecked_since(good_at: datetime | None) -> datetime | None:
    """Return the time of the last good check of a number, if it is too long ago to rely on."""
    is_late = good_at is not None and good_at < timezone.now() - UNCHECKED_AFTER
    return good_at if is_late else None


WATCHED = (
    NumberConnection.State.OURS,
    NumberConnection.State.CHANGED,
    NumberConnection.State.GONE,
    NumberConnection.State.CONNECTING,
)
NOT_RECEIVING = (NumberConnection.State.CHANGED, NumberConnection.State.GONE)


class ConnectionEvent(models.Model):
    """Keep one line of what happened to a connection. Its words name hosts, no whole addresses."""

    class Kind(models.TextChoices):
        CONNECTED = "connected", "Set to Partyline"
        CHANGED = "changed", "Changed elsewhere"
        GONE = "gone", "No longer in the account"
        MENDED = "mended", "Set to Partyline again, elsewhere"
        SET_BACK = "set_back", "Set back"
        STOPPED = "stopped", "Watching stopped"
        WATCHED = "watched", "Watched again"
        DISCONNECTED = "disconnected", "Given back"
        LEFT = "left", "Left as it is"
        FAILED = "failed", "Not changed"
        UNREACHABLE = "unreachable", "Not checked"

    connection = models.ForeignKey(
        NumberConnection, on_delete=models.CASCADE, related_name="events"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    words = models.CharField(max_length=255, blank=True, default="", db_default=Value(""))

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} at connection {self.connection_id}"

    @property
    def is_bad(self) -> bool:
        kinds = self.Kind
        return self.kind in (kinds.CHANGED, kinds.GONE, kinds.FAILED, kinds.UNREACHABLE)
