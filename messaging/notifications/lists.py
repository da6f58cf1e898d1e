"""An agent's notifications: the unread count, and the rows of the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from inboxes.integers import read_integer
from inboxes.models import Agent
from messaging.models import Notification
from messaging.models.notifications import NotificationQuerySet
from messaging.notifications import words
from threads.models import Contact

PAGE_SIZE = 30

RECENT = timedelta(seconds=60)  # An older one does not pop up on a page that was away


# The bell says "99+" from here on, so thousands need not be counted with each text to an inbox.
MAX_COUNTED = 100

COUNT = """
SELECT wanted.agent_id, (
    SELECT count(*) FROM (
        SELECT FROM messaging_notification AS told
        WHERE told.agent_id = wanted.agent_id AND told.read_at IS NULL
          AND told.inbox_id = ANY(seen.inboxes)
        LIMIT %(counted)s) AS unread)
FROM unnest(%(agents)s::bigint[]) AS wanted (agent_id)
CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT inbox_id FROM inboxes_membership WHERE agent_id = wanted.agent_id
        UNION ALL
        SELECT id FROM inboxes_inbox WHERE owner_id = wanted.agent_id) AS inboxes) AS seen
"""


def unread_counts(agent_ids: Iterable[int]) -> dict[int, int]:
    """Return each agent's unread count, up to MAX_COUNTED; one query."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"agents": list(agent_ids), "counted": MAX_COUNTED})
        return dict(cursor.fetchall())


def unread_and_recent(agent_id: int) -> tuple[int, list[Notification]]:
    """Return the unread count, and the unread notifications of the last minute; two queries."""
    unread = Notification.objects.filter(agent=agent_id).unread().still_visible()
    recent = unread.filter(created_at__gt=timezone.now() - RECENT).with_words()
    return unread_counts([agent_id])[agent_id], list(recent.order_by("-pk")[:PAGE_SIZE])[::-1]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Point at the last row of the page before. Unread rows come first, then the newest."""

    is_unread: bool
    pk: int

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for a key that no row has."""
        state, _, text = key.partition("-")
        pk = read_integer(text)
        if state not in {"0", "1"} or pk is None:
            raise ValueError(key)
        return cls(is_unread=state == "1", pk=pk)


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """Hold what `messaging/notifications/_notification.html` draws."""

    notification: Notification

    @property
    def is_unread(self) -> bool:
        return self.notification.read_at is None

    @property
    def contact(self) -> Contact:
        return self.notification.thread.contact

    @property
    def many(self) -> str:
        """Return how many conversations it is about, in words, if it is about more than one."""
        count = words.assigned_count(self.notification)
        return f"{count:,} conversations" if count > 1 else ""

    @property
    def classes(self) -> str:
        """Return the CSS classes."""
        return f"row row-notice{' unread' if self.is_unread else ''}"

    @property
    def icon(self) -> str:
        """Return the heroicon of the reason; texts have none."""
        reasons = Notification.Reason
        icons: dict[str, str] = {
            reasons.MENTION: "at-symbol",
            reasons.INTERNAL: "eye",
            reasons.FAILED: "exclamation-triangle",
            reasons.UNKNOWN: "exclamation-triangle",
            reasons.ASSIGNED: "user-plus",
            reasons.SNOOZED: "moon",
            reasons.WAITING: "clock",
        }
        return icons.get(self.notification.reason, "")

    @property
    def key(self) -> str:
        return f"{int(self.is_unread)}-{self.notification.pk}"

    @property
    def seq(self) -> str:
        """Return the row's version. A read row stays read, so it is newer than an unread one."""
        return f"{self.notification.seq}-{int(not self.is_unread)}"

    @property
    def reason(self) -> str:
        return words.row_reason(self.notification)

    @property
    def excerpt(self) -> str:
        return words.excerpt(self.notification)

    @property
    def url(self) -> str:
        return words.notification_url(self.notification)


@dataclass(frozen=True, slots=True)
class NotificationList:
    """Hold a page of rows, and the address of the next ones."""

    rows: list[NotificationRow]
    next_url: str | None


def list_notifications(agent: Agent, after: Cursor | None = None) -> NotificationList:
    """Return unread notifications first, then the newest; each part walks its own index."""
    mine = Notification.objects.visible_to(agent).with_words().order_by("-pk")
    notifications: list[Notification] = []
    if after is None or after.is_unread:
        notifications = list(_rows_before(mine.filter(read_at=None), after)[: PAGE_SIZE + 1])
    if len(notifications) <= PAGE_SIZE:
        read = mine.exclude(read_at=None)
        if after is not None and not after.is_unread:
            read = _rows_before(read, after)
        notifications += read[: PAGE_SIZE + 1 - len(notifications)]
    rows = [NotificationRow(notification) for notification in notifications]
    next_url = None
    if len(rows) > PAGE_SIZE:
        next_url = f"{reverse('messaging:notifications')}?after={rows[PAGE_SIZE - 1].key}"
    return NotificationList(rows=rows[:PAGE_SIZE], next_url=next_url)


def _rows_before(
    notifications: NotificationQuerySet, after: Cursor | None
) -> NotificationQuerySet:
    return notifications if after is None else notifications.filter(pk__lt=after.pk)
