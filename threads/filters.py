"""Filters of a list of threads: views, priorities and labels in any combination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from django.db.models import TextChoices
from django.http import QueryDict

from inboxes.integers import read_integer
from threads.models import Thread

ALL = "all"  # Says in an address that the list is not narrowed

# Says in an address that the agent chose the filter just now; the page that opens lacks it.
CHOSEN = "chosen"

MAX_LABELS = 10  # in one filter

_LABEL = "label"  # What stands before a label's key in a token

Priority = Thread.Priority
Status = Thread.Status


class ThreadView(TextChoices):
    """A view of the threads, in the order in which a filter names them."""

    OPEN = "open", "Open"
    MINE = "mine", "Mine"
    UNASSIGNED = "unassigned", "Unassigned"
    NEEDS_REPLY = "reply", "Needs reply"
    UNREAD = "unread", "Unread"
    FAILED = "failed", "Failed"
    SCHEDULED = "scheduled", "Scheduled"
    SNOOZED = "snoozed", "Snoozed"
    DONE = "done", "Done"
    BLOCKED = "blocked", "Blocked"


# What a filter may name besides labels.
NAMES = (*ThreadView.values, *Priority.values)

_STATUSES = {
    ThreadView.OPEN: Status.OPEN,
    ThreadView.SNOOZED: Status.SNOOZED,
    ThreadView.DONE: Status.DONE,
    ThreadView.BLOCKED: Status.BLOCKED,
}
_WHOSE = frozenset({ThreadView.MINE, ThreadView.UNASSIGNED})


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """A filter of a list; without views, priorities and labels it shows every thread.

    Those of blocked contacts are shown where *Blocked* is asked for, and nowhere else.
    Of what excludes each other (statuses, mine and unassigned, priorities) and of labels, a
    thread needs any; of everything else, all. `threads/walks.py` says the same in SQL.
    """

    views: tuple[ThreadView, ...] = ()
    priorities: tuple[Priority, ...] = ()
    labels: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.views or self.priorities or self.labels)

    @classmethod
    def of(cls, names: Iterable[str] = (), labels: Iterable[int] = ()) -> ThreadFilter:
        """Return the filter in its canonical order. Raises ValueError for an unknown name."""
        given, keys = set(names) - {ALL}, sorted(set(labels))
        if not given <= {*NAMES} or len(keys) > MAX_LABELS:
            raise ValueError("No such filter.")
        return cls(
            views=tuple(view for view in ThreadView if view in given),
            priorities=tuple(priority for priority in Priority if priority in given),
            labels=tuple(keys),
        )

    @classmethod
    def from_query(cls, query: str) -> ThreadFilter:
        """Read a query string such as `only=mine&label=3`. Raises ValueError."""
        data = QueryDict(query)
        keys = [read_integer(key) for key in data.getlist(_LABEL)]
        labels = [key for key in keys if key is not None]
        if len(labels) < len(keys):
            raise ValueError(query)
        return cls.of(data.getlist("only"), labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Return its views and priorities."""
        return (*self.views, *self.priorities)

    @property
    def is_scheduled(self) -> bool:
        """Return True if it shows what has scheduled texts, whatever else it says."""
        return ThreadView.SCHEDULED in self.views

    @property
    def query(self) -> str:
        """Return the query string, without a question mark; "" if the list is not narrowed."""
        pairs = [("only", str(name)) for name in self.names]
        return urlencode([*pairs, *[(_LABEL, str(key)) for key in self.labels]])

    @property
    def explicit_query(self) -> str:
        """Return the query string that opens this filter whatever the agent chose last."""
        return self.query or f"only={ALL}"

    @property
    def token(self) -> str:
        """Return its one spelling as a word, such as `mine-urgent-label3`, for ids of elements
        and for live pages; "" if the list is not narrowed."""
        return "-".join([*self.names, *[f"{_LABEL}{key}" for key in self.labels]])

    @property
    def statuses(self) -> frozenset[Status]:
        """Return the statuses that it shows; empty for any but blocked. Mine and Unassigned are
        open ones."""
        chosen = {status for view, status in _STATUSES.items() if view in self.views}
        if not chosen and not _WHOSE.isdisjoint(self.views):
            return frozenset({Status.OPEN})
        return frozenset(chosen)

    @property
    def shows_blocked(self) -> bool:
        """Return True if it has threads of blocked contacts."""
        return Status.BLOCKED in self.statuses

    @property
    def shows_hidden(self) -> bool:
        """Return True if it has threads that the agent deleted, too: a failed text is not lost."""
        return ThreadView.FAILED in self.views

    def matches(self, thread: Thread, agent_id: int, *, is_unread: bool) -> bool:
        """Return True if the thread belongs to the list of an agent to whom it `is_unread`."""
        views = self.views
        is_mine, is_nobodys = thread.assignee_id == agent_id, thread.assignee_id is None
        return all(
            (
                self._has_status(thread.status),
                _WHOSE.isdisjoint(views)
                or (is_mine and ThreadView.MINE in views)
                or (is_nobodys and ThreadView.UNASSIGNED in views),
                ThreadView.NEEDS_REPLY not in views
                or (thread.needs_reply and thread.status == Status.OPEN),
                is_unread or ThreadView.UNREAD not in views,
                thread.failing_count > 0 or ThreadView.FAILED not in views,
                thread.scheduled_count > 0 or ThreadView.SCHEDULED not in views,
                not self.priorities or thread.priority in self.priorities,
                not self.labels or not set(self.labels).isdisjoint(thread.label_ids),
            )
        )

    def _has_status(self, status: str) -> bool:
        return status in self.statuses if self.statuses else status != Status.BLOCKED

    def with_view(self, view: ThreadView) -> ThreadFilter:
        """Return the filter with this view in place of its views."""
        return ThreadFilter((view,), self.priorities, self.labels)

    def toggled(self, name: str) -> ThreadFilter:
        """Return the filter with a view or priority added, or taken out if it has it."""
        return ThreadFilter.of({*self.names} ^ {name}, self.labels)

    def with_labels(self, labels: Iterable[int]) -> ThreadFilter:
        return ThreadFilter(self.views, self.priorities, tuple(sorted(labels)))


EVERYTHING = ThreadFilter()


@lru_cache(maxsize=1024)
def parse_token(token: str) -> ThreadFilter:
    """Return the filter of a token. Raises ValueError for anything else, and other spellings."""
    parts = token.split("-") if token else []
    keys = [part for part in parts if part not in NAMES]
    labels = [read_integer(key.removeprefix(_LABEL)) for key in keys]
    found = ThreadFilter.of(
        [part for part in parts if part in NAMES], [key for key in labels if key is not None]
    )
    if found.token != token:
        raise ValueError(token)
    return found
