"""Write, change and delete saved replies, and count their uses."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from inboxes.models import Agent
from messaging.attachments import drafts
from messaging.models import Attachment, SavedReply
from threads.models import Thread


def use_reply(
    *, reply: SavedReply, thread: Thread | None, agent: Agent, has_files: bool = True
) -> list[Attachment]:
    """Put copies of the reply's files into the agent's composer, and count the use.

    Without a thread they wait for a first text. Raises FileRefused.
    """
    originals = list(reply.files.order_by("pk")) if has_files else []
    copies = drafts.add_copies(thread=thread, agent=agent, originals=originals)
    SavedReply.objects.filter(pk=reply.pk).update(
        use_count=F("use_count") + 1, used_at=timezone.now()
    )
    return copies
