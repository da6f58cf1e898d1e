from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.describing import ChangedMeanwhile, describe_contact
from messaging.contacts.forms import ContactForm, initial_values
from messaging.conversations.lists import remembered_list
from messaging.conversations.views.panes import render_pane
from threads.access import get_thread
from threads.models import Contact, Thread

CHANGED = (
    "A colleague changed this while you were editing. Here's their version; saving replaces it "
    "with yours."
)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_contact(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show or save what is known of a thread's contact."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    if request.method != "POST":
        return _render_form(
            request, agent, thread, ContactForm(initial=initial_values(thread.contact))
        )
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _render_form(request, agent, thread, form)
    try:
        describe_contact(
            contact=thread.contact,
            values=form.values(thread.contact),
            known=form.known_values(thread.contact),
            by=agent,
        )
    except ChangedMeanwhile as error:
        thread.contact = error.contact
        form.show(error.values)
        return _render_form(request, agent, thread, form, theirs=error.contact)
    return redirect("messaging:conversation", thread.pk)


def who_sees(inbox: Inbox) -> str:
    """Return in words who sees what is written about a contact."""
    if inbox.is_personal:
        return "Only you can see this."
    return f"Only members of {inbox.name} can see this."


def _render_form(
    request: HtmxRequest,
    agent: Agent,
    thread: Thread,
    form: ContactForm,
    theirs: Contact | None = None,
) -> HttpResponse:
    return render_pane(
        request,
        "messaging/conversation/_contact.html",
        listing=remembered_list(agent, thread.inbox),
        title=f"Contact {thread.contact.display}",
        status=422 if form.is_bound else 200,
        form=form,
        first=next(iter(form.errors), "name"),
        thread=thread,
        contact=thread.contact,
        who_sees=who_sees(thread.inbox),
        theirs=theirs,
        changed=CHANGED,
    )
