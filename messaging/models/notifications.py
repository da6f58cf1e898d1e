from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from inboxes.models import Inbox, Membership

if TYPE_CHECKING:
    from inboxes.models import Agent


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)

    def visible_to(self, agent: Agent) -> NotificationQuerySet:
        """Pick the agent's own, of inboxes that they may still see."""
        return self.filter(agent=agent, inbox__in=Inbox.objects.visible_to(agent))

    def still_visible(self) -> NotificationQuerySet:
        """Pick those whose agents may still see the inbox, for many agents at once."""
        seats = Membership.objects.filter(agent=OuterRef("agent"), inbox=OuterRef("inbox"))
        return self.filter(Q(inbox__owner=F("agent")) | Exists(seats))

    def with_words(self) -> NotificationQuerySet:
        """Load the relations that a row and a browser notification show."""
        return self.select_related(
            "message__author", "activity__actor", "thread__contact", "inbox"
        )


class Notification(models.Model):
    """Tell one agent of one message, or of one activity. All of a message are inserted with it,
    in one statement.

    The exception is an author, who is told of a text of theirs when it fails or becomes unknown.

    `seq` is the message's, from the inbox's change counter, so that telling two hundred members
    locks none of them. Thread and inbox repeat the message's for the lists. The database checks
    only that the message exists, since each check is made two hundred times.
    """

    class Reason(models.TextChoices):
        MENTION = "mention", "Mention"
        INBOUND = "inbound", "Text in"
        OUTBOUND = "outbound", "Text out"
        INTERNAL = "internal", "Internal message"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"
        ASSIGNED = "assigned", "Assigned"
        SNOOZED = "snoozed", "Snooze ended"
        WAITING = "waiting", "Waiting for a reply"

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_constraint=False,
        db_index=False,
    )
    message = models.ForeignKey(
        "messaging.Message",
        null=True,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_index=False,
    )
    activity = models.ForeignKey(
        "threads.Activity",
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    thread = models.ForeignKey(
        "threads.Thread",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    inbox = models.ForeignKey(
        "inboxes.Inbox",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    reason = models.CharField(max_length=8, choices=Reason)
    seq = models.BigIntegerField(help_text="The inbox's counter when the agent was notified.")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "agent"], name="agent_is_notified_once_of_a_message"
            ),
            models.UniqueConstraint(
                fields=["activity", "agent"],
                condition=~Q(activity=None),
                name="agent_is_notified_once_of_an_activity",
            ),
            models.CheckConstraint(
                condition=Q(message=None, activity__isnull=False)
                | Q(message__isnull=False, activity=None),
                name="notification_is_about_one_thing",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["agent", "-id"], condition=Q(read_at=None), name="notification_unread"
            ),
            models.Index(fields=["agent", "-id"], name="notification_list"),
            models.Index(fields=["inbox", "seq"], name="notification_changes"),
            BrinIndex(fields=["created_at"], name="notification_age"),
        ]

    def __str__(self) -> str:
        return f"Notification {self.pk}"

    @property
    def is_about_failure(self) -> bool:
        """Return True if it tells an author of a text of theirs that failed or is unknown."""
        return self.reason in {self.Reason.FAILED, self.Reason.UNKNOWN}


class NotificationPreference(models.Model):
    """Hold which messages of an inbox notify an agent. Without a row, all do."""

    class Level(models.TextChoices):
        EVERYTHING = "everything", "Everything"
        INBOUND = "inbound", "Inbound and mentions"
        MINE = "mine", "Mine and mentions"
        MENTIONS = "mentions", "Mentions only"

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences"
    )
    inbox = models.ForeignKey("inboxes.Inbox", on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=10, choices=Level, default=Level.EVERYTHING)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "inbox"], name="agent_has_one_preference_an_inbox"
            ),
        ]

    def __str__(self) -> str:
        return f"Preference of agent {self.agent_id} for inbox {self.inbox_id}"


MOST_BROWSERS = 10  # Of one agent that are woken


class PushSubscriptionQuerySet(models.QuerySet["PushSubscription"]):
    def best_first(self) -> PushSubscriptionQuerySet:
        """Order those that answer before those that fail, the newest first."""
        return self.order_by("failures", "-pk")


class PushSubscription(models.Model):
    """Hold a browser's push subscription (RFC 8030, keys of RFC 8291).

    It is used while the session in which it was made lives. One that fails again and again is
    paused, and at last deleted.
    """

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions"
    )
    endpoint = models.URLField(max_length=1024, unique=True)
    p256dh = models.CharField(max_length=128)
    auth = models.CharField(max_length=64)
    session_key = models.CharField(max_length=40, db_default="", default="")
    session_hash = models.CharField(
        max_length=128,
        db_default="",
        default="",
        help_text="Of the agent's password when the browser signed in: another one ends it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveSmallIntegerField(
        db_default=0, default=0, help_text="Calls in a row that came to nothing."
    )
    paused_until = models.DateTimeField(null=True, help_text="It is left alone until then.")

    objects = PushSubscriptionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Push subscription {self.pk}"

    @property
    def service(self) -> str:
        """Return the push service's host, which tells people which browser it is."""
        return urlsplit(self.endpoint).hostname or ""
