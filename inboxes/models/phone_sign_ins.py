from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils import timezone

from inboxes.models.agents import Agent

# How long each step may take: opening the code, comparing the words, the phone's last request.
STEP_TIME = timedelta(minutes=2)


def step_end() -> datetime:
    """Return the time by which the next step has to be taken."""
    return timezone.now() + STEP_TIME


class PhoneSignInQuerySet(models.QuerySet["PhoneSignIn"]):
    def open(self) -> PhoneSignInQuerySet:
        """Return those that are neither over nor out of time."""
        return self.filter(expires_at__gt=timezone.now()).exclude(state=PhoneSignIn.State.USED)


class PhoneSignIn(models.Model):
    """An open session's offer to sign in one phone, by a link that is drawn as a QR code.

    Neither the link nor what the phone proves itself by is stored, only hashes of them.
    """

    class State(models.TextChoices):
        OFFERED = "offered", "Waiting for the phone"
        CLAIMED = "claimed", "Waiting for the person to compare"
        CONFIRMED = "confirmed", "Waiting for the phone to come in"
        USED = "used", "The phone is signed in"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="phone_sign_ins")
    session_key = models.CharField(
        max_length=40, unique=True, help_text="Of the session that shows the code."
    )
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OFFERED)
    expires_at = models.DateTimeField()
    words = models.CharField(
        max_length=20, default="", blank=True, help_text="Shown on both screens, to be compared."
    )
    phone_hash = models.CharField(max_length=64, default="", blank=True)
    phone_user_agent = models.CharField(max_length=200, default="", blank=True)
    phone_address = models.CharField(max_length=45, default="", blank=True)

    objects = PhoneSignInQuerySet.as_manager()

    class Meta:
        verbose_name = "sign-in of a phone"
        verbose_name_plural = "sign-ins of phones"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="offered") | ~models.Q(phone_hash=""),
                name="only_a_phone_that_opened_the_code_is_signed_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state != self.State.USED and self.expires_at > timezone.now()
