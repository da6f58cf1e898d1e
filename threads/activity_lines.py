"""Word the lines of a conversation's activity in plain English: who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes.models import Agent
from inboxes.times import format_duration, time_element
from threads import words
from threads.models import Activity, Consent, Thread

# So many lines have these words that nobody finds one by them. They are in no index, and a search
# for lines ignores them.
_EVERYWHERE = frozenset(
    words.split_words(
        "a added answered as because by conversation day days ended first for from hour hours in"
        " is left marked minute minutes new removed reply set text the this to took until"
    )
)

_BY_AGENT = {
    Activity.Kind.ASSIGNED: "assigned this to {agent}",
    Activity.Kind.UNASSIGNED: "unassigned {agent}",
    Activity.Kind.DONE: "marked this as done",
    Activity.Kind.REOPENED: "reopened this",
    Activity.Kind.SNOOZED: "snoozed this until {until}",
    Activity.Kind.UNSNOOZED: "ended the snooze",
    Activity.Kind.LABELLED: "added the label {label}",
    Activity.Kind.UNLABELLED: "removed the label {label}",
    Activity.Kind.PRIORITY: "set the priority to {priority}",
    Activity.Kind.CONSENT: "recorded consent to texts, given {how}",
    Activity.Kind.BLOCKED: "blocked this contact",
    Activity.Kind.UNBLOCKED: "unblocked this contact",
}
_BY_ITSELF = {
    Activity.Kind.ASSIGNED: "Assigned to {agent}",
    Activity.Kind.UNASSIGNED: "Unassigned",
    Activity.Kind.DONE: "Marked as done",
    Activity.Kind.REOPENED: "Reopened by a new text",
    Activity.Kind.SNOOZED: "Snoozed until {until}",
    Activity.Kind.UNSNOOZED: "Snooze ended",
    Activity.Kind.LABELLED: "Label {label} added",
    Activity.Kind.UNLABELLED: "Label {label} removed",
    Activity.Kind.PRIORITY: "Priority set to {priority}",
    Activity.Kind.WAITING: "Waiting for a reply for {wait}",
    Activity.Kind.CONSENT: "Consent to texts recorded, given {how}",
    Activity.Kind.BLOCKED: "Contact blocked",
    Activity.Kind.UNBLOCKED: "Contact unblocked",
}
# What a detail makes of a line.
_WITH_DETAIL = {
    "is_first_answer": "answered first and took this conversation",
    "has_left": "Unassigned because {agent} left this inbox",
    "is_by_text": "Snooze ended by a new text",
    "has_ended": "ended the consent to texts, given {how}",
}
# What agents do with themselves.
_WITH_THEMSELVES = {
    Activity.Kind.ASSIGNED: "took this conversation",
    Activity.Kind.UNASSIGNED: "unassigned this",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line as one agent reads it: who did it (empty for Partyline), and what."""

    activity: Activity
    actor: str
    rest: SafeString

    @property
    def html(self) -> SafeString:
        if not self.actor:
            return self.rest
        return format_html("<b><bdi>{}</bdi></b> {}", self.actor, self.rest)


def draw_line(activity: Activity, agents: Mapping[int, Agent], viewer_id: int | None) -> Line:
    """Return the line for a viewer, who reads "You"; `agents` are those whom it names."""
    actor_id, other_id = activity.actor_id, activity.details.get("agent")
    template = _pick_template(activity)
    values = {
        "agent": _draw_person(other_id, agents, activity.details.get("name", ""), viewer_id),
        "label": format_html("<bdi>{}</bdi>", activity.details.get("name", "")),
        "until": _draw_time(activity.details.get("until")),
        **_plain_values(activity),
    }
    actor = ""
    if actor_id is not None:
        actor = "You" if actor_id == viewer_id else _short_name(actor_id, agents, "Somebody")
    return Line(activity, actor, format_html(template, **values))


def named_agents(activity: Activity) -> set[int]:
    """Return the keys of the agents whom a line names."""
    named = {activity.actor_id, activity.details.get("agent")}
    return {key for key in named if key is not None}


def index_words(activity: Activity, actor: Agent | None) -> list[str]:
    """Return the folded words by which the line is found: people, labels, and what was done."""
    names = {name: activity.details.get("name", "") for name in ("agent", "label")}
    line = _pick_template(activity).format(**names, until="", **_plain_values(activity))
    return searchable_words(words.split_words(f"{actor or ''} {line}"))


def searchable_words(folded: list[str]) -> list[str]:
    """Leave out the words that nearly every line has."""
    return [word for word in folded if word not in _EVERYWHERE and not word.isdigit()]


def _pick_template(activity: Activity) -> str:
    """Return the line behind its actor, with names in braces."""
    kind, details = Activity.Kind(activity.kind), activity.details
    for detail, template in _WITH_DETAIL.items():
        if details.get(detail):
            return template
    if activity.actor_id is None:
        return _BY_ITSELF[kind]
    if details.get("agent") == activity.actor_id and kind in _WITH_THEMSELVES:
        return _WITH_THEMSELVES[kind]
    if kind == Activity.Kind.PRIORITY and not details.get("priority"):
        return "removed the priority"
    return _BY_AGENT.get(kind, _BY_ITSELF[kind])


def _plain_values(activity: Activity) -> dict[str, str]:
    priority = activity.details.get("priority", "")
    return {
        "priority": str(Thread.Priority(priority).label) if priority else "",
        "how": _how_words(activity.details.get("how", "")),
        "wait": format_duration(activity.details.get("minutes", 0)),
    }


def _how_words(how: str) -> str:
    """Return the way in which a consent was given: "on paper"."""
    return str(Consent.How(how).label).lower() if how in Consent.How.values else "another way"


def _draw_person(key: Any, agents: Mapping[int, Agent], name: str, viewer_id: int | None) -> Any:
    if key is not None and key == viewer_id:
        return "you"
    return format_html("<bdi>{}</bdi>", _short_name(key, agents, name))


def _short_name(key: Any, agents: Mapping[int, Agent], default: str) -> str:
    """Return the name that an agent has today, as everywhere in the history."""
    return agents[key].short_name if key in agents else default


def _draw_time(until: str | None) -> SafeString:
    return time_element(datetime.fromisoformat(until) if until else None, "inline")
