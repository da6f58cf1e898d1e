from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

LIFETIME = timedelta(days=3)


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    def invitations(self) -> OneTimeLinkQuerySet:
        return self.filter(kind=OneTimeLink.Kind.INVITATION)

    def resets(self) -> OneTimeLinkQuerySet:
        return self.filter(kind=OneTimeLink.Kind.RESET)

    def waiting(self) -> OneTimeLinkQuerySet:
        """Keep links that can still be used."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())


class OneTimeLink(models.Model):
    """A link that lets a newcomer in, or an agent choose a new password. It works once.

    Only hashes of its tokens are stored. The first token is shown once to whoever made the link.
    The second one goes out by e-mail, and comes into being when the e-mail is written.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        RESET = "reset", "New password"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        USED = "used", "Used"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    class EmailState(models.TextChoices):
        NONE = "", "Not by e-mail"
        WAITING = "waiting", "Being sent"
        SENT = "sent", "Sent"
        RETRYING = "retrying", "Not sent yet"
        FAILED = "failed", "Could not be sent"

    kind = models.CharField(max_length=10, choices=Kind)
    token_hash = models.BinaryField(max_length=32, unique=True)
    email_token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )  # None if an agent asked for a reset on the sign-in page
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(editable=False)

    # Of an invitation
    name = models.CharField(
        max_length=120, blank=True, default="", help_text="Whom it is for, as far as known."
    )
    email = models.EmailField("e-mail", blank=True, default="")
    inboxes = models.ManyToManyField("inboxes.Inbox", blank=True, related_name="+")
    is_administrator = models.BooleanField("administrator", default=False)

    # Of a reset
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="reset_links",
    )
    password_mark = models.CharField(
        max_length=128,
        default="",
        editable=False,
        help_text="Of the agent's password when it was made: another password ends it.",
    )
    removes_second_factors = models.BooleanField(default=False)

    used_at = models.DateTimeField(null=True, editable=False)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    email_state = models.CharField(
        max_length=8, choices=EmailState, blank=True, default="", editable=False
    )
    email_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    email_error = models.CharField(max_length=200, blank=True, default="", editable=False)
    email_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was sent, or is tried again."
    )

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "invitation"
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="reset", agent__isnull=False, is_administrator=False)
                | Q(kind="invitation", agent=None, removes_second_factors=False),
                name="a_reset_link_is_of_an_agent_and_an_invitation_of_none",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(revoked_at=None),
                name="a_one_time_link_is_used_or_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.whose}"

    @property
    def whose(self) -> str:
        """Return for whom it is, as far as we know."""
        if self.agent is not None:
            return self.agent.display_name
        return self.name or self.email or "a colleague"

    @property
    def is_invitation(self) -> bool:
        return self.kind == self.Kind.INVITATION

    @property
    def state(self) -> State:
        if self.used_at is not None:
            return self.State.USED
        if self.revoked_at is not None:
            return self.State.REVOKED
        is_over = self.expires_at <= timezone.now()
        return self.State.EXPIRED if is_over else self.State.WAITING

    @property
    def email_address(self) -> str:
        """Return where its e-mail goes; "" if there is no address."""
        return self.agent.email if self.agent is not None else self.email

    @property
    def welcome(self) -> str:
        """Return the sentence that tells a newcomer who invites them, and to what."""
        names = list(self.inboxes.order_by("name", "pk").values_list("name", flat=True))
        if not names:
            return f"{self.maker} invites you to the team that answers texts here."
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{self.maker} invites you to {listed}."

    @property
    def maker(self) -> str:
        return self.made_by.display_name if self.made_by is not None else "Your team"
