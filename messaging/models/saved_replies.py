from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from inboxes.models import Inbox
from inboxes.models.inboxes import EPOCH, MICROSECOND

if TYPE_CHECKING:
    from inboxes.models import Agent


ONLY_ME = "Only me"


class SavedReplyQuerySet(models.QuerySet["SavedReply"]):
    def visible_to(self, agent: Agent) -> SavedReplyQuerySet:
        """Keep the agent's own, and those of the agent's inboxes."""
        return self.filter(Q(agent=agent) | Q(inbox__in=Inbox.objects.visible_to(agent)))

    def offered_in(self, inbox: Inbox, agent: Agent) -> SavedReplyQuerySet:
        """Keep those of the inbox, which the agent sees, and the agent's own."""
        return self.filter(Q(agent=agent) | Q(inbox=inbox))

    def by_use(self) -> SavedReplyQuerySet:
        """Put the most used first."""
        return self.order_by("-use_count", Lower("name"), "pk")


class SavedReply(models.Model):
    """Words that are ready to be inserted: shared by an inbox, or an agent's own."""

    inbox = models.ForeignKey(
        "inboxes.Inbox", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose own it is; empty for one of an inbox.",
    )
    name = models.CharField(
        max_length=40, help_text="What is typed after the slash: one word, such as arrival-window."
    )
    body = models.TextField()
    use_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    changed_at = models.DateTimeField(auto_now=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedReplyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "saved replies"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(inbox=None, agent__isnull=False) | Q(inbox__isnull=False, agent=None),
                name="saved_reply_is_an_inboxs_or_an_agents",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="saved_reply_has_a_name"),
            models.UniqueConstraint(
                "inbox",
                Lower("name"),
                condition=~Q(inbox=None),
                name="saved_reply_name_is_unique_in_an_inbox",
            ),
            models.UniqueConstraint(
                "agent",
                Lower("name"),
                condition=~Q(agent=None),
                name="saved_reply_name_is_unique_for_an_agent",
            ),
        ]

    def __str__(self) -> str:
        return f"Saved reply {self.pk}"

    @property
    def version(self) -> int:
        """Return a number that is another one after each change."""
        return (self.changed_at - EPOCH) // MICROSECOND


class SavedReplyFileQuerySet(models.QuerySet["SavedReplyFile"]):
    def visible_to(self, agent: Agent) -> SavedReplyFileQuerySet:
        return self.filter(reply__in=SavedReply.objects.visible_to(agent))


class SavedReplyFile(models.Model):
    """A picture or file of a saved reply. A text gets a copy of it, which is its own."""

    reply = models.ForeignKey(SavedReply, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=7)
    name = models.CharField(max_length=120, blank=True, default="")
    content_type = models.CharField(max_length=128, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    is_animated = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    stored_name = models.CharField(max_length=120, unique=True, editable=False)
    thumbnail_name = models.CharField(max_length=120, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedReplyFileQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["picture", "file"]), name="saved_reply_file_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"File {self.pk} of a saved reply"

    @property
    def is_picture(self) -> bool:
        return self.kind == "picture"
