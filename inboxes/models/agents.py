from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from inboxes import times
from inboxes.models.inboxes import HasCounter


class Agent(HasCounter, AbstractUser):
    """A person who signs in. `username` is the handle by which colleagues mention them."""

    first_name = None  # type: ignore[assignment]  # one display name replaces both parts
    last_name = None  # type: ignore[assignment]  # the same
    display_name = models.CharField(max_length=120, help_text="The name that colleagues see.")
    has_sound = models.BooleanField(
        default=False, db_default=False, help_text="Play a short sound with each notification."
    )
    language = models.CharField(
        max_length=times.LONGEST_LANGUAGE,
        default="",
        db_default="",
        editable=False,
        help_text="As their browser said last, like en-GB: how they write times.",
    )
    time_zone = models.CharField(
        max_length=times.LONGEST_ZONE,
        default="",
        db_default="",
        editable=False,
        help_text="As their browser said last, like Europe/Berlin.",
    )
    undo_seconds = models.PositiveSmallIntegerField(
        "undo send",
        choices=[(0, "Off"), (5, "5 seconds"), (10, "10 seconds")],
        default=0,
        db_default=0,
        editable=False,
        help_text="How long their texts can be taken back before they leave.",
    )
    top_view = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The view over all inboxes that they chose last, as a query string.",
    )
    seq = models.BigIntegerField(
        default=0,
        editable=False,
        help_text="Counts the changes that concern this agent alone.",
    )
    password_changed_at = models.DateTimeField(null=True, editable=False)
    told_of_wrong_codes_at = models.DateTimeField(null=True, editable=False)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        verbose_name = "agent"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(display_name=""), name="agent_has_a_display_name"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. A new password is always saved together with the time when it was set."""
        if self._state.adding and self.password and self.has_usable_password():
            self.password_changed_at = self.password_changed_at or timezone.now()
        fields = kwargs.get("update_fields")
        if fields is not None and "password" in fields:
            kwargs["update_fields"] = {*fields, "password_changed_at"}
        super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()

    def check_password(self, raw_password: str | None) -> bool:
        """Return True for the right password. Hashing it anew, as Django does when its parameters
        have changed, does not count as a change of the password."""

        def hash_anew(password: str) -> None:
            changed_at = self.password_changed_at
            self.set_password(password)
            self.password_changed_at = changed_at
            self._password = None
            self.save(update_fields=["password"])

        return check_password(raw_password, self.password, hash_anew)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """Return the first word of the display name, where there is little room."""
        return self.display_name.split(" ", 1)[0]
