from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class SignInSettings(models.Model):
    """The installation's own rules for signing in. There is one row, or none yet."""

    class TwoStep(models.TextChoices):
        NOBODY = "nobody", "Nobody"
        ADMINISTRATORS = "administrators", "Administrators"
        EVERYBODY = "everybody", "Everybody"

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    two_step = models.CharField(
        "two-step sign-in",
        max_length=16,
        choices=TwoStep,
        default=TwoStep.NOBODY,
        db_default=TwoStep.NOBODY,
        help_text="Who needs a second step besides the password.",
    )

    class Meta:
        verbose_name = "sign-in settings"
        verbose_name_plural = "sign-in settings"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_row_of_settings"),
        ]

    def __str__(self) -> str:
        return "Sign-in settings"


class SignInFailure(models.Model):
    """A guess that was wrong, or is being checked. It counts for a quarter of an hour; a wrong
    code is kept for a day.

    It names nobody: what was typed as a name may have been a password.
    """

    class Kind(models.TextChoices):
        """Names what has a count of its own for each address."""

        GUESS = "", "Password"
        CODE = "code", "Code"
        PASSKEY = "passkey", "Passkey"
        LINK = "link", "One-time link"
        LOST_PASSWORD = "lost password", "Request for a link"
        COMPANY = "company", "Company sign-in"
        SETUP_KEY = "setup key", "Key of the set-up"

    address = models.CharField(max_length=64, help_text="An IPv4 address, or an IPv6 network.")
    subject = models.CharField(
        max_length=64, help_text="A keyed hash of what was guessed: a name, or an agent's codes."
    )
    kind = models.CharField(max_length=16, default="", db_default="", choices=Kind)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["address", "at"], name="failures_by_address"),
            models.Index(fields=["subject", "at"], name="failures_by_subject"),
            models.Index(fields=["at"], name="failures_by_age"),
        ]

    def __str__(self) -> str:
        return f"a failure from {self.address}"
