"""Record the opt-outs that an imported file tells of, many at once, and take them back.

They are opt-outs like all others: nothing that is imported later ends them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from inboxes import bell, counters
from inboxes.models import Agent, Inbox
from messaging.models import Message, Number, OptOut, OptOutSettings
from messaging.stream import jobs, replies
from threads.models import Contact

_RECORD = """
INSERT INTO messaging_optout
    (our_address, address, is_for_all, source, since, recorded_by_id, recorded_in_id, reason)
SELECT %(ours)s, given.address, %(is_for_all)s, 'import', %(at)s, %(agent)s, %(inbox)s, ''
FROM unnest(%(addresses)s::text[]) AS given (address)
WHERE NOT EXISTS (
    SELECT FROM messaging_optout AS known
    WHERE known.address = given.address AND known.ended_at IS NULL
      AND (known.our_address = %(ours)s OR known.is_for_all))
ON CONFLICT DO NOTHING
RETURNING address, id
"""


def record_imported(
    *, inbox_id: int, addresses: Collection[str], by: Agent, at: datetime
) -> dict[str, int]:
    """Opt contacts out of the inbox's number; return the keys of the new opt-outs by address.

    The caller holds the inbox's counter, and shows the change. Whoever is out already stays so.
    """
    number = Number.objects.filter(inbox=inbox_id).first()
    if number is None or not addresses:
        return {}
    is_for_all = OptOutSettings.current().is_for_all
    details: dict[str, Any] = {
        "ours": number.address,
        "addresses": list(addresses),
        "is_for_all": is_for_all,
        "at": at,
        "agent": by.pk,
        "inbox": inbox_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, details)
        recorded: dict[str, int] = dict(cursor.fetchall())
    if is_for_all:
        _show_elsewhere(recorded, inbox_id)
    return recorded


def _show_elsewhere(recorded: dict[str, int], inbox_id: int) -> None:
    """Show those that count for all our numbers in the other inboxes that talk with them."""
    others = _contacts_anywhere(recorded).filter(is_unused=False)
    elsewhere = others.exclude(inbox=inbox_id).values_list("address", flat=True)
    for address in sorted(set(elsewhere)):
        jobs.defer_opt_out_shown(recorded[address], but=[inbox_id])


def take_imported_back(keys: Collection[int]) -> dict[str, bool]:
    """Delete opt-outs of an import that was cancelled; return whether each counted for all our
    numbers, by its address.

    One stays where the contact has asked for it since, by a text. The caller shows the change,
    and lets other inboxes follow by `follow_in_other_inboxes`.
    """
    if not keys:
        return {}
    rows = OptOut.objects.current().filter(pk__in=keys, source=OptOut.Source.IMPORT)
    taken = list(rows.select_for_update(of=("self",)))
    asked = _asked_since({one.address: one.since for one in taken})
    gone = [one for one in taken if one.address not in asked]
    OptOut.objects.filter(pk__in=[one.pk for one in gone]).delete()
    return {one.address: one.is_for_all for one in gone}


def _asked_since(moments: Mapping[str, datetime]) -> set[str]:
    """Return those who texted STOP to any inbox since their moment."""
    if not moments:
        return set()
    stops = Message.objects.filter(
        thread__contact__in=_contacts_anywhere(moments),
        keyword=Message.Keyword.OPT_OUT,
        created_at__gte=min(moments.values()),
    )
    told = stops.values_list("thread__contact__address", "created_at")
    return {address for address, at in told if at >= moments[address]}


def _contacts_anywhere(addresses: Collection[str]) -> QuerySet[Contact]:
    return Contact.objects.filter(inbox__in=Inbox.objects.values("pk"), address__in=addresses)


def follow_in_other_inboxes(inbox_id: int, addresses: Collection[str]) -> None:
    """Decide anew, in all inboxes but this one, which threads with the addresses need a reply.

    Opt-outs of one number may have counted for all. Doing it twice is harmless.
    """
    others = _contacts_anywhere(addresses).filter(is_unused=False)
    inbox_ids = others.exclude(inbox=inbox_id).values_list("inbox", flat=True).distinct()
    for other_id in sorted(inbox_ids):
        with transaction.atomic():
            seq = counters.next_inbox_seq(other_id)
            replies.update_needs_replies(other_id, seq, addresses=addresses)
            bell.ring_inbox(other_id, seq)
