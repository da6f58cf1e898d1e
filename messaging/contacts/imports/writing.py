"""Write a batch of an import's lines into the inbox, and take it back.

A batch is one transaction. It locks the import first, so that no line is done twice, and then
takes the inbox's counter for a moment: what is written is planned before. `before` of a line tells
that it was done, and what it found and made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from inboxes import bell, counters
from inboxes.models import Inbox
from messaging.contacts.describing import VALUE_NAMES, ContactValues
from messaging.contacts.imports import statements
from messaging.contacts.imports.other_imports import OtherImports
from messaging.contacts.imports.planning import (
    Plan,
    Work,
    described_row,
    make_plan,
    waiting_lines,
)
from messaging.models import ContactImport, ContactImportLine
from messaging.outbound import imported_opt_outs
from messaging.stream import replies
from threads.models import Consent, Contact, Thread

State = ContactImport.State

BATCH = 200  # lines: a webhook of the inbox may have to wait for one batch
FOLLOW = "follow"  # in `changes` of a line: other inboxes have to follow
NO_MEMBER = "You can't see this inbox any more."


@transaction.atomic
def write_batch(import_id: int, *, behind: int) -> int | None:
    """Bring the next lines behind one into the inbox; return the number of the last of them.

    Return None if there are no more, or the import was cancelled meanwhile.
    """
    one = _lock(import_id, State.IMPORTING)
    lines = waiting_lines(one, behind, BATCH) if one else []
    if one is None or not lines:
        return None
    known_seq = Inbox.objects.values_list("seq", flat=True).get(pk=one.inbox_id)
    plan = make_plan(one, lines)
    seq = counters.next_inbox_seq(one.inbox_id)
    if seq != known_seq + 1:  # somebody changed the inbox meanwhile, perhaps one of its contacts
        plan = make_plan(one, lines)
    if not _may_see(one):
        one.state, one.reason = State.CANCELLING, NO_MEMBER
        one.save(update_fields=["state", "reason"])
        return None
    now = timezone.now()
    _write_contacts(one, plan, now)
    _write_consents(one, plan.works, now)
    _write_opt_outs(one, plan.works, now)
    _show(one, plan.works, seq)
    _save_lines(plan.works)
    one.done_count, one.failures = one.done_count + len(lines), 0
    one.save(update_fields=["done_count", "failures"])
    return lines[-1].line


def _lock(import_id: int, state: State) -> ContactImport | None:
    locked = ContactImport.objects.select_for_update(of=("self",)).select_related("agent")
    return locked.filter(pk=import_id, state=state).first()


def _may_see(one: ContactImport) -> bool:
    visible = Inbox.objects.visible_to(one.agent).filter(pk=one.inbox_id)
    return one.agent.is_active and visible.exists()


def _write_contacts(one: ContactImport, plan: Plan, now: datetime) -> None:
    keys = statements.add_contacts(one.inbox_id, plan.added, now)
    for work in plan.works:
        if work.contact.pk is None:
            work.contact.pk = work.undo["contact"] = keys[work.address]
    statements.update_contacts(plan.changed)


def _write_consents(one: ContactImport, works: Sequence[Work], now: datetime) -> None:
    rows = [
        {
            "contact": work.contact.pk,
            "words": "" if words == "yes" else words,
            "given_at": at or None,
        }
        for work in works
        for words, at in work.consents
    ]
    by_contact = {work.contact.pk: work for work in works}
    for contact, key in statements.add_consents(rows, agent_id=one.agent_id, at=now):
        by_contact[contact].undo.setdefault("consents", []).append(key)


def _write_opt_outs(one: ContactImport, works: Sequence[Work], now: datetime) -> None:
    by_address = {work.address: work for work in works if work.opts_out}
    recorded = imported_opt_outs.record_imported(
        inbox_id=one.inbox_id, addresses=by_address, by=one.agent, at=now
    )
    for address, key in recorded.items():
        by_address[address].undo["opt_out"] = key


def _show(one: ContactImport, works: Sequence[Work], seq: int) -> None:
    """Let open pages follow, where a conversation is concerned."""
    changed = [work.contact.pk for work in works if work.undo and "is_added" not in work.undo]
    threads = Thread.objects.filter(contact__in=changed).update(seq=seq) if changed else 0
    opted_out = [work.address for work in works if "opt_out" in work.undo]
    if opted_out:
        replies.update_needs_replies(one.inbox_id, seq, addresses=opted_out)
    if threads or opted_out:
        bell.ring_inbox(one.inbox_id, seq)


def _save_lines(works: Sequence[Work]) -> None:
    """Keep with the first line of each work what takes it back; the others are done by it."""
    statements.save_lines(
        [
            {
                "pk": line.pk,
                "outcome": line.outcome,
                "changes": line.changes,
                "before": {} if number else work.undo,
            }
            for work in works
            for number, line in enumerate(work.lines)
        ]
    )


def update_contacts(inbox_id: int, values: dict[tuple[int, str], ContactValues]) -> None:
    """Write the values of contacts, by their key and address, in one statement."""
    statements.update_contacts(
        [described_row(inbox_id, pk, address, each) for (pk, address), each in values.items()]
    )


@transaction.atomic
def take_batch_back(import_id: int, *, before: int | None) -> int | None:
    """Undo what the last lines before one did, but for what somebody has changed since.

    Return the number of the first of them; None if there are no more.
    """
    one = _lock(import_id, State.CANCELLING)
    lines = _done_lines(one, before) if one else []
    if one is None or not lines:
        return None
    seq = counters.next_inbox_seq(one.inbox_id)
    done = [line for line in lines if line.before]
    others = OtherImports.of(one, done)
    elsewhere = _take_opt_outs_back(one, done, others, seq)
    Consent.objects.filter(pk__in=_keys(done, "consents")).delete()
    _take_contacts_back(one, done, others, seq)
    taken_back = one.lines.filter(pk__in=[line.pk for line in lines])
    taken_back.update(before=None)
    taken_back.filter(address__in=elsewhere).update(changes={FOLLOW: True})
    one.done_count, one.failures = max(one.done_count - len(lines), 0), 0
    one.save(update_fields=["done_count", "failures"])
    return lines[-1].line


def follow_batch(one: ContactImport, *, behind: int) -> int | None:
    """Let other inboxes follow, where opt-outs that were taken back had counted for all.

    Return the number of the last line that was done; None if there are no more.
    """
    marked = one.lines.filter(line__gt=behind, changes__has_key=FOLLOW).order_by("line")
    rows = dict(marked.values_list("line", "address")[:BATCH])
    if not rows:
        return None
    imported_opt_outs.follow_in_other_inboxes(one.inbox_id, set(rows.values()))
    one.lines.filter(line__in=rows).update(changes={})
    return max(rows)


def _done_lines(one: ContactImport, before: int | None) -> list[ContactImportLine]:
    """Return lines that are to be taken back, the last one first."""
    done = one.lines.filter(before__isnull=False)
    further = done if before is None else done.filter(line__lt=before)
    return list(further.order_by("-line")[:BATCH])


def _keys(lines: Collection[ContactImportLine], name: str) -> list[int]:
    return [key for line in lines for key in (line.before or {}).get(name, [])]


def _take_opt_outs_back(
    one: ContactImport, lines: Sequence[ContactImportLine], others: OtherImports, seq: int
) -> list[str]:
    """Return the addresses that other inboxes have to follow."""
    keys = [
        line.before["opt_out"]
        for line in lines
        if line.before and "opt_out" in line.before and line.address not in others.opted_out
    ]
    gone = imported_opt_outs.take_imported_back(keys)
    if gone:
        replies.update_needs_replies(one.inbox_id, seq, addresses=list(gone))
        bell.ring_inbox(one.inbox_id, seq)
    return [address for address, is_for_all in gone.items() if is_for_all]


def _take_contacts_back(
    one: ContactImport, lines: Sequence[ContactImportLine], others: OtherImports, seq: int
) -> None:
    undos: dict[int, list[dict[str, Any]]] = {}
    for line in lines:  # the last one first
        if line.before and "new" in line.before:
            undos.setdefault(line.before["contact"], []).append(line.before)
    agreed = set(Consent.objects.filter(contact__in=undos).values_list("contact", flat=True))
    deleted, restored = [], {}
    for contact in Contact.objects.filter(pk__in=undos, inbox=one.inbox_id):
        values = ContactValues.of(contact)
        theirs = others.values.get(contact.address)
        rest = _restore(values, undos[contact.pk], theirs or {})
        was_added = any("is_added" in undo for undo in undos[contact.pk])
        is_bare = rest == ContactValues() and theirs is None and contact.pk not in agreed
        if was_added and is_bare and contact.is_unused and contact.blocked_at is None:
            deleted.append(contact.pk)
        elif rest != values:
            restored[contact.pk, contact.address] = rest
    Contact.objects.filter(pk__in=deleted).delete()
    update_contacts(one.inbox_id, restored)
    if restored:
        Thread.objects.filter(contact__in=[pk for pk, _ in restored]).update(seq=seq)
        bell.ring_inbox(one.inbox_id, seq)


def _restore(
    values: ContactValues, undos: Sequence[dict[str, Any]], theirs: Mapping[str, str]
) -> ContactValues:
    """Return the values without what the lines wrote; what others wrote since stays."""
    rest = {name: getattr(values, name) for name in VALUE_NAMES}
    for undo in undos:
        old = undo.get("old", {})
        for name, new in undo["new"].items():
            if rest[name] == new != theirs.get(name):
                rest[name] = old.get(name, "")
    return ContactValues(**rest)
