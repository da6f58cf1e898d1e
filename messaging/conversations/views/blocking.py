"""Block the contact of a conversation, or of the list of contacts, and unblock them."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.blocking import block_contact, unblock_contact
from messaging.conversations.views.contact_panes import lead_back
from messaging.conversations.views.tools import tools_context
from threads.access import get_contact
from threads.models import Contact, Thread


class UnblockForm(forms.Form):
    """Read which block is taken back: when it began; without it the contact is unblocked."""

    undoes = forms.CharField(required=False, max_length=40)

    def clean_undoes(self) -> datetime | None:
        given: str = self.cleaned_data["undoes"]
        if not given:
            return None
        try:
            at = datetime.fromisoformat(given)
        except ValueError as error:
            raise ValidationError("This is no moment.") from error
        if at.tzinfo is None:
            raise ValidationError("This is no moment.")
        return at


@require_POST
@login_required
def block(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Block the contact for all members of their inbox; answer with an offer to undo it."""
    agent = signed_in_agent(request)
    contact = get_contact(agent, contact_id)
    is_new = block_contact(contact=contact, by=agent)
    if request.htmx:
        return _answer(request, agent, contact, is_new=is_new)
    if is_new:
        offer = render_to_string("messaging/contacts/_undo_block.html", {"contact": contact})
        toasts.success(request, offer)
    return lead_back(contact)


@require_POST
@login_required
def unblock(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Unblock the contact, or take a block back as the toast offers it."""
    agent = signed_in_agent(request)
    contact = get_contact(agent, contact_id)
    form = UnblockForm(request.POST)
    if not form.is_valid():
        raise Http404("There is nothing to undo.")
    unblock_contact(contact=contact, by=agent, undoes=form.cleaned_data["undoes"])
    return _answer(request, agent, contact) if request.htmx else lead_back(contact)


def _thread_of(contact: Contact) -> Thread | None:
    return Thread.objects.for_rows().filter(contact=contact).first()


def _answer(
    request: HtmxRequest, agent: Agent, contact: Contact, *, is_new: bool = False
) -> HttpResponse:
    """Answer with the contact's buttons as they are now, and with their conversation's tools."""
    thread = _thread_of(contact)
    context = {"contact": contact, "is_new_block": is_new}
    context |= tools_context(agent, thread) if thread else {}
    return render(request, "messaging/contacts/_blocked.html", context)
