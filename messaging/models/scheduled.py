from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.utils import timezone

from inboxes.models import Inbox
from messaging.models.attachments import Attachment
from messaging.models.messages import Message

if TYPE_CHECKING:
    from datetime import datetime

    from inboxes.models import Agent
    from threads.models import Thread


# Neither changed nor counted as a scheduled text: "Undo send" holds it for some seconds.
IS_LEAVING = Q(is_undoable=True, state="waiting")


class ScheduledTextQuerySet(models.QuerySet["ScheduledText"]):
    def visible_to(self, agent: Agent) -> ScheduledTextQuerySet:
        return self.filter(inbox__in=Inbox.objects.visible_to(agent))

    def pending(self) -> ScheduledTextQuerySet:
        """Pick those that an agent can still change: waiting for their time, or held back."""
        return self.filter(state__in=ScheduledText.PENDING).exclude(IS_LEAVING)

    def leaving(self) -> ScheduledTextQuerySet:
        """Pick those that their authors have sent, and can take back until they leave."""
        return self.filter(IS_LEAVING)

    def listed(self, thread: Thread) -> ScheduledTextQuerySet:
        """Pick those that a conversation shows above its composer, the next one first."""
        return self.pending().filter(thread=thread).for_strip().order_by("send_at")

    def unsent(self, thread: Thread) -> ScheduledTextQuerySet:
        """Pick what a conversation shows: those, and the ones that are leaving."""
        unsent = self.filter(thread=thread, state__in=ScheduledText.PENDING)
        return unsent.for_strip().order_by("send_at", "pk")

    def for_strip(self) -> ScheduledTextQuerySet:
        """Load what a conversation shows: the author, the files, and whether somebody wrote
        meanwhile."""
        newer = Message.objects.filter(
            ~Q(kind="internal"),
            Q(author=None) | ~Q(author=OuterRef("author")),
            thread=OuterRef("thread"),
            pk__gt=OuterRef("seen_id"),
            is_automatic=False,
            reaction="",
        ).order_by("pk")
        shown = self.select_related("author").annotate(
            newer_id=Subquery(newer.values("pk")[:1]),
            newer_author=Subquery(newer.values("author__display_name")[:1]),
        )
        return shown.with_files()

    def with_files(self) -> ScheduledTextQuerySet:
        files = Attachment.objects.order_by("pk")
        return self.prefetch_related(Prefetch("attachments", queryset=files))

    def due(self, now: datetime) -> ScheduledTextQuerySet:
        return self.filter(state=ScheduledText.State.WAITING, send_at__lte=now)


class ScheduledText(models.Model):
    """Hold a text to be sent at a later time.

    It becomes a message at that time and not before, so no code that sends can know of it. One
    transaction ends the waiting and makes the message.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        HELD = "held", "Not sent"
        SENT = "sent", "Sent"
        DELETED = "deleted", "Deleted"

    PENDING: ClassVar = [State.WAITING, State.HELD]

    thread = models.ForeignKey(
        "threads.Thread", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who saved it last, and answers for it.",
    )
    body = models.TextField()
    send_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    reason = models.CharField(
        max_length=255, blank=True, default="", help_text="Why it did not go at its hour."
    )
    is_counted = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Held, and counted among the failures of its thread.",
    )
    seen_id = models.BigIntegerField(
        default=0, help_text="The thread's newest message when it was saved last."
    )
    is_regardless = models.BooleanField(
        default=False, help_text="To go even if the conversation goes on before."
    )
    is_undoable = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Sent already as its author sees it, and held for the seconds of “Undo send”.",
    )
    marks_done = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="To mark the conversation as done when it goes.",
    )
    form_key = models.UUIDField(editable=False)
    message = models.OneToOneField(
        "messaging.Message", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    seq = models.BigIntegerField(help_text="The inbox's counter at this row's last change.")
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScheduledTextQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "held", "sent", "deleted"]),
                name="scheduled_text_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(message=None) | Q(state="sent"),
                name="scheduled_text_with_a_message_is_sent",
            ),
            models.UniqueConstraint(fields=["author", "form_key"], name="form_schedules_one_text"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["send_at"], condition=Q(state="waiting"), name="scheduled_text_due"
            ),
            models.Index(
                fields=["thread", "send_at"],
                condition=Q(state__in=["waiting", "held"]),
                name="scheduled_text_list",
            ),
            models.Index(fields=["inbox", "seq"], name="scheduled_text_changes"),
        ]

    def __str__(self) -> str:
        return f"Scheduled text {self.pk}"

    @property
    def is_leaving(self) -> bool:
        """Return True if its author has sent it and can still take it back."""
        return self.is_undoable and self.state == self.State.WAITING

    @property
    def is_pending(self) -> bool:
        """Return True if an agent can still change it."""
        return self.state in self.PENDING and not self.is_leaving

    @property
    def shown_body(self) -> str:
        """Return its words, also when they have gone into its message."""
        return self.message.body if self.message is not None else self.body

    @property
    def remaining_ms(self) -> int:
        """Return the milliseconds until it leaves, counted by our clock, never below 0."""
        remaining = self.send_at - timezone.now()
        return max(0, round(remaining.total_seconds() * 1000))

    @property
    def is_held(self) -> bool:
        return self.state == self.State.HELD

    @property
    def overtaking(self) -> str:
        """Return who wrote before it was sent, so that it will be held; empty if nobody did."""
        is_waiting = self.state == self.State.WAITING and not self.is_regardless
        if not is_waiting or self._newer_id is None:
            return ""
        return getattr(self, "newer_author", None) or "The customer"

    @property
    def version(self) -> str:
        """Return what grows with each change of how a conversation shows it."""
        return f"{self.seq}-{self._newer_id or 0}"

    @property
    def _newer_id(self) -> int | None:
        """Return the first text that came since it was saved, if `for_strip` has loaded it."""
        return getattr(self, "newer_id", None)

    @property
    def remaining_seconds(self) -> int:
        return ceil(self.remaining_ms / 1000)

    @property
    def key(self) -> str:
        """Return the sort key that the page's script orders by: the next one to go is highest."""
        return f"{FAR_AWAY - int(self.send_at.timestamp())}-{self.pk}"

    @property
    def leaving_key(self) -> str:
        """Return the sort key in the history, behind all messages, in the order of *Send*."""
        return f"{BEHIND_ALL}-{self.pk}"


BEHIND_ALL = 2**53 - 1  # No message has a key that a script could not count
FAR_AWAY = 10**11  # Seconds since 1970; far behind any hour that somebody may choose
