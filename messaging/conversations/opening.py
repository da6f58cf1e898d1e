"""Open a conversation at one of its messages, or at a line of its activity."""

from __future__ import annotations

from dataclasses import replace

from inboxes.models import Agent
from messaging.conversations.activity import ActivityGroup, read_whole_group
from messaging.conversations.history import PAGE_SIZE, HistoryPage, assemble_page, history_page
from messaging.models import Message
from threads.models import Activity, Thread

MESSAGES_BEFORE = 10  # Messages shown before the one that is opened

# Messages up to the newest that one page may hold. A message further back opens a page of its own,
# with a link to the newest.
MAX_MESSAGES = 200


def page_around(thread: Thread, agent: Agent, at: int) -> HistoryPage:
    """Return the newest page if it holds the message, else one from shortly before it to the
    newest.

    A message that does not exist opens the newest page.
    """
    newest = history_page(thread, agent)
    messages = Message.objects.filter(thread=thread).on_time()
    is_shown = any(entry.message.pk == at for entry in newest.entries)
    wanted = Message.objects.filter(thread=thread, pk=at).first()
    if is_shown or wanted is None:
        return newest
    first = (
        messages.filter(pk__lte=wanted.history_order[0])
        .order_by("-pk")
        .values_list("pk", flat=True)
    )
    start = min(first[: MESSAGES_BEFORE + 1], default=0)
    found = list(messages.filter(pk__gte=start).for_history().order_by("pk")[: MAX_MESSAGES + 1])
    is_apart = len(found) > MAX_MESSAGES
    return assemble_page(
        thread,
        agent,
        found[:PAGE_SIZE] if is_apart else found,
        has_older=messages.filter(pk__lt=start).exists(),
        before=found[PAGE_SIZE].pk if is_apart else None,
        is_apart=is_apart,
    )


def page_at_line(thread: Thread, agent: Agent, line_id: int) -> HistoryPage:
    """Return a page like `page_around` with the line's group unfolded, and whole if need be.

    A line that does not exist opens the newest page.
    """
    line = Activity.objects.filter(thread=thread, pk=line_id).first()
    if line is None:
        return history_page(thread, agent)
    messages = Message.objects.filter(thread=thread).on_time().order_by("pk")
    behind = messages.filter(pk__lte=line.after_id).last() or messages.first()
    page = page_around(thread, agent, behind.pk if behind else 0)
    groups = [_unfold_at(group, agent, line) for group in page.groups]
    return replace(page, groups=groups)


def _unfold_at(group: ActivityGroup, agent: Agent, line: Activity) -> ActivityGroup:
    """Unfold the group if it is the line's."""
    if group.after_id != line.after_id:
        return group
    shown = group if line in group.activities else read_whole_group(line)
    return replace(shown.for_agent(agent.pk), opened_id=line.pk)
