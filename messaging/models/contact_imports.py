from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, Value

from inboxes.models import Inbox

if TYPE_CHECKING:
    from inboxes.models import Agent


class ContactImportQuerySet(models.QuerySet["ContactImport"]):
    def visible_to(self, agent: Agent) -> ContactImportQuerySet:
        """Keep the agent's own, into inboxes that are still theirs."""
        return self.filter(agent=agent, inbox__in=Inbox.objects.visible_to(agent))


class ContactImport(models.Model):
    """A file of contacts on its way into an inbox: uploaded, read, looked at, imported."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Columns to be chosen"
        READING = "reading", "Being read"
        READY = "ready", "To be looked at"
        IMPORTING = "importing", "Being imported"
        CANCELLING = "cancelling", "Being taken back"
        FINISHED = "finished", "Imported"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    inbox = models.ForeignKey("inboxes.Inbox", on_delete=models.CASCADE, related_name="+")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    reason = models.CharField(max_length=255, blank=True, default="")
    file_name = models.CharField(max_length=120, help_text="Shown, and nothing else.")
    stored_name = models.CharField(max_length=120, blank=True, default="", editable=False)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    encoding = models.CharField(max_length=32, blank=True, default="")
    separator = models.CharField(max_length=1, blank=True, default="")
    has_header = models.BooleanField(
        default=True, db_default=True, help_text="Whether its first line names the columns."
    )
    headers = models.JSONField(
        default=list, db_default=Value([], models.JSONField()), help_text="The columns' names."
    )
    mapping = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="The number of the column, from 0, by the name of the field.",
    )
    region = models.CharField(max_length=2, blank=True, default="")
    line_count = models.IntegerField(default=0)
    contact_count = models.IntegerField(
        default=0, db_default=0, help_text="Contacts that it adds or changes."
    )
    new_count = models.IntegerField(default=0)
    merged_count = models.IntegerField(default=0)
    same_count = models.IntegerField(default=0)
    opt_out_count = models.IntegerField(default=0)
    error_count = models.IntegerField(default=0)
    done_count = models.IntegerField(default=0, help_text="Lines that the job has come to.")
    failures = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How often in a row a batch stopped with an error that nobody expected.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = ContactImportQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "uploaded",
                        "reading",
                        "ready",
                        "importing",
                        "cancelling",
                        "finished",
                        "cancelled",
                        "failed",
                    ]
                ),
                name="contact_import_state_is_known",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="contact_import_age")]

    def __str__(self) -> str:
        return f"Import {self.pk}"

    @property
    def repeated_count(self) -> int:
        """Return how many lines have the number of a line above them."""
        counted = self.new_count + self.merged_count + self.same_count + self.error_count
        return self.line_count - counted


class ContactImportLine(models.Model):
    """One line of the file, what becomes of it, and what it replaced, for taking it back."""

    class Outcome(models.TextChoices):
        NEW = "new", "New"
        MERGE = "merge", "Merges"
        SAME = "same", "Changes nothing"
        ERROR = "error", "Left out"

    contact_import = models.ForeignKey(
        ContactImport, on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    line = models.IntegerField(help_text="Its number in the file, from 1.")
    outcome = models.CharField(max_length=5, choices=Outcome)
    address = models.CharField(max_length=64, blank=True, default="")
    values = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    is_opt_out = models.BooleanField(default=False, db_default=False)
    changes = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="What it adds to the contact, what it replaces, and an earlier line of it.",
    )
    column = models.CharField(max_length=120, blank=True, default="", db_default="")
    error = models.CharField(max_length=255, blank=True, default="", db_default="")
    before = models.JSONField(null=True, help_text="What the contact was, once it was imported.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["contact_import", "line"], name="line_is_imported_once"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["new", "merge", "same", "error"]),
                name="import_line_outcome_is_known",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["contact_import", "line"],
                condition=Q(outcome="error"),
                name="import_line_errors",
            ),
            models.Index(
                fields=["contact_import", "address"],
                condition=~Q(address=""),
                name="import_line_address",
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line} of an import"
