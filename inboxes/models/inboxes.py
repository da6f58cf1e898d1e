from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value

if TYPE_CHECKING:
    from inboxes.models.agents import Agent


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class HasCounter(models.Model):
    """A row with columns that only actions write, such as its counter: `save()` leaves them alone.

    Django admin and the auth views save whole rows, with values as old as their form.
    """

    COUNTER_COLUMNS: ClassVar[frozenset[str]] = frozenset({"seq"})

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in self.COUNTER_COLUMNS
            ]
        super().save(*args, **kwargs)


class LastMessage(HasCounter):
    """Columns that let a list be drawn without reading messages.

    The actions in messaging write them. The last message is a plain number here, not a foreign
    key, because this app knows nothing of messages.
    """

    COUNTER_COLUMNS: ClassVar[frozenset[str]] = frozenset(
        {
            "seq",
            "last_message_id",
            "last_kind",
            "last_author",
            "last_excerpt",
            "last_mentions",
            "last_at",
            "failed_count",
            "unknown_count",
        }
    )

    last_message_id = models.BigIntegerField(null=True, editable=False)
    last_kind = models.CharField(max_length=8, blank=True, default="", editable=False)
    last_author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    last_excerpt = models.CharField(max_length=160, blank=True, default="", editable=False)
    last_mentions = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        editable=False,
        help_text="Where members are mentioned: [start, end, agent] in characters of the excerpt.",
    )
    last_at = models.DateTimeField(null=True, editable=False)
    failed_count = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Texts of a thread, or threads of an inbox, that failed and nobody has seen.",
    )
    unknown_count = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="The same of unknown ones; a thread with a failed text counts as failed alone.",
    )

    class Meta(HasCounter.Meta):
        abstract = True

    @property
    def failing_count(self) -> int:
        return self.failed_count + self.unknown_count

    @property
    def failure(self) -> str:
        """Return "failed" or "unknown", the worse of what nobody has seen yet; "" for nothing."""
        if self.failed_count:
            return "failed"
        return "unknown" if self.unknown_count else ""

    def last_message_mentions(self, agent_id: int) -> bool:
        """Return True if the shown excerpt of the last message mentions the agent."""
        return any(mentioned == agent_id for _, _, mentioned in self.last_mentions)


def sort_key(at: datetime | None, pk: int) -> str:
    """Return `microseconds-id`, by which lists sort, each part as a number, newest first."""
    return f"{(at - EPOCH) // MICROSECOND if at else 0}-{pk}"


class ClosedDay(models.Model):
    """A day on which an inbox is closed, whatever its weekly hours are."""

    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.CASCADE, related_name="closed_days"
    )
    date = models.DateField()
    name = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["inbox", "date"], name="inbox_is_closed_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d}"


class InboxQuerySet(models.QuerySet["Inbox"]):
    def shared(self) -> InboxQuerySet:
        return self.filter(owner=None)

    def unattended(self) -> InboxQuerySet:
        """Keep those with nobody who may sign in among members, and no such owner."""
        memberships = Inbox.members.through._default_manager
        active = memberships.filter(inbox=OuterRef("pk"), agent__is_active=True)
        return self.exclude(owner__is_active=True).filter(~Exists(active))

    def visible_to(self, agent: Agent) -> InboxQuerySet:
        """Keep the agent's own line and the shared inboxes that they are a member of."""
        return self.filter(Q(owner=agent) | Q(pk__in=agent.memberships.values("inbox")))


class Inbox(LastMessage):
    """A shared inbox, or the personal line of its owner.

    `seq` is its change counter. A transaction that changes something in the inbox takes the next
    value under the row's lock and stamps the rows it touches, so commit order is `seq` order.
    """

    name = models.CharField(max_length=120)
    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="personal_line",
        help_text="Leave empty for a shared inbox. With an owner, it's that agent's personal "
        "line.",
    )
    members: models.ManyToManyField[Agent, models.Model] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="inboxes.Membership", related_name="inboxes"
    )
    help_text = models.CharField(
        "reply to HELP",
        max_length=320,
        blank=True,
        default="",
        db_default="",
        help_text=(
            "Replies to HELP, INFO and AIDE, unless the carrier does. Leave empty to send no "
            "reply."
        ),
    )
    confirms_opt_outs = models.BooleanField(
        "confirm opt-outs",
        default=True,
        db_default=True,
        help_text="Send one text in reply to STOP and the like, unless the carrier does.",
    )
    opt_out_text = models.CharField(
        "confirmation of an opt-out",
        max_length=320,
        blank=True,
        default="",
        db_default="",
        help_text=(
            "It may only confirm, and say how to get texts again. If empty: "
            "“You're unsubscribed and will get no more texts from this number. Reply START to "
            "get them again.”"
        ),
    )
    assigns_first_answerer = models.BooleanField(
        "assign to whoever answers first",
        default=False,
        db_default=False,
        help_text="A conversation that is nobody's becomes that of the first who answers it.",
    )
    unassigned_notifies = models.BooleanField(
        "unassigned conversations notify",
        default=True,
        db_default=True,
        help_text="Whether they notify members who chose “Mine and mentions”.",
    )
    alert_after_minutes = models.PositiveIntegerField(
        "alert after minutes",
        null=True,
        blank=True,
        help_text="Notify when a text has waited this long for a reply. Leave empty for never.",
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="In which its hours are meant.",
    )
    weekly_hours = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text="For each day from Monday on, when it is open: pairs such as 08:30, 17:00. "
        "Empty where it has no hours.",
    )
    holiday_region = models.CharField(
        "closed on holidays of",
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text="A country such as US, or a part of it such as US-CA.",
    )
    answers_when_closed = models.BooleanField(
        "answer when closed",
        default=False,
        db_default=False,
        help_text="Once in each closed period, to a contact who writes.",
    )
    closed_text = models.CharField(
        "answer when closed", max_length=640, blank=True, default="", db_default=""
    )
    greets = models.BooleanField(
        "greet new contacts",
        default=False,
        db_default=False,
        help_text="Once, to a contact who writes for the first time ever.",
    )
    greeting_text = models.CharField(
        "greeting", max_length=640, blank=True, default="", db_default=""
    )
    has_quiet_hours = models.BooleanField(
        "quiet hours",
        default=False,
        db_default=False,
        help_text="Ask before a text goes to a contact outside 8 to 21 of their own time.",
    )
    members_export_contacts = models.BooleanField(
        "members may export contacts",
        default=False,
        db_default=False,
        help_text="Administrators always may.",
    )
    not_receiving_since = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Since when new texts to its number are known not to come here.",
    )
    seq = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    COUNTER_COLUMNS: ClassVar[frozenset[str]] = LastMessage.COUNTER_COLUMNS | {
        "not_receiving_since"
    }

    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "inboxes"
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="inbox_has_a_name"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(owner=None), name="shared_inbox_name_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        return self.owner_id is not None

    @property
    def list_id(self) -> str:
        """Return the id of the list that shows its threads: the top list for a personal line."""
        return "list-top" if self.is_personal else f"list-{self.pk}"

    @property
    def sort_key(self) -> str:
        return sort_key(self.last_at, self.pk)
