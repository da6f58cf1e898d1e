from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from inboxes.models import Inbox

if TYPE_CHECKING:
    from inboxes.models import Agent
    from threads.models import Thread


SHOWN_SIDE = 320  # CSS pixels of a picture's longer side in the history: half of the thumbnail's

_OFFICE = "application/vnd.openxmlformats-officedocument"
# Words for a media type, or for all types of one family.
KINDS = {
    "audio": "Sound",
    "image": "Picture",
    "video": "Video",
    "application/pdf": "PDF",
    "application/zip": "Archive",
    "text/vcard": "Contact card",
    "text/calendar": "Calendar entry",
    **dict.fromkeys(
        (
            "text/plain",
            "application/rtf",
            "application/msword",
            "application/vnd.oasis.opendocument.text",
            f"{_OFFICE}.wordprocessingml.document",
        ),
        "Document",
    ),
    **dict.fromkeys(("application/vnd.ms-excel", f"{_OFFICE}.spreadsheetml.sheet"), "Spreadsheet"),
    **dict.fromkeys(
        ("application/vnd.ms-powerpoint", f"{_OFFICE}.presentationml.presentation"),
        "Presentation",
    ),
}


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, agent: Agent) -> AttachmentQuerySet:
        """Pick those sent, received or scheduled in the agent's conversations, and the agent's own
        unsent ones."""
        is_mine = Q(uploader=agent)
        is_shared = ~Q(message=None) | ~Q(scheduled_text=None)
        is_of_inbox = Q(thread__inbox__in=Inbox.objects.visible_to(agent))
        return self.filter((is_of_inbox & (is_shared | is_mine)) | (Q(thread=None) & is_mine))

    def drafted(self, thread: Thread | None, agent: Agent) -> AttachmentQuerySet:
        """Pick what the agent has attached in the composer and not sent, in order.

        Without a thread, what waits for the first text of a conversation.
        """
        return self.unsent().filter(thread=thread, uploader=agent).order_by("pk")

    def shown_in(self, thread_id: int) -> AttachmentQuerySet:
        """Pick what can be opened of a thread's messages, the newest first."""
        sent = self.filter(thread=thread_id, state="ready").exclude(message=None)
        return sent.order_by("-pk")

    def unsent(self) -> AttachmentQuerySet:
        """Pick what is in a composer: neither sent nor scheduled."""
        return self.filter(message=None, scheduled_text=None)


class Attachment(models.Model):
    """Hold a picture or file of a message, or of a draft or a scheduled text until it is sent.

    An inbound one is *waiting* until a worker has fetched it. Triggers keep an attachment with
    the message that it was sent with, and it in one thread with its message or scheduled text.
    """

    class Kind(models.TextChoices):
        PICTURE = "picture", "Picture"
        FILE = "file", "File"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    thread = models.ForeignKey(
        "threads.Thread",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Empty while it waits for a first text, which makes the thread.",
    )
    message = models.ForeignKey(
        "messaging.Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="attachments",
        db_index=False,
    )
    scheduled_text = models.ForeignKey(
        "messaging.ScheduledText",
        null=True,
        on_delete=models.PROTECT,
        related_name="attachments",
        db_index=False,
        help_text="The text that it goes out with.",
    )
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(max_length=7, choices=Kind)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=255, blank=True, default="")
    name = models.CharField(
        max_length=120, blank=True, default="", help_text="Shown, and nothing else."
    )
    content_type = models.CharField(
        max_length=128, blank=True, default="", help_text="What its bytes say, not its sender."
    )
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of what we keep.")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    is_animated = models.BooleanField(default=False)
    sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="Hex, of the bytes as they came."
    )
    stored_name = models.CharField(max_length=120, blank=True, default="", editable=False)
    thumbnail_name = models.CharField(max_length=120, blank=True, default="", editable=False)
    source_url = models.TextField(
        blank=True, default="", editable=False, help_text="Where the carrier keeps it."
    )
    source_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["picture", "file"])
                & Q(state__in=["waiting", "ready", "failed"]),
                name="attachment_kind_and_state_are_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | ~Q(stored_name=""),
                name="ready_attachment_has_a_file",
            ),
            models.CheckConstraint(
                condition=~Q(message=None) | ~Q(uploader=None),
                name="unsent_attachment_is_somebodys",
            ),
            models.CheckConstraint(
                condition=Q(message=None) | Q(scheduled_text=None),
                name="sent_attachment_is_not_scheduled",
            ),
            models.CheckConstraint(
                condition=~Q(thread=None) | Q(message=None, scheduled_text=None),
                name="attachment_without_a_thread_is_unsent",
            ),
            models.UniqueConstraint(
                fields=["stored_name"],
                condition=~Q(stored_name=""),
                name="attachments_share_no_file",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["message", "id"], condition=~Q(message=None), name="attachment_message"
            ),
            models.Index(
                fields=["thread", "uploader", "id"],
                condition=Q(message=None),
                name="attachment_draft",
            ),
            models.Index(
                fields=["thread", "-id"],
                condition=Q(state="ready") & ~Q(message=None),
                name="attachment_of_thread",
            ),
            models.Index(fields=["id"], condition=Q(state="waiting"), name="attachment_waiting"),
            models.Index(
                fields=["scheduled_text", "id"],
                condition=~Q(scheduled_text=None),
                name="attachment_of_scheduled_text",
            ),
        ]

    def __str__(self) -> str:
        return f"Attachment {self.pk}"

    @property
    def is_picture(self) -> bool:
        return self.kind == self.Kind.PICTURE

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY

    @property
    def is_failed(self) -> bool:
        return self.state == self.State.FAILED

    @property
    def shown_width(self) -> int:
        """Return the width in the history, in CSS pixels."""
        return self._shown[0]

    @property
    def shown_height(self) -> int:
        """Return the height in the history, in CSS pixels."""
        return self._shown[1]

    @property
    def _shown(self) -> tuple[int, int]:
        width, height = self.width or SHOWN_SIDE, self.height or SHOWN_SIDE
        scale = min(1.0, SHOWN_SIDE / width, SHOWN_SIDE / height)
        return max(1, round(width * scale)), max(1, round(height * scale))

    @property
    def what(self) -> str:
        """Return the kind of file in words, judged by its bytes."""
        return KINDS.get(self.content_type.partition("/")[0]) or KINDS.get(
            self.content_type, "File"
        )

    @property
    def can_be_fetched_again(self) -> bool:
        return self.is_failed and bool(self.source_url)


class PublicLink(models.Model):
    """Hold the address at which a carrier fetches an attachment of one attempt, until it expires.

    A trigger refuses a link whose attachment is not of the attempt's message, or whose message is
    not outbound: the file of an internal message has no public address.
    """

    token = models.UUIDField(default=uuid.uuid4, unique=True)
    attachment = models.ForeignKey(
        Attachment, on_delete=models.PROTECT, related_name="links", db_index=False
    )
    attempt = models.ForeignKey(
        "messaging.Attempt", on_delete=models.PROTECT, related_name="links"
    )
    stored_name = models.CharField(
        max_length=120,
        blank=True,
        default="",
        help_text="A smaller one made for the carrier; empty: the attachment's own file.",
    )
    content_type = models.CharField(max_length=128)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["attachment", "attempt"], name="attempt_has_one_link_an_attachment"
            ),
        ]

    def __str__(self) -> str:
        return f"Public link {self.pk}"
