"""Select all threads of a view, as it was when an agent was shown how many they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from django.db import connection
from django.db.models import Max, QuerySet

from inboxes.models import Agent, Inbox
from messaging.models import BulkAction
from threads.filters import ThreadFilter
from threads.models import Thread
from threads.view_counts import CAP, cap_count
from threads.walks import compose_whole, walk_threads

# What came in later than an agent saw is not meant: `newest` has the last message of each inbox.
_MEANT = """
SELECT whole.id, whole.last_message_id FROM ({whole}) AS whole
JOIN unnest(%(inboxes)s::bigint[], %(newest)s::bigint[]) AS seen (inbox_id, message_id)
    ON seen.inbox_id = whole.inbox_id AND whole.last_message_id <= seen.message_id
"""

_COLLECT = """
INSERT INTO messaging_bulkitem (bulk_id, thread_id, before, after)
SELECT %(action)s, id, jsonb_build_object('shown', last_message_id), '{{}}' FROM ({meant}) AS meant
ON CONFLICT DO NOTHING
"""


class ViewSize(NamedTuple):
    """Tell how many threads a view has, or, if it may have more, how many were found."""

    found: int
    has_more: bool

    @property
    def words(self) -> str:
        """Return the number as a page shows it; "" if only a search through all would tell."""
        if not self.has_more:
            return str(self.found)
        return cap_count(self.found) + ("+" if 0 < self.found < CAP else "")


@dataclass(frozen=True, slots=True)
class WholeView:
    """A view of one inbox, or over all of the agent's; `newest` has the newest message of each
    inbox when the agent saw it. Without an inbox and a filter it is their personal line."""

    inbox_id: int | None
    filter: ThreadFilter
    newest: Mapping[int, int]

    @classmethod
    def seen_now(cls, agent: Agent, inbox: Inbox | None, shown: ThreadFilter) -> Self:
        inboxes = _inboxes_of(agent, inbox.pk if inbox else None, shown)
        newest = {key: last or 0 for key, last in inboxes.values_list("pk", "last_message_id")}
        if shown.shows_blocked:
            # The rows of inboxes show nothing of these.
            blocked = Thread.objects.filter(inbox__in=newest, status=Thread.Status.BLOCKED)
            lasts = blocked.order_by().values_list("inbox").annotate(Max("last_message_id"))
            newest |= {key: max(newest[key], last or 0) for key, last in lasts}
        return cls(inbox.pk if inbox else None, shown, newest)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        newest = {int(key): message_id for key, message_id in data["newest"].items()}
        return cls(data["inbox"], ThreadFilter.from_query(data["query"]), newest)

    def to_json(self) -> dict[str, Any]:
        return {
            "inbox": self.inbox_id,
            "query": self.filter.query,
            "newest": {str(key): message_id for key, message_id in self.newest.items()},
        }

    def count(self, agent: Agent) -> ViewSize:
        """Count the threads that the agent may see of it now: up to CAP, and in one window."""
        inboxes = _inboxes_of(agent, self.inbox_id, self.filter)
        walk = walk_threads(agent, inboxes, self.filter, count=CAP)
        return ViewSize(len(walk.keys), len(walk.keys) >= CAP or walk.resume is not None)

    def collect(self, action: BulkAction) -> int:
        """Make them threads of the action; return how many they are."""
        statement, values = self._compose(action.agent, _COLLECT)
        with connection.cursor() as cursor:
            cursor.execute(statement, values | {"action": action.pk})
            count: int = cursor.rowcount
        return count

    def _compose(self, agent: Agent, statement: str) -> tuple[str, dict[str, Any]]:
        visible = _inboxes_of(agent, self.inbox_id, self.filter).values_list("pk", flat=True)
        whole, values = compose_whole(agent.pk, list(visible), self.filter)
        seen = {"inboxes": [*self.newest], "newest": [*self.newest.values()]}
        return statement.format(meant=_MEANT.format(whole=whole)), values | seen


def _inboxes_of(agent: Agent, inbox_id: int | None, shown: ThreadFilter) -> QuerySet[Inbox]:
    """Return the inboxes whose threads the view shows."""
    inboxes = Inbox.objects.visible_to(agent)
    if inbox_id is not None:
        return inboxes.filter(pk=inbox_id)
    return inboxes if shown else inboxes.filter(owner=agent)
