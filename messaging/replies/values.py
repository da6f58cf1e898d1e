"""The values of placeholders in one conversation."""

from __future__ import annotations

from inboxes.models import Agent, Inbox
from messaging.models import Number
from threads import addresses
from threads.first_names import read_first_name
from threads.models import Contact


def read_values(inbox: Inbox, agent: Agent, contact: Contact | None) -> dict[str, str]:
    """Return the value of each placeholder by its name; empty where there is none."""
    number = Number.objects.filter(inbox=inbox).first()
    return {
        "contact": contact.name if contact is not None else "",
        "first name": read_first_name(contact.name, contact.company) if contact else "",
        "me": agent.display_name,
        "inbox": inbox.name,
        "number": addresses.format_address(number.address) if number is not None else "",
    }
