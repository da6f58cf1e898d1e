"""The list of contacts: one page of it, its filters and its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from inboxes.models import Agent, Inbox
from messaging.contacts import counts
from messaging.contacts.counts import Count
from messaging.contacts.exporting import exportable_inboxes
from messaging.contacts.filters import ContactFilter, Order, Place, Scope
from messaging.contacts.queries import Found, find_contacts
from messaging.contacts.rows import ContactRow, build_rows, name_inbox
from threads import words
from threads.labels import labels_of
from threads.models import Label
from threads.search import Search

PAGE_SIZE = 30


@dataclass(frozen=True)
class ContactList:
    """One page of the list. Counts are read when they are drawn, which further pages don't do."""

    agent: Agent
    inboxes: Sequence[Inbox]
    labels: Mapping[int, Label]
    wanted: ContactFilter
    scope: Scope
    after: Place | None = None

    @cached_property
    def found(self) -> Found:
        return find_contacts(
            self.scope, count=PAGE_SIZE, after=self.after, few=self._few_candidates()
        )

    @cached_property
    def rows(self) -> list[ContactRow]:
        return build_rows(
            self.found.keys,
            self.agent,
            self.inboxes,
            self.labels,
            within=self.scope.inbox_ids,
            are_latest=not self.wanted.is_narrowed,
        )

    @property
    def next_query(self) -> str:
        """Return the query string of the next page; "" if this is the last."""
        place = self.found.next_place
        return self.wanted.query(place) if place else ""

    @property
    def query(self) -> str:
        return self.wanted.query()

    @property
    def is_by_name(self) -> bool:
        return self.wanted.order == Order.NAME

    @property
    def name_query(self) -> str:
        return self.wanted.ordered(Order.NAME).query()

    @property
    def recent_query(self) -> str:
        return self.wanted.ordered(Order.RECENT).query()

    @property
    def inbox_choices(self) -> list[tuple[int, str, bool]]:
        """Return each inbox's key, what it is called, and whether it is chosen."""
        return [
            (one.pk, name_inbox(one, self.agent), one.pk == self.wanted.inbox)
            for one in self.inboxes
        ]

    @property
    def label_choices(self) -> list[tuple[int, str, bool]]:
        """Return labels, each name once: its key, its name, and whether it is chosen."""
        named = {label.name.casefold(): label for label in reversed([*self.labels.values()])}
        chosen = self.labels.get(self.wanted.label or 0)
        return [
            (label.pk, label.name, bool(chosen and name == chosen.name.casefold()))
            for name, label in sorted(named.items())
        ]

    @property
    def inbox_query(self) -> str:
        """Return the query string that names the chosen inbox alone."""
        return f"?inbox={self.wanted.inbox}" if self.wanted.inbox else ""

    @cached_property
    def is_exportable(self) -> bool:
        """Return True if the agent may export what the list shows, or some inboxes of it."""
        return exportable_inboxes(self.agent).filter(pk__in=self.scope.inbox_ids).exists()

    @cached_property
    def opted_out(self) -> Count:
        return counts.count_opted_out(self.scope.inbox_ids)

    @cached_property
    def blocked(self) -> Count:
        return counts.count_blocked(self.scope.inbox_ids)

    @cached_property
    def total(self) -> str:
        """Return in words how many contacts the list has, or "" where that isn't known."""
        if not self.wanted.is_narrowed:
            return counts.count_contacts(self.scope.inbox_ids)
        if self.after is None and self.found.next_place is None:
            return counts.in_words(len(self.rows))
        return ""

    def _few_candidates(self) -> Sequence[int] | None:
        """Return all contacts that a filter leaves, if these are few."""
        wanted = self.wanted
        found = []
        if wanted.is_opted_out:
            found.append(self.opted_out.keys)
        if wanted.is_blocked:
            found.append(self.blocked.keys)
        if wanted.label is not None:
            labelled = counts.count_labelled(self.scope.inbox_ids, self.scope.label_ids)
            found.append(labelled.keys)
        known = [keys for keys in found if keys is not None]
        return min(known, key=len) if known else None


def list_contacts(agent: Agent, wanted: ContactFilter, after: Place | None = None) -> ContactList:
    """Return a page of the agent's contacts.

    Raises Inbox.DoesNotExist for an inbox that the agent may not see. A label that is no more
    finds nothing.
    """
    inboxes = list(Inbox.objects.visible_to(agent).order_by("owner", "name", "pk"))
    chosen = [one.pk for one in inboxes if wanted.inbox in {None, one.pk}]
    if wanted.inbox is not None and not chosen:
        raise Inbox.DoesNotExist
    labels = labels_of([one.pk for one in inboxes])
    scope = Scope(
        inbox_ids=chosen,
        wanted=wanted,
        label_ids=_same_labels(wanted.label, labels),
        found_label_ids=_called_labels(wanted.search, labels),
    )
    return ContactList(agent, inboxes, labels, wanted, scope, after)


def _same_labels(key: int | None, labels: Mapping[int, Label]) -> list[int]:
    """Return the labels of all inboxes that are called like this one."""
    if key is None or key not in labels:
        return []
    name = labels[key].name.casefold()
    return [label.pk for label in labels.values() if label.name.casefold() == name]


def _called_labels(search: Search | None, labels: Mapping[int, Label]) -> list[int]:
    """Return the labels whose names the search finds."""
    if search is None or not search.words:
        return []
    return [
        label.pk
        for label in labels.values()
        if all(
            any(word.startswith(one) for word in words.split_words(label.name))
            for one in search.words
        )
    ]
