"""Hold what the outside world knows. None of these tables refers to Partyline's own."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from messaging.attachments.sniffing import PICTURES


def new_text_id() -> str:
    return f"sim-{uuid.uuid4().hex}"


class Text(models.Model):
    """Hold a text of a handset: one that the simulated carrier took for it, or one it sent."""

    carrier_message_id = models.CharField(max_length=64, unique=True, default=new_text_id)
    sender = models.CharField(max_length=64)
    recipient = models.CharField(max_length=64)
    body = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Text]] = models.Manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["recipient", "-id"], name="handset_texts"),
            models.Index(fields=["sender", "-id"], name="handset_sent_texts"),
        ]

    def __str__(self) -> str:
        return f"Text {self.pk}"


class File(models.Model):
    """Hold a picture or file outside: on a recipient's handset, or on its way to us."""

    token = models.UUIDField(unique=True, default=uuid.uuid4)
    text = models.ForeignKey(Text, null=True, on_delete=models.CASCADE, related_name="files")
    content_type = models.CharField(max_length=128)
    stored_name = models.CharField(max_length=120)

    objects: ClassVar[models.Manager[File]] = models.Manager()

    def __str__(self) -> str:
        return f"File {self.pk}"

    @property
    def is_picture(self) -> bool:
        return self.content_type in PICTURES


class FarEnd(models.Model):
    """Hold how the simulated carrier behaves. There is one row."""

    class Answer(models.TextChoices):
        ACCEPT = "accept", "Accepts texts"
        THROTTLE = "throttle", "Answers 429: too many requests"
        ERROR = "error", "Answers 500: server error"
        REJECT = "reject", "Rejects: number can't receive texts"
        OPT_OUT = "opt_out", "Rejects: person opted out"
        TIMEOUT = "timeout", "Accepts texts, then never answers"
        RESET = "reset", "Accepts texts, then resets the connection"

    class Receipts(models.TextChoices):
        DELIVERED = "delivered", "Sent, then delivered"
        LATE = "late", "Sent, then delivered, 15 seconds late"
        REVERSED = "reversed", "Delivered first, sent after"
        FAILED = "failed", "Sent, then failed"
        NONE = "none", "None"

    answer = models.CharField(max_length=8, choices=Answer, default=Answer.ACCEPT)
    receipts = models.CharField(max_length=9, choices=Receipts, default=Receipts.DELIVERED)

    objects: ClassVar[models.Manager[FarEnd]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="far_end_is_one"),
        ]

    def __str__(self) -> str:
        return "Far end"

    @classmethod
    def current(cls) -> FarEnd:
        return cls.objects.get_or_create(pk=1)[0]
