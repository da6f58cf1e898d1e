"""The part "drafts" of an agent's own frames: their other tabs show what is in the composer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from inboxes.models import Agent
from messaging.models import Attachment
from threads.models import ThreadState


def draw_drafts(agent: Agent, states: Collection[ThreadState]) -> list[dict[str, object]]:
    """Return what `static/js/composer/drafts.js` reads; a page ignores what is older than its own.

    `files` are the keys of the attachments that wait to be sent. One query.
    """
    threads = [state.thread_id for state in states]
    drafted = Attachment.objects.unsent().filter(uploader=agent, thread__in=threads)
    files: defaultdict[int, list[int]] = defaultdict(list)
    for thread_id, key in drafted.order_by("pk").values_list("thread", "pk"):
        files[thread_id].append(key)
    return [
        {
            "thread": state.thread_id,
            "body": state.draft_body,
            "is_internal": state.draft_is_internal,
            "files": files[state.thread_id],
            "seq": state.seq,
        }
        for state in states
    ]
