"""Say in words what an action on many threads is doing, has done, or has taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from inboxes.models import Agent, Inbox, MembershipChange
from messaging.models import BulkAction
from messaging.work.bulk_deeds import Deed

State = BulkAction.State

# What it does to so many conversations; what it has done.
_WORDS: Mapping[str, tuple[str, str]] = {
    Deed.ASSIGN: ("Assigning {n}{to}", "{conversations} assigned{to}"),
    Deed.DONE: ("Marking {n} as done", "{conversations} marked done"),
    Deed.REOPEN: ("Reopening {n}", "{conversations} reopened"),
    Deed.SNOOZE: ("Snoozing {n}", "{conversations} snoozed"),
    Deed.LABEL: ("Adding{label} to {n}", "Added{label} to {conversations}"),
    Deed.UNLABEL: ("Removing{label} from {n}", "Removed{label} from {conversations}"),
    Deed.READ: ("Marking {n} as read", "{conversations} marked read"),
    Deed.UNREAD: ("Marking {n} as unread", "{conversations} marked unread"),
    Deed.DELETE: ("Deleting {n}", "{conversations} deleted for you"),
}
_NOBODY = ("Unassigning {n}", "{conversations} unassigned")

# What became of those that something unseen kept as they were.
_KEPT = {
    Deed.DONE: ("a new text came in, so it stays open", "new texts came in, so they stay open"),
    Deed.DELETE: ("a new text came in, so it stays", "new texts came in, so they stay"),
}


def describe(action: BulkAction) -> str:
    """Return a sentence or two about what the action does or did, for whoever did it."""
    match action.state:
        case State.RUNNING if "view" in action.details:
            doing = _pattern(action)[0].format(n="all in this view", **_names(action))
            return f"{doing}…"
        case State.RUNNING:
            doing = _pattern(action)[0].format(n=f"{action.total:,}", **_names(action))
            return f"{doing}… {action.done_count:,}"
        case State.UNDOING:
            return f"Undoing {action.total:,}… {action.done_count:,}"
        case State.UNDONE:
            return _describe_undone(action)
        case _:
            return _describe_done(action)


def _describe_done(action: BulkAction) -> str:
    changed = action.details.get("changed", 0)
    exceptions = [
        *_kept_in_words(action),
        *_blocked_in_words(action),
        *_refused_in_words(action),
    ]
    if not changed and not exceptions:
        return "Nothing had to be changed"
    done = _pattern(action)[1].format(conversations=count_conversations(changed), **_names(action))
    return ". ".join([*([done] if changed else []), *exceptions])


def _describe_undone(action: BulkAction) -> str:
    undone = action.details.get("undone", 0)
    left = action.total - undone
    words = f"Undone for {count_conversations(undone)}" if left else "Undone"
    if not left:
        return words
    was, stays = ("was", "stays as it is") if left == 1 else ("were", "stay as they are")
    return f"{words}. {left:,} {was} changed since and {stays}"


def _pattern(action: BulkAction) -> tuple[str, str]:
    if action.deed == Deed.ASSIGN and not action.details.get("assignee"):
        return _NOBODY
    return _WORDS[action.deed]


def _names(action: BulkAction) -> dict[str, str]:
    return {"to": _assignee_in_words(action), "label": _label_in_words(action)}


def _assignee_in_words(action: BulkAction) -> str:
    key = action.details.get("assignee")
    if key == action.agent_id:
        return " to you"
    assignee = _colleagues(action.agent).filter(pk=key).first() if key else None
    return f" to {assignee.short_name}" if assignee else ""


def _colleagues(agent: Agent) -> QuerySet[Agent]:
    """Return those who are, or were, members of an inbox of the agent; others are not named."""
    inboxes = Inbox.objects.visible_to(agent)
    changes = MembershipChange.objects.filter(inbox__in=inboxes, agent=OuterRef("pk"))
    return Agent.objects.filter(Exists(changes))


def _label_in_words(action: BulkAction) -> str:
    name: str = action.details.get("name", "")
    return f" {name}" if name else ""


def _kept_in_words(action: BulkAction) -> list[str]:
    kept = action.details.get("kept", 0)
    if not kept:
        return []
    one, several = _KEPT[Deed(action.deed)]
    return [f"In 1, {one}" if kept == 1 else f"In {kept:,}, {several}"]


def _blocked_in_words(action: BulkAction) -> list[str]:
    blocked = action.details.get("blocked", 0)
    if not blocked:
        return []
    return [
        "1 is blocked and stays so" if blocked == 1 else f"{blocked:,} are blocked and stay so"
    ]


def _refused_in_words(action: BulkAction) -> list[str]:
    """Return for each inbox how many could not be assigned or labelled there, and why."""
    refused: dict[str, Any] = action.details.get("refused", {})
    names = dict(Inbox.objects.filter(pk__in=refused).values_list("pk", "name"))
    if action.deed == Deed.ASSIGN:
        who = _assignee_in_words(action).removeprefix(" to ") or "this person"
        verb = "aren't" if who == "you" else "isn't"
        why = f"not assigned: {who} {verb}"
    else:
        why = f"left out: there is no label{_label_in_words(action)}"
    return [f"{count:,} {why} in {names[int(key)]}" for key, count in refused.items()]


def count_conversations(number: int) -> str:
    return "1 conversation" if number == 1 else f"{number:,} conversations"
