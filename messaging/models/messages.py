from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q, Value
from django.utils.functional import cached_property

from inboxes.models import Inbox
from messaging.models.opt_outs import OptOut
from messaging.models.states import DeliveryState
from threads import addresses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from inboxes.models import Agent
    from threads.models import Thread


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, agent: Agent) -> MessageQuerySet:
        return self.filter(inbox__in=Inbox.objects.visible_to(agent))

    def for_history(self) -> MessageQuerySet:
        """Load the relations that a bubble shows."""
        return self.select_related("author")

    def shown_upto(self, thread: Thread, message_id: int) -> Message | None:
        """Return the newest message that a page showed when it reported this one as shown."""
        return self.filter(thread=thread, pk__lte=message_id).order_by("-pk").first()

    def on_time(self) -> MessageQuerySet:
        """Pick those whose keys give their position in the thread."""
        return self.filter(after_id=None)

    def late(self) -> MessageQuerySet:
        """Pick the others: each belongs behind the message that it names."""
        return self.filter(after_id__isnull=False)

    def of_others_since(self, thread: Thread, agent: Agent, message_id: int) -> MessageQuerySet:
        """Pick what the contact and colleagues wrote after a message; a tapback is no answer."""
        others = self.filter(thread=thread, pk__gt=message_id, is_automatic=False, reaction="")
        return others.exclude(author=agent).for_history().order_by("pk")

    def waiting_to_be_sent(self) -> MessageQuerySet:
        """Pick outbound messages that are queued, oldest first."""
        return self.filter(kind="outbound", state=DeliveryState.QUEUED).order_by("pk")

    def waiting_for_a_turn(self) -> MessageQuerySet:
        """Pick those of them whose number was busy and that have no turn yet."""
        return self.waiting_to_be_sent().filter(turn_at=None, expected_at__isnull=False)


