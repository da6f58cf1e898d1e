"""Why a thread takes no text now, in the words that stand in the composer's place."""

from __future__ import annotations

from messaging.models import Number
from threads import addresses
from threads.models import Thread


def refusal(thread: Thread) -> str:
    """An empty string when a text may be sent."""
    if not thread.contact.can_receive:
        return (
            f"{thread.contact.display} is a name, not a number: "
            "such senders cannot be answered by text."
        )
    ours = addresses.display(thread.our_address)
    number = Number.objects.select_related("account").filter(inbox=thread.inbox_id).first()
    if number is not None and number.address == thread.our_address:
        if number.account.is_active:
            return ""
        return f"The carrier account of {ours} is switched off. Ask an administrator."
    return (
        f"{ours} no longer belongs to this inbox, so this conversation cannot go on here. "
        "It stays readable."
    )


def number_of(thread: Thread) -> Number:
    """The number that the thread's texts leave from. Raises Number.DoesNotExist."""
    return Number.objects.select_related("account").get(
        inbox=thread.inbox_id, address=thread.our_address
    )
