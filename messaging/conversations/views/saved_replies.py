"""Saved replies for a composer: what may be inserted, and what comes with it."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from inboxes.access import get_inbox
from inboxes.models import Agent, Inbox
from inboxes.requests import signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.attachments.drafts import FileRefused
from messaging.conversations.reply_forms import OffersForm, UseForm
from messaging.replies.actions import use_reply
from messaging.replies.offers import get_offered_reply, list_offers
from threads import addresses
from threads.access import get_thread
from threads.models import Contact


@require_safe
@login_required
def list_for_thread(request: HttpRequest, thread_id: int) -> HttpResponse:
    """List the replies for a conversation, filled with its contact's name."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = OffersForm(request.GET)
    return _list_replies(thread.inbox, agent, thread.contact, form)


@require_safe
@login_required
def list_for_inbox(request: HttpRequest, inbox_id: int) -> HttpResponse:
    """List the replies for a first text; `to` may name a contact that the inbox knows."""
    agent = signed_in_agent(request)
    inbox = get_inbox(agent, inbox_id)
    form = OffersForm(request.GET)
    typed = form.cleaned_data["to"] if form.is_valid() else ""
    address, _ = addresses.normalise_address(typed)
    contact = Contact.objects.filter(inbox=inbox, address=address).first() if typed else None
    return _list_replies(inbox, agent, contact, form)


def _list_replies(
    inbox: Inbox, agent: Agent, contact: Contact | None, form: OffersForm
) -> HttpResponse:
    words = form.cleaned_data["q"] if form.is_valid() else ""
    offers = list_offers(inbox, agent, contact, words)
    replies = [
        asdict(offer) | {"used": reverse("messaging:use_saved_reply", args=[offer.id])}
        for offer in offers.replies
    ]
    answer = {"replies": replies, "values": offers.values, "has_more": offers.has_more}
    return JsonResponse(answer | {"manage": reverse("messaging:replies")})


@require_POST
@login_required
def use_saved_reply(request: HttpRequest, reply_id: int) -> HttpResponse:
    """Count a use, and put the reply's files into the composer of the thread in the form.

    Without a thread they are for a first text, unless only the words were used. The answer holds
    their rows.
    """
    agent = signed_in_agent(request)
    form = UseForm(request.POST)
    if not form.is_valid():
        raise Http404("No such thread.")
    thread_id = form.cleaned_data["thread"]
    thread = get_thread(agent, thread_id) if thread_id else None
    reply = get_offered_reply(agent, thread.inbox if thread else None, reply_id)
    try:
        files = use_reply(
            reply=reply, thread=thread, agent=agent, has_files=not form.cleaned_data["words_only"]
        )
    except FileRefused as error:
        return unprocessable_text(str(error))
    context = {"files": files, "is_first": thread is None}
    return render(request, "messaging/composer/_draft_file_rows.html", context)
