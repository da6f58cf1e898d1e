"""Keep which threads need a reply: the last text came in, asks for an answer and can be answered.

A thread cannot be answered if its sender has no number, or opted out of ours, or if the number of
ours that it went through is no longer the inbox's. An account that is switched off changes
nothing: its customers wait on. Automatic texts answer nobody.
"""

from __future__ import annotations

from django.db import connection, transaction

from inboxes import bell, counters
from messaging.stream import statements

_UPDATE = f"""
UPDATE threads_thread SET needs_reply = NOT threads_thread.needs_reply, seq = %(seq)s
FROM threads_contact AS contact
WHERE contact.id = threads_thread.contact_id AND threads_thread.inbox_id = %(inbox)s
  AND (%(address)s::text IS NULL OR contact.address = %(address)s)
  AND threads_thread.needs_reply <> (
    COALESCE((
        SELECT kind = 'inbound' AND keyword <> 'opt_out' FROM messaging_message AS message
        WHERE message.thread_id = threads_thread.id AND kind <> 'internal' AND NOT is_automatic
        ORDER BY id DESC LIMIT 1), false)
    AND {statements.CAN_BE_ANSWERED.format(our_address="threads_thread.our_address")})
"""  # noqa: S608  a constant of ours


def update_needs_reply(inbox_id: int, seq: int, *, address: str | None = None) -> None:
    """Decide anew for the inbox's thread with the address, or for all of its threads.

    The caller holds the inbox's counter, and rings.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, {"inbox": inbox_id, "seq": seq, "address": address})


@transaction.atomic
def follow_number(*, inbox_id: int) -> None:
    """Decide anew for all threads of an inbox whose number came or went, on open pages too."""
    seq = counters.next_inbox_seq(inbox_id)
    update_needs_reply(inbox_id, seq)
    bell.ring_inbox(inbox_id, seq)
