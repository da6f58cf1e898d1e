"""The links that narrow a list: views, priorities and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from threads.filters import ALL, CHOSEN, EVERYTHING, ThreadFilter, ThreadView
from threads.models import Label, Thread
from threads.view_counts import cap_count

# The views in the order of the navigation; those with a count come first.
NAVIGATION = (
    ThreadView.NEEDS_REPLY,
    ThreadView.MINE,
    ThreadView.FAILED,
    ThreadView.OPEN,
    ThreadView.UNASSIGNED,
    ThreadView.SCHEDULED,
    ThreadView.SNOOZED,
    ThreadView.DONE,
    ThreadView.BLOCKED,
)

# The signs of the views where there is room for them, as Heroicons names them.
ICONS = {
    ALL: "inbox",
    ThreadView.NEEDS_REPLY: "arrow-uturn-left",
    ThreadView.MINE: "user",
    ThreadView.FAILED: "exclamation-triangle",
    ThreadView.OPEN: "chat-bubble-left-right",
    ThreadView.UNASSIGNED: "users",
    ThreadView.SCHEDULED: "clock",
    ThreadView.SNOOZED: "moon",
    ThreadView.DONE: "check",
    ThreadView.BLOCKED: "no-symbol",
    ThreadView.UNREAD: "envelope",
}


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A link to a list with another filter.

    `key` is the word by which a filter names the view or priority, "all", or "label"; `colour` is
    that of a label, `label_id` its key if it is one label. `count` is None where nothing is
    counted.
    """

    key: str
    name: str
    filter: ThreadFilter
    is_chosen: bool
    count: int | None = None
    colour: str = ""
    label_id: int | None = None

    @property
    def query(self) -> str:
        """Return the query string by which the list shows it, and remembers that it was chosen."""
        return f"?{self.filter.explicit_query}&{CHOSEN}=1"

    @property
    def icon(self) -> str:
        return ICONS.get(self.key, "")

    @property
    def is_priority(self) -> bool:
        return self.key in Thread.Priority.values

    @property
    def is_toggle(self) -> bool:
        """Return True if the link adds to what is shown, and takes it out again."""
        return self.key == ThreadView.UNREAD or self.is_priority or bool(self.colour)

    @property
    def count_label(self) -> str:
        """Return the count in words of the page; "" for none."""
        return cap_count(self.count or 0)

    @property
    def is_counted(self) -> bool:
        return self.count is not None


def link_views(shown: ThreadFilter, counts: Mapping[str, int]) -> list[ViewLink]:
    """Return *All* and the fixed views.

    A view replaces the others and keeps priorities and labels. `counts` are by the views' keys.
    """
    everything = ViewLink(ALL, "All", EVERYTHING, not shown)
    return [everything, *[_link_view(view, shown, counts) for view in NAVIGATION]]


def _link_view(view: ThreadView, shown: ThreadFilter, counts: Mapping[str, int]) -> ViewLink:
    return ViewLink(
        view.value, str(view.label), shown.with_view(view), view in shown.views, counts.get(view)
    )


def link_unread(shown: ThreadFilter) -> ViewLink:
    """Return the link that adds *Unread* to what is shown, or takes it out."""
    view = ThreadView.UNREAD
    return ViewLink(view.value, str(view.label), shown.toggled(view), view in shown.views)


def link_narrowings(shown: ThreadFilter, toggles: Iterable[ViewLink]) -> list[ViewLink]:
    """Return links that each take out one part of what the list is narrowed to.

    `toggles` are those to priorities and labels. One view alone is said by the navigation.
    """
    views = shown.views if len(shown.views) > 1 else set(shown.views) & {ThreadView.UNREAD}
    return [
        *[ViewLink(one.value, str(one.label), shown.toggled(one), True) for one in views],
        *[link for link in toggles if link.is_chosen],
    ]


def link_priorities(shown: ThreadFilter) -> list[ViewLink]:
    """Return links that each add a priority to what is shown, or take it out."""
    return [
        ViewLink(one.value, str(one.label), shown.toggled(one), one in shown.priorities)
        for one in Thread.Priority
    ]


def link_labels(shown: ThreadFilter, labels: Iterable[Label]) -> list[ViewLink]:
    """Return links that each add a label to what is shown, or take it out.

    Labels of the same name in several inboxes are one link.
    """
    chosen = set(shown.labels)
    ordered = sorted(labels, key=_folded_name)
    links = []
    for _, same in groupby(ordered, key=_folded_name):
        named = list(same)
        keys = {label.pk for label in named}
        is_chosen = keys <= chosen
        after = chosen - keys if is_chosen else chosen | keys
        first, label_id = named[0], named[0].pk if len(named) == 1 else None
        narrowed = shown.with_labels(after)
        link = ViewLink("label", first.name, narrowed, is_chosen, None, first.colour, label_id)
        links.append(link)
    return links


def _folded_name(label: Label) -> str:
    return label.name.casefold()
