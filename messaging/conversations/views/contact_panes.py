"""Say where the panes about a contact lead back to: their conversation, else their details."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from threads.models import Contact, Thread


@dataclass(frozen=True, slots=True)
class WayBack:
    """Hold where a pane leads back to; a conversation takes the pane's place in the page."""

    url: str
    label: str
    is_conversation: bool


def way_back(contact: Contact) -> WayBack:
    thread_id = Thread.objects.filter(contact=contact).values_list("pk", flat=True).first()
    if thread_id is not None:
        url = reverse("messaging:conversation", args=[thread_id])
        return WayBack(url, "Back to the conversation", is_conversation=True)
    url = reverse("messaging:contact_page", args=[contact.pk])
    return WayBack(url, "Back to the contact", is_conversation=False)


def lead_back(contact: Contact) -> HttpResponse:
    return HttpResponseRedirect(way_back(contact).url)
