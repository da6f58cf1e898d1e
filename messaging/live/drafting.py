"""The part "drafts" of an agent's own frames: other tabs show what stands in the box."""

from __future__ import annotations

from collections.abc import Iterable

from threads.models import ThreadState


def draw_drafts(states: Iterable[ThreadState]) -> list[dict[str, object]]:
    """For `static/js/drafts.js`; a page takes what is newer than what it knows."""
    return [
        {
            "thread": state.thread_id,
            "body": state.draft_body,
            "is_internal": state.draft_is_internal,
            "seq": state.seq,
        }
        for state in states
    ]