class Message(models.Model):
    """Hold one entry of a thread: inbound, outbound or internal.

    Within an inbox the primary keys ascend in order of commit, since a message is inserted under
    the lock of the inbox's change counter.
    """

    class Kind(models.TextChoices):
        INBOUND = "inbound", "Inbound"
        OUTBOUND = "outbound", "Outbound"
        INTERNAL = "internal", "Internal"

    class Keyword(models.TextChoices):
        OPT_OUT = "opt_out", "Opt-out"
        OPT_IN = "opt_in", "Opt-in"
        HELP = "help", "Help"

    # Not stored: if its inbox ever answers by itself, known as soon as the text is recorded.
    may_be_answered = False

    thread = models.ForeignKey(
        "threads.Thread", on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    inbox = models.ForeignKey(
        "inboxes.Inbox", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    body = models.TextField()
    created_at = models.DateTimeField()
    seq = models.BigIntegerField(help_text="The inbox's counter at this row's last change.")
    mentions = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text="Where members are mentioned: [start, end, agent] in characters of the body.",
    )
    position = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Its place in the thread, from 1; an automatic text has that of the one before.",
    )
    words = SearchVectorField(
        null=True, editable=False, help_text="Of the body, as threads/words.py folds them."
    )
    is_automatic = models.BooleanField(
        default=False, db_default=False, help_text="Written by Partyline, not by an agent."
    )
    keyword = models.CharField(
        max_length=7,
        choices=Keyword,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="What an inbound text was understood as, by us or by the carrier.",
    )
    reaction = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The sign of a tapback, which is a text such as: Liked “See you”.",
    )
    is_reaction_removed = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether the tapback takes an earlier one back.",
    )
    reaction_to = models.ForeignKey(
        "self",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="reactions",
        db_constraint=False,
        db_index=False,
        help_text="The message that it quotes, if that was found.",
    )
    reacted_with = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The sign that the contact's tapbacks leave on this message.",
    )
    picture_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    file_count = models.SmallIntegerField(default=0, db_default=0, editable=False)
    form_key = models.UUIDField(null=True, editable=False)

    state = models.CharField(max_length=9, choices=DeliveryState, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts surely not taken by the carrier since somebody last asked."
    )
    next_try_at = models.DateTimeField(null=True, help_text="Not to be tried again before.")
    unseen_failure = models.CharField(
        max_length=7,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="How it counts among the failures that nobody has seen.",
    )
    failure_seen_at = models.DateTimeField(null=True, editable=False)
    failure_seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    wanted_at = models.DateTimeField(
        null=True, help_text="Since when it is wanted out, if not since it was written."
    )
    expected_at = models.DateTimeField(
        null=True, help_text="About when its number has a turn for it, while it waits for one."
    )
    turn_at = models.DateTimeField(null=True, help_text="When its number gave it a turn.")

    account = models.ForeignKey(
        "messaging.CarrierAccount",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    carrier_message_id = models.CharField(max_length=128, blank=True, default="")
    carrier_sent_at = models.DateTimeField(null=True)
    other_recipients = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        editable=False,
        help_text="Addresses to which an inbound group text went besides our number.",
    )
    after_id = models.BigIntegerField(
        null=True,
        editable=False,
        help_text=(
            "For a text that was found afterwards: the message of its thread behind which it "
            "belongs by the carrier's clock; 0 for before all."
        ),
    )

    # What the carrier itself says of its last attempt; only on messages that are shown.
    carrier_words: str = ""

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["inbound", "outbound", "internal"]),
                name="message_kind_is_known",
            ),
            models.CheckConstraint(
                condition=(Q(kind="outbound") & ~Q(state=""))
                | (~Q(kind="outbound") & Q(state="")),
                name="only_outbound_messages_have_a_delivery_state",
            ),
            models.CheckConstraint(
                condition=~Q(kind="inbound") | Q(author=None),
                name="inbound_message_has_no_author",
            ),
            models.UniqueConstraint(
                fields=["account", "carrier_message_id"],
                condition=Q(kind="inbound"),
                name="inbound_message_is_stored_once",
            ),
            models.CheckConstraint(
                condition=Q(after_id=None) | Q(kind="inbound", carrier_sent_at__isnull=False),
                name="late_message_came_in_at_a_known_time",
            ),
            models.CheckConstraint(
                condition=Q(unseen_failure="")
                | Q(kind="outbound", unseen_failure__in=["failed", "unknown"]),
                name="only_outbound_messages_have_an_unseen_failure",
            ),
            models.UniqueConstraint(
                fields=["author", "form_key"],
                condition=~Q(form_key=None),
                name="form_makes_one_message",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["thread", "-id"], name="message_history"),
            models.Index(fields=["inbox", "seq"], name="message_changes"),
            GinIndex(fields=["words"], name="message_words"),
            models.Index(
                fields=["thread", "id"],
                condition=Q(kind="outbound", state="queued"),
                name="message_queue",
            ),
            models.Index(
                fields=["thread", "after_id"],
                condition=Q(after_id__isnull=False),
                name="message_late",
            ),
            models.Index(
                fields=["reaction_to", "id"],
                condition=~Q(reaction_to=None),
                name="message_reactions",
            ),
        ]

    def __str__(self) -> str:
        return f"Message {self.pk}"

    @property
    def is_inbound(self) -> bool:
        return self.kind == self.Kind.INBOUND

    @property
    def is_internal(self) -> bool:
        return self.kind == self.Kind.INTERNAL

    @property
    def is_delivered(self) -> bool:
        return self.state == DeliveryState.DELIVERED

    @property
    def is_late(self) -> bool:
        """Return True if it was found after its time and belongs among older messages."""
        return self.after_id is not None

    @property
    def is_shown_reaction(self) -> bool:
        """Return True for a tapback whose message was found: it shows there."""
        return self.reaction_to_id is not None

    @property
    def is_to_group(self) -> bool:
        return bool(self.other_recipients)

    @property
    def others_display(self) -> str:
        """Return to whom else a group text went, as people write numbers."""
        return list_in_words(
            [addresses.format_address(address) for address in self.other_recipients]
        )

    @property
    def shown_at(self) -> datetime:
        """Return when it was sent as far as we know, else when it was stored."""
        late = self.carrier_sent_at if self.is_late else None
        return late or self.created_at

    @property
    def history_order(self) -> tuple[int, int, int]:
        """Return its position in the history: its own key, or behind the message it belongs to if
        late."""
        if self.after_id is None:
            return self.pk, 0, 0
        return self.after_id, int(self.shown_at.timestamp() * 1000), self.pk

    @property
    def sort_key(self) -> str:
        """Return the position as `static/js/live/fragments.js` compares it."""
        return "-".join(map(str, self.history_order)) if self.is_late else str(self.pk)

    @property
    def has_attachments(self) -> bool:
        return bool(self.picture_count or self.file_count)

    @property
    def summary(self) -> str:
        """Return one line for lists: the text, or if it has none a count of pictures and files."""
        return (
            self.body if self.body.strip() else describe_files(self.picture_count, self.file_count)
        )

    def mentions_agent(self, agent_id: int) -> bool:
        return any(mentioned == agent_id for _, _, mentioned in self.mentions)

    @property
    def state_label(self) -> str:
        return DeliveryState(self.state).label if self.state else ""

    @property
    def leaves_at(self) -> datetime | None:
        """Return about when it will be sent, if it waits for a turn or for its next try."""
        if self.state != DeliveryState.QUEUED:
            return None
        return self.next_try_at or self.expected_at

    @property
    def has_failed(self) -> bool:
        """Return True if it is failed or unknown."""
        return self.state in {DeliveryState.FAILED, DeliveryState.UNKNOWN}

    @cached_property
    def is_confirmation(self) -> bool:
        """Return True if it confirms an opt-out; such a text is never sent again."""
        return OptOut.objects.confirmed_by([self]).exists()

    @property
    def can_be_retried(self) -> bool:
        return self.has_failed and not self.is_confirmation


def list_in_words(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    *first, last = items or [""]
    return f"{', '.join(first)} and {last}" if first else last


def describe_files(pictures: int, files: int) -> str:
    """Return words such as "2 pictures" or "Picture and 2 files"; empty for none."""
    words = [
        one if number == 1 else f"{number} {several}"
        for number, one, several in [
            (pictures, "Picture", "pictures"),
            (files, "file" if pictures else "File", "files"),
        ]
        if number
    ]
    return " and ".join(words)
