"""The part "drafts" of an agent's own frames: other tabs show what stands in the box."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from inboxes.models import Agent
from messaging.models import Attachment
from threads.models import ThreadState


def draw_drafts(agent: Agent, states: Collection[ThreadState]) -> list[dict[str, object]]:
    """For `static/js/composer/drafts.js`; a page takes what is newer than what it knows. `files`
    are the attachments that wait to be sent, by their keys; one query."""
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
