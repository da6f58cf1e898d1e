"""Keep which threads need a reply: the last text came in, asks for an answer and can be answered.

A thread cannot be answered if its sender has no number, or opted out of ours, or if the number of
ours that it went through is no longer the inbox's. An account that is switched off changes
nothing: its customers wait on. Automatic texts answer nobody, and tapbacks ask for nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction

from inboxes import bell, counters
from inboxes.models import Inbox
from messaging.models import Number, NumberConnection
from messaging.stream import statements

# The last text of a thread. A late STOP that the contact or we have written something after does
# not count as the last one: it is read where it belongs. Other late texts count as new.
_IS_ASKING = """COALESCE((
        SELECT kind = 'inbound' AND keyword <> 'opt_out' FROM messaging_message AS message
        WHERE message.thread_id = threads_thread.id AND kind <> 'internal' AND NOT is_automatic
          AND reaction = ''
          AND NOT (keyword = 'opt_out' AND after_id IS NOT NULL AND EXISTS (
            SELECT FROM messaging_message AS later
            WHERE later.thread_id = message.thread_id AND later.id > message.after_id
              AND later.id < message.id AND later.after_id IS NULL
              AND later.kind <> 'internal' AND NOT later.is_automatic
              AND later.reaction = ''))
        ORDER BY id DESC LIMIT 1), false)"""

# When the first text came in that nobody has answered.
_WAITING_SINCE = """COALESCE((
        SELECT min(created_at) FROM messaging_message AS message
        WHERE message.thread_id = threads_thread.id AND kind = 'inbound'
          AND keyword <> 'opt_out' AND reaction = '' AND id > COALESCE((
            SELECT max(id) FROM messaging_message AS answer
            WHERE answer.thread_id = threads_thread.id
              AND answer.kind = 'outbound' AND NOT answer.is_automatic), 0)),
        threads_thread.last_at)"""

_UPDATE = f"""
UPDATE threads_thread SET needs_reply = NOT threads_thread.needs_reply, seq = %(seq)s,
  waiting_since = CASE WHEN NOT threads_thread.needs_reply THEN {_WAITING_SINCE} END,
  was_alerted = false
FROM threads_contact AS contact
WHERE contact.id = threads_thread.contact_id AND threads_thread.inbox_id = %(inbox)s
  AND {{which}}
  AND threads_thread.needs_reply <> (
    {_IS_ASKING}
    AND {statements.CAN_BE_ANSWERED.format(our_address="threads_thread.our_address")})
"""  # noqa: S608  a constant of ours


# By the index of what the inbox knows its contacts by.
_OF_CONTACT = _UPDATE.format(
    which="contact.inbox_id = %(inbox)s AND contact.address = %(address)s"
)
_OF_CONTACTS = _UPDATE.format(
    which="contact.inbox_id = %(inbox)s AND contact.address = ANY(%(addresses)s)"
)
_OF_NUMBERS = _UPDATE.format(which="threads_thread.our_address = ANY(%(numbers)s)")


def update_needs_reply(inbox_id: int, seq: int, *, address: str) -> None:
    """Decide anew for the inbox's thread with the address.

    The caller holds the inbox's counter, and rings.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OF_CONTACT, {"inbox": inbox_id, "seq": seq, "address": address})


def update_needs_replies(inbox_id: int, seq: int, *, addresses: Collection[str]) -> None:
    """Decide anew for the inbox's threads with the addresses; as above."""
    details: dict[str, int | list[str]] = {
        "inbox": inbox_id,
        "seq": seq,
        "addresses": list(addresses),
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_CONTACTS, details)


@transaction.atomic
def follow_number(*, inbox_id: int, our_addresses: Collection[str]) -> None:
    """Show a change of the inbox's number on its open pages.

    `our_addresses` are the numbers that came to the inbox or went. What went through them is
    decided anew; the threads of other numbers are not read.
    """
    seq = counters.next_inbox_seq(inbox_id)
    if our_addresses:
        details: dict[str, int | list[str]] = {
            "inbox": inbox_id,
            "seq": seq,
            "numbers": list(our_addresses),
        }
        with connection.cursor() as cursor:
            cursor.execute(_OF_NUMBERS, details)
        numbers = Number.objects.filter(inbox=inbox_id).values("address")
        lost = NumberConnection.objects.not_receiving().filter(address__in=numbers)
        since = lost.values_list("changed_at", flat=True).first()
        Inbox.objects.filter(pk=inbox_id).update(not_receiving_since=since)
    bell.ring_inbox(inbox_id, seq)
