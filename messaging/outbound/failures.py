"""Mark failed and unknown texts as seen, for the whole team."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.models import Message
from messaging.stream import failures, writing


@transaction.atomic
def mark_failure_seen(*, message: Message, agent: Agent) -> Message:
    """Take a failed or unknown text out of the lists *Failed* of all members; keep who did it.

    Changes nothing if somebody was faster, or if the text no longer fails.
    """
    seq = counters.next_inbox_seq(message.inbox_id)
    message = Message.objects.select_related("thread").get(pk=message.pk)
    if message.unseen_failure:
        failures.count_as_seen(message, seq)
        writing.change_message(
            message,
            seq,
            unseen_failure="",
            failure_seen_at=timezone.now(),
            failure_seen_by=agent,
        )
    return message
