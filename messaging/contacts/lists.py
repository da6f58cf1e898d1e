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

    @cached_property
    def export_words(self) -> str:
        """Return what the link *Export* says: what the list is narrowed to leaves, and only that.

        "" if there is nothing that the agent may export.
        """
        chosen = self.scope.inbox_ids
        allowed = exportable_inboxes(self.agent).filter(pk__in=chosen)
        inboxes = [name_inbox(one, self.agent) for one in allowed]
        if not inboxes or self.count == 0:
            return ""
        if len(inboxes) < len(chosen):
            count = len(inboxes)
            return (
                f"Export from {inboxes[0] if count == 1 else f'{count} of {len(chosen)} inboxes'}"
            )
        if self.wanted.inbox is None and not self.wanted.is_narrowed:
            return "Export"
        is_counted = self.total and not self.total.startswith("more")
        return f"Export {self.total if is_counted else 'these contacts'}"

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
        return "" if self.count is None else counts.in_words(self.count)

    @cached_property
    def count(self) -> int | None:
        """Return how many contacts a narrowed list has, or None where that isn't known."""
        if not self.wanted.is_narrowed:
            return None
        if self.after is None and self.found.next_place is None:
            return len(self.found.keys)
        filters = self._filter_counts
        is_alone = len(filters) == 1 and self.wanted.search is None
        return filters[0].numbers if is_alone and filters[0].is_exact else None

    @cached_property
    def _filter_counts(self) -> list[Count]:
        """Return what each of the filters leaves alone."""
        wanted, found = self.wanted, []
        if wanted.is_opted_out:
            found.append(self.opted_out)
        if wanted.is_blocked:
            found.append(self.blocked)
        if wanted.label is not None:
            found.append(counts.count_labelled(self.scope.inbox_ids, self.scope.label_ids))
        return found

    def _few_candidates(self) -> Sequence[int] | None:
        """Return all contacts that a filter leaves, if these are few."""
        known = [one.keys for one in self._filter_counts if one.keys is not None]
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
