"""Describe the demo's contacts, and add people who never texted."""

from __future__ import annotations

from collections.abc import Mapping

from inboxes.models import Agent, Inbox
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from threads.models import Contact

# The inbox and the number; what is known beside the name and the note that the history gives.
DETAILS = {
    ("Front Desk", "+12025550126"): ContactValues(
        email="marta@lindqvist.example", reference="Order 88-1042"
    ),
    ("Front Desk", "+12025550142"): ContactValues(
        name="Joe Castellano", company="Castellano & Sons", reference="Account 2207"
    ),
    ("Front Desk", "+12025550109"): ContactValues(
        company="Green Lane Bakery LLC", email="orders@greenlane.example"
    ),
    ("Front Desk", "+13035550118"): ContactValues(
        email="priya.raman@example.com", reference="Order 88-1017"
    ),
    ("Dispatch", "+13125550166"): ContactValues(
        company="Harbor Parts Inc.", email="counter@harborparts.example"
    ),
    ("Ana Ruiz", "+13125550139"): ContactValues(company="Whitlock Rentals"),
}

# They have no conversation there yet.
NEVER_TEXTED = {
    ("Front Desk", "+13035550149"): ContactValues(
        name="Rosa Delgado",
        email="rosa.d@example.com",
        reference="Order 88-0931",
        note="Prefers a call after 5 PM. Dryer, two service visits in 2024.",
    ),
    ("Front Desk", "+13125550157"): ContactValues(name="Grace Oyelaran"),
    ("Dispatch", "+12025550126"): ContactValues(name="Marta Lindqvist"),
}


def write_contacts(inboxes: Mapping[str, Inbox], agent: Agent) -> None:
    """Describe the demo's contacts as the agent, and add those who never texted."""
    for (inbox, address), values in DETAILS.items():
        contact = Contact.objects.get(inbox=inboxes[inbox], address=address)
        filled = ContactValues.of(contact).filling_gaps(values)
        describe_contact(contact=contact, values=filled, by=agent)
    for (inbox, address), values in NEVER_TEXTED.items():
        create_contact(inbox_id=inboxes[inbox].pk, address=address, values=values, by=agent)
