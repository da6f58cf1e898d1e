"""An agent's notifications in words: the count on the bell, the rows of the page, the popups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from inboxes.integers import read_integer
from inboxes.models import Agent
from messaging.models import Message, Notification
from messaging.models.notifications import NotificationQuerySet
from messaging.stream.writing import make_excerpt
from threads.models import Contact

PAGE_SIZE = 30

RECENT = timedelta(seconds=60)
"""What is older does not pop up any more on a page that was away."""


MAX_COUNTED = 100
"""The bell says "99+" from here on, and whoever has thousands need not be counted whole with each
text to their inbox."""

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
    """The count on each agent's bell, up to COUNTED; one query."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"agents": list(agent_ids), "counted": MAX_COUNTED})
        return dict(cursor.fetchall())


def unread_and_recent(agent_id: int) -> tuple[int, list[Notification]]:
    """The count, and the unread ones that are new enough to be told of; two queries."""
    unread = Notification.objects.filter(agent=agent_id).unread().still_visible()
    recent = unread.filter(created_at__gt=timezone.now() - RECENT).with_words()
    return unread_counts([agent_id])[agent_id], list(recent.order_by("-pk")[:PAGE_SIZE])[::-1]


def notification_url(notification: Notification) -> str:
    """The thread, at the message."""
    thread = reverse("messaging:conversation", args=[notification.thread_id])
    return f"{thread}?at={notification.message_id}#message-{notification.message_id}"


def popup_title(notification: Notification) -> str:
    """Who did what, for the first line of a popup."""
    message, thread = notification.message, notification.thread
    contact = str(thread.contact)
    if message.kind == Message.Kind.INBOUND:
        return f"{contact} · {notification.inbox.name}"
    if message.is_automatic and message.kind == Message.Kind.INTERNAL:
        return f"A text was not sent · {contact}"
    if message.is_automatic:
        return f"Automatic answer to {contact}"
    author = message.author.display_name if message.author else "Partyline"
    if notification.reason == Notification.Reason.MENTION:
        return f"{author} mentioned you · {contact}"
    if message.kind == Message.Kind.INTERNAL:
        return f"{author}, internally · {contact}"
    return f"{author} to {contact}"


def popup_content(notification: Notification) -> dict[str, object]:
    """What the page's script and the service worker show."""
    return {
        "id": notification.pk,
        "thread": notification.thread_id,
        "title": popup_title(notification),
        "body": make_excerpt(notification.message.summary),
        "url": notification_url(notification),
        "tag": f"message-{notification.message_id}",
        "reason": notification.reason,
    }


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before: unread ones stand first, then the newest."""

    is_unread: bool
    pk: int

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for what is no key of a row."""
        state, _, text = key.partition("-")
        pk = read_integer(text)
        if state not in {"0", "1"} or pk is None:
            raise ValueError(key)
        return cls(is_unread=state == "1", pk=pk)


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """What `messaging/notifications/_notification.html` draws."""

    notification: Notification

    @property
    def is_unread(self) -> bool:
        return self.notification.read_at is None

    @property
    def contact(self) -> Contact:
        return self.notification.thread.contact

    @property
    def classes(self) -> str:
        """Return the CSS classes."""
        return f"row row-notice{' unread' if self.is_unread else ''}"

    @property
    def icon(self) -> str:
        """Return the heroicon of the reason; texts have none."""
        reasons = Notification.Reason
        icons: dict[str, str] = {reasons.MENTION: "at-symbol", reasons.INTERNAL: "eye"}
        return icons.get(self.notification.reason, "")

    @property
    def key(self) -> str:
        return f"{int(self.is_unread)}-{self.notification.pk}"

    @property
    def seq(self) -> str:
        """What was read stays read, so it is always the newer one."""
        return f"{self.notification.seq}-{int(not self.is_unread)}"

    @property
    def reason(self) -> str:
        message = self.notification.message
        if message.is_automatic and message.kind == Message.Kind.INTERNAL:
            return "A text was not sent"
        if message.is_automatic:
            return "Automatic answer"
        author = message.author.short_name if message.author else "Partyline"
        if self.notification.reason == Notification.Reason.MENTION:
            return f"{author} mentioned you"
        if message.kind == Message.Kind.INBOUND:
            return "New text"
        if message.kind == Message.Kind.INTERNAL:
            return f"Internal message by {author}"
        return f"Text sent by {author}"

    @property
    def excerpt(self) -> str:
        return make_excerpt(self.notification.message.summary)

    @property
    def url(self) -> str:
        return notification_url(self.notification)


@dataclass(frozen=True, slots=True)
class NotificationList:
    """A page of rows, and where the next ones are."""

    rows: list[NotificationRow]
    next_url: str | None


def list_notifications(agent: Agent, after: Cursor | None = None) -> NotificationList:
    """Unread first, then newest; each part walks its own index."""
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
