from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q, Value

from inboxes.models import Inbox, LastMessage
from inboxes.models.inboxes import sort_key
from threads.models.contacts import Contact

if TYPE_CHECKING:
    from inboxes.models import Agent


# What the index of the list *Failed* holds.
IS_FAILING = Q(failed_count__gt=0) | Q(unknown_count__gt=0)

IS_OPEN = Q(status="open")


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, agent: Agent) -> ThreadQuerySet:
        return self.filter(inbox__in=Inbox.objects.visible_to(agent))

    def failing(self) -> ThreadQuerySet:
        """Keep those with failed or unknown texts that nobody has seen."""
        return self.filter(IS_FAILING)

    def for_rows(self) -> ThreadQuerySet:
        """Load the relations that a row of a list shows."""
        return self.select_related("contact", "inbox", "last_author", "assignee")


class Thread(LastMessage):
    """All messages between one inbox and one contact.

    The columns that count and index the messages are written by the actions in messaging.
    """

    COUNTER_COLUMNS: ClassVar[frozenset[str]] = LastMessage.COUNTER_COLUMNS | {
        "last_text_id",
        "needs_reply",
        "message_count",
        "words",
        "our_address",
        "is_to_group",
        "priority",
        "status",
        "snoozed_until",
        "snoozed_by",
        "assignee",
        "scheduled_count",
        "label_ids",
        "waiting_since",
        "was_alerted",
    }

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        SNOOZED = "snoozed", "Snoozed"
        BLOCKED = "blocked", "Blocked"

    class Priority(models.TextChoices):
        URGENT = "urgent", "Urgent"
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"

    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.PROTECT, related_name="threads", db_index=False
    )
    contact = models.OneToOneField(Contact, on_delete=models.PROTECT, related_name="thread")
    our_address = models.CharField(
        max_length=32,
        help_text="The number of ours that this conversation last went through.",
    )
    priority = models.CharField(max_length=6, choices=Priority, blank=True, default="")
    status = models.CharField(
        max_length=7,
        choices=Status,
        default=Status.OPEN,
        db_default=Status.OPEN,
        editable=False,
        help_text="Of the team's work on it; it hides nothing.",
    )
    snoozed_until = models.DateTimeField(null=True, editable=False)
    snoozed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The member of the inbox whose it is.",
    )
    scheduled_count = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Scheduled texts that have not gone: they wait, or were held back.",
    )
    label_ids = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=Value([], ArrayField(models.BigIntegerField())),
        editable=False,
        help_text="Its labels, in the order of their keys; ThreadLabel has the same for lists.",
    )
    waiting_since = models.DateTimeField(
        null=True, editable=False, help_text="When the first text came in that needs a reply."
    )
    was_alerted = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether its members were told that it has waited for too long.",
    )
    last_text_id = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="The newest message that went in or out; internal ones do not count.",
    )
    needs_reply = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether the last text came in and asks for an answer that can be given.",
    )
    is_to_group = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether the contact's last text went to a group of people.",
    )
    message_count = models.IntegerField(default=0, db_default=0, editable=False)
    words = SearchVectorField(
        null=True, editable=False, help_text="Of the last message, as threads/words.py folds them."
    )
    seq = models.BigIntegerField(help_text="The inbox's counter at this row's last change.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(priority="") | Q(priority__in=["urgent", "high", "medium", "low"]),
                name="thread_priority_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status="snoozed", snoozed_until__isnull=False)
                | Q(status__in=["open", "done", "blocked"], snoozed_until=None, snoozed_by=None),
                name="thread_is_snoozed_until_a_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=~Q(status="blocked"),
                name="thread_all_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(status="blocked"),
                name="thread_blocked_list",
            ),
            models.Index(fields=["inbox", "seq"], name="thread_changes"),
            models.Index(
                "inbox",
                "priority",
                F("last_at").desc(),
                F("id").desc(),
                condition=~Q(priority=""),
                name="thread_priority_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=IS_FAILING,
                name="thread_failed_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(needs_reply=True) & IS_OPEN,
                name="thread_wanting_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=IS_OPEN,
                name="thread_open_list",
            ),
            models.Index(
                "inbox",
                "assignee",
                F("last_at").desc(),
                F("id").desc(),
                condition=IS_OPEN,
                name="thread_assignee_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(status="done"),
                name="thread_done_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(status="snoozed"),
                name="thread_snoozed_list",
            ),
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(scheduled_count__gt=0),
                name="thread_scheduled_list",
            ),
            models.Index(
                fields=["snoozed_until"],
                condition=Q(status="snoozed"),
                name="thread_snooze_ends",
            ),
            models.Index(
                fields=["inbox", "waiting_since"],
                condition=IS_OPEN & Q(needs_reply=True, was_alerted=False),
                name="thread_waits",
            ),
            models.Index(
                fields=["assignee", "inbox"],
                condition=~Q(assignee=None),
                name="thread_of_assignee",
            ),
            GinIndex(fields=["words"], name="thread_words"),
        ]

    def __str__(self) -> str:
        return f"Thread {self.pk}"

    @property
    def is_personal(self) -> bool:
        return self.inbox.is_personal

    @property
    def sort_key(self) -> str:
        return sort_key(self.last_at, self.pk)
