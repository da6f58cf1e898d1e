from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class ThreadState(models.Model):
    """One agent's own state in a thread, stamped with the agent's counter."""

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="thread_states"
    )
    thread = models.ForeignKey("threads.Thread", on_delete=models.CASCADE, related_name="states")
    last_read_id = models.BigIntegerField(
        default=0, help_text="The newest message that the agent's page has shown."
    )
    read_count = models.IntegerField(
        default=0, db_default=0, help_text="The place in the thread of that message."
    )
    is_marked_unread = models.BooleanField(default=False, db_default=False)
    hidden_id = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Deleted by the agent when this was the newest message shown; 0 if not.",
    )
    hidden_at = models.DateTimeField(
        null=True, help_text="When the agent deleted it; what was read then comes back with it."
    )
    is_muted = models.BooleanField(default=False, db_default=False)
    draft_body = models.TextField(blank=True, default="", db_default="")
    draft_is_internal = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The composer's mode; it outlives the text that was sent in it.",
    )
    seq = models.BigIntegerField(help_text="The agent's counter at the last change.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "thread"], name="agent_has_one_state_a_thread"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agent", "seq"], name="state_changes"),
            # Few states hide a thread; the counts beside views look for these alone.
            models.Index(
                fields=["thread", "agent", "hidden_id"],
                condition=Q(hidden_id__gt=0),
                name="state_hidings",
            ),
        ]

    def __str__(self) -> str:
        return f"State of agent {self.agent_id} in thread {self.thread_id}"

    def hides(self, last_text_id: int) -> bool:
        """Return True if the agent deleted the thread and no text went in or out since then."""
        return self.hidden_id > 0 and self.hidden_id >= last_text_id

    def hidden_upto(self, last_message_id: int | None, last_text_id: int) -> int:
        """Return up to where the thread is hidden; open pages leave it when this changes.

        They stay in one without any message: a text was taken back into its composer.
        """
        is_left = last_message_id is not None and self.hides(last_text_id)
        return self.hidden_id if is_left else 0
