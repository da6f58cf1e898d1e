"""Say where the panes about a contact lead back to: their conversation, else their details."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from threads.models import Contact, Thread


def back_url(contact: Contact) -> str:
    thread_id = Thread.objects.filter(contact=contact).values_list("pk", flat=True).first()
    if thread_id is not None:
        return reverse("messaging:conversation", args=[thread_id])
    return reverse("messaging:contact_page", args=[contact.pk])


def lead_back(contact: Contact) -> HttpResponse:
    return HttpResponseRedirect(back_url(contact))
