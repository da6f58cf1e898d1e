from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Membership(models.Model):
    """An agent's membership in a shared inbox. Only Django admin changes it."""

    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.CASCADE, related_name="memberships"
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    seq = models.BigIntegerField(
        default=0, editable=False, help_text="The agent's counter when the membership began."
    )
    view = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The view of the inbox that the agent chose last, as a query string.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["inbox", "agent"], name="agent_is_a_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} in {self.inbox}"


class MembershipChange(models.Model):
    """A record of a membership that began or ended, and who changed it. Never edited."""

    class Kind(models.TextChoices):
        ADDED = "added", "Added"
        REMOVED = "removed", "Removed"

    kind = models.CharField(max_length=8, choices=Kind)
    inbox = models.ForeignKey("inboxes.Inbox", on_delete=models.CASCADE, related_name="+")
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membership_changes"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.agent} {self.get_kind_display().lower()} in {self.inbox}"
