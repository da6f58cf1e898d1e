"""All scheduled texts of an agent's inboxes: those that were held first, then the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from messaging.models import ScheduledText
from messaging.models.scheduled import ScheduledTextQuerySet

PAGE_SIZE = 30

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST_MICROSECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND

State = ScheduledText.State


@dataclass(frozen=True, slots=True)
class Cursor:
    """Point at the last text of the page before."""

    state: str
    send_at: datetime
    pk: int

    @classmethod
    def of(cls, text: ScheduledText) -> Cursor:
        return cls(text.state, text.send_at, text.pk)

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for a key that no text has."""
        state, _, rest = key.partition("-")
        at, _, pk = rest.partition("-")
        moment, row = read_integer(at), read_integer(pk)
        if state not in ScheduledText.PENDING or moment is None or row is None:
            raise ValueError(key)
        if not 0 <= moment <= LAST_MICROSECOND:
            raise ValueError(key)
        return cls(state, EPOCH + moment * MICROSECOND, row)

    @property
    def key(self) -> str:
        return f"{self.state}-{(self.send_at - EPOCH) // MICROSECOND}-{self.pk}"

    @property
    def condition(self) -> Q:
        """Return what the texts of its state behind it fulfil."""
        return Q(send_at__gt=self.send_at) | Q(send_at=self.send_at, pk__gt=self.pk)


@dataclass(frozen=True, slots=True)
class ScheduledList:
    """Hold what the page of all scheduled texts draws. `inbox` is the one it is narrowed to."""

    texts: Sequence[ScheduledText]
    inboxes: Sequence[Inbox]
    inbox: Inbox | None
    next_cursor: Cursor | None

    @property
    def next_url(self) -> str | None:
        if self.next_cursor is None:
            return None
        query = {"after": self.next_cursor.key}
        if self.inbox is not None:
            query["inbox"] = str(self.inbox.pk)
        return f"{reverse('messaging:all_scheduled')}?{urlencode(query)}"


def list_scheduled(agent: Agent, inbox_id: int | None, after: Cursor | None) -> ScheduledList:
    """Return one page. Raises Inbox.DoesNotExist for an inbox that the agent may not see."""
    inboxes = list(Inbox.objects.visible_to(agent).order_by("owner", "name", "pk"))
    inbox = next((one for one in inboxes if one.pk == inbox_id), None)
    if inbox_id is not None and inbox is None:
        raise Inbox.DoesNotExist
    pending = for_list(ScheduledText.objects.pending()).filter(
        inbox__in=[inbox] if inbox else inboxes
    )
    found: list[ScheduledText] = []
    for state in (State.HELD, State.WAITING):
        if after is not None and after.state == State.WAITING and state == State.HELD:
            continue
        rows = pending.filter(state=state).order_by("send_at", "pk")
        if after is not None and after.state == state:
            rows = rows.filter(after.condition)
        found += rows[: PAGE_SIZE + 1 - len(found)]
        if len(found) > PAGE_SIZE:
            break
    shown = found[:PAGE_SIZE]
    is_more = len(found) > PAGE_SIZE
    return ScheduledList(shown, inboxes, inbox, Cursor.of(shown[-1]) if is_more else None)


def for_list(texts: ScheduledTextQuerySet) -> ScheduledTextQuerySet:
    """Load what a row of the page shows."""
    return texts.for_strip().select_related("thread__contact", "inbox__owner", "message")
