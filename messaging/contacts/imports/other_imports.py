"""Find what other imports have written of the contacts that an import has written too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Q

from messaging.models import ContactImport, ContactImportLine, OptOutSettings

State = ContactImport.State


@dataclass(frozen=True, slots=True)
class OtherImports:
    """Hold what imports have written since this one began: that stays when it is taken back."""

    values: dict[str, dict[str, str]] = field(default_factory=dict)  # in the same inbox
    opted_out: set[str] = field(default_factory=set)  # in any, if one opt-out counts for all

    @classmethod
    def of(cls, one: ContactImport, lines: Collection[ContactImportLine]) -> OtherImports:
        ended = [State.FINISHED, State.FAILED]  # a failed one may not be taken back whole
        since = Q(state__in=ended, finished_at__gte=one.created_at)
        running = ContactImport.objects.filter(since | Q(state=State.IMPORTING))
        inbox_by_key = dict(running.exclude(pk=one.pk).values_list("pk", "inbox"))
        found = cls()
        if not inbox_by_key:
            return found
        theirs = ContactImportLine.objects.filter(
            contact_import__in=inbox_by_key,
            address__in={line.address for line in lines},
            before__isnull=False,
        )
        rows = theirs.order_by("contact_import", "line")
        columns = "contact_import", "address", "values", "is_opt_out"
        is_for_all = OptOutSettings.current().is_for_all
        for key, address, values, is_opt_out in rows.values_list(*columns):
            is_here = inbox_by_key[key] == one.inbox_id
            if is_here:
                found.values.setdefault(address, {}).update(values)
            if is_opt_out and (is_here or is_for_all):
                found.opted_out.add(address)
        return found
