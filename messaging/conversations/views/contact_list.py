"""The page *Contacts*: its list, and one contact's details beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from inboxes.integers import IntegerField, read_integer
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent, target_id
from messaging.contacts.describing import (
    ChangedMeanwhile,
    ContactExists,
    create_contact,
    describe_contact,
)
from messaging.contacts.details import details_of_contact
from messaging.contacts.filters import ContactFilter, Order, Place
from messaging.contacts.forms import ContactForm, NewContactForm, initial_values
from messaging.contacts.lists import ContactList, list_contacts
from messaging.contacts.rows import build_rows, name_inbox
from messaging.conversations.details import read_files
from messaging.conversations.views.contacts import CHANGED, who_sees
from threads.access import get_contact
from threads.direction import isolate_direction
from threads.labels import labels_of, labels_on
from threads.models import Contact
from threads.search import parse_search


class ContactListForm(forms.Form):
    """Read the query string of the page."""

    inbox = IntegerField(required=False)
    label = IntegerField(required=False)
    opted_out = forms.BooleanField(required=False)
    blocked = forms.BooleanField(required=False)
    order = forms.ChoiceField(choices=[(one, one) for one in Order], required=False)
    after = forms.CharField(max_length=200, required=False, strip=False)

    def clean_after(self) -> Place | None:
        text: str = self.cleaned_data["after"]
        if not text:
            return None
        try:
            return Place.from_text(text)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error


@require_safe
@login_required
def show_contacts(request: HtmxRequest) -> HttpResponse:
    """Show the list, or the part of it that htmx asks for."""
    agent = signed_in_agent(request)
    listing = read_list(request, agent)
    target = target_id(request)
    if request.htmx and target == "contact-panel":
        return HttpResponse()
    if request.htmx and listing.after is not None:
        return render(request, "messaging/contacts/_rows.html", {"listing": listing})
    if request.htmx and target == "contacts-found":
        answer = render(request, "messaging/contacts/found.html", {"listing": listing})
        answer["HX-Replace-Url"] = _shown_path(request) + listing.query
        return answer
    return _render_page(request, listing)


@require_safe
@login_required
def show_contact(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Show a contact's details beside the list."""
    agent = signed_in_agent(request)
    contact = get_contact(agent, contact_id)
    listing = read_list(request, agent)
    if request.htmx and "row" in request.GET:
        return _render_row(request, listing, contact)
    about = details_of_contact(contact).for_agent(agent.pk)
    thread = about.thread
    files = read_files(thread.pk, contact.inbox.seq) if thread else None
    return _render_panel(
        request,
        listing,
        "messaging/contacts/_panel.html",
        contact,
        about=about,
        thread=thread,
        is_mine=thread is not None and thread.assignee_id == agent.pk,
        labels=labels_on(thread, labels_of([contact.inbox_id])) if thread else [],
        files=files.files if files else (),
        part=files,
        others=_others(contact, listing),
        start_url=_start_url(contact),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_contact(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Show or save what is known of a contact."""
    agent = signed_in_agent(request)
    contact = get_contact(agent, contact_id)
    listing = read_list(request, agent)
    theirs = None
    if request.method == "POST":
        form = ContactForm(request.POST)
        if form.is_valid():
            try:
                describe_contact(
                    contact=contact,
                    values=form.values(contact),
                    known=form.known_values(contact),
                    by=agent,
                )
            except ChangedMeanwhile as error:
                contact = theirs = error.contact
                form.show(error.values)
            else:
                return _lead_to(contact, listing)
    else:
        form = ContactForm(initial=initial_values(contact))
    return _render_panel(
        request,
        listing,
        "messaging/contacts/_edit.html",
        contact,
        status=422 if form.is_bound else 200,
        form=form,
        first=next(iter(form.errors), "name"),
        who_sees=who_sees(contact.inbox),
        theirs=theirs,
        changed=CHANGED,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_contact(request: HtmxRequest) -> HttpResponse:
    """Show the form of a new contact, or add one."""
    agent = signed_in_agent(request)
    listing = read_list(request, agent)
    choices = [(one.pk, name_inbox(one, agent)) for one in listing.inboxes]
    preset = listing.wanted.inbox or (choices[0][0] if len(choices) == 1 else None)
    form = NewContactForm(
        request.POST if request.method == "POST" else None,
        inboxes=choices,
        initial={"inbox": preset},
    )
    existing = None
    if form.is_bound and form.is_valid():
        try:
            contact = create_contact(
                inbox_id=form.cleaned_data["inbox"],
                address=form.cleaned_data["number"],
                values=form.values(),
                by=agent,
                raw_address=request.POST["number"],
            )
        except ContactExists as error:
            existing = error.contact
            form.add_error("number", "This inbox already knows this number.")
        else:
            toasts.success(request, f"{contact} was added.")
            return _lead_to(contact, listing)
    chosen = str(form["inbox"].value() or "")
    context = {
        "form": form,
        "existing": existing,
        "inbox_choices": [(key, name, str(key) == chosen) for key, name in choices],
        "first": next(iter(form.errors), "number" if chosen else "inbox"),
        "who_sees": "Only members of the inbox can see this.",
    }
    status = 422 if form.is_bound else 200
    return _render_panel(
        request, listing, "messaging/contacts/_new.html", None, status=status, **context
    )


def read_list(request: HtmxRequest, agent: Agent) -> ContactList:
    """Return the list of the query string. Raises Http404."""
    form = ContactListForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place among the contacts.")
    given = form.cleaned_data
    wanted = ContactFilter(
        search=parse_search(request.GET, everywhere=False),
        inbox=given["inbox"],
        label=given["label"],
        is_opted_out=given["opted_out"],
        is_blocked=given["blocked"],
        order=Order(given["order"] or Order.RECENT),
    )
    try:
        return list_contacts(agent, wanted, given["after"])
    except Inbox.DoesNotExist as error:
        raise Http404("No such inbox.") from error


def _render_row(request: HtmxRequest, listing: ContactList, contact: Contact) -> HttpResponse:
    """Render one row anew, after something was done with its contact, and the counts."""
    [row] = build_rows(
        [contact.pk],
        listing.agent,
        listing.inboxes,
        listing.labels,
        within={*listing.scope.inbox_ids, contact.inbox_id},
    )
    context = {"row": row, "listing": listing, "shown_id": contact.pk}
    return render(request, "messaging/contacts/row.html", context)


def _shown_path(request: HtmxRequest) -> str:
    """Return the address of the contact that stands beside the list, else the list's own."""
    shown = urlsplit(request.htmx.current_url or "").path
    contacts = reverse("messaging:contacts")
    key = read_integer(shown.removeprefix(contacts).removesuffix("/"))
    return reverse("messaging:contact_page", args=[key]) if key is not None else contacts


def _others(contact: Contact, listing: ContactList) -> list[tuple[Contact, str]]:
    """Return the contacts with the same number in the agent's other inboxes."""
    inboxes = {one.pk: name_inbox(one, listing.agent) for one in listing.inboxes}
    same = Contact.objects.filter(inbox__in=inboxes, address=contact.address)
    others = same.exclude(pk=contact.pk).defer("words").order_by("pk")
    return [(one, inboxes[one.inbox_id]) for one in others]


def _start_url(contact: Contact) -> str:
    """Return the address of a first text to them; the agent's own line is preset there anyway."""
    inbox = {} if contact.inbox.is_personal else {"inbox": contact.inbox_id}
    return f"{reverse('messaging:start')}?{urlencode({**inbox, 'to': contact.address})}"


def _lead_to(contact: Contact, listing: ContactList) -> HttpResponse:
    page = reverse("messaging:contact_page", args=[contact.pk])
    return HttpResponseRedirect(page + listing.query)


def _render_panel(
    request: HtmxRequest,
    listing: ContactList,
    panel: str,
    contact: Contact | None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render what stands beside the list: alone for htmx, else with the page."""
    title = isolate_direction(str(contact)) if contact else "New contact"
    context |= {
        "panel_title": title,
        "page_title": f"{title} · Contacts",
        "contact": contact,
        "list_query": listing.query,
        "inbox_name": name_inbox(contact.inbox, listing.agent) if contact else "",
    }
    if request.htmx:
        return render(request, panel, context, status=status)
    return _render_page(request, listing, status, panel=panel, **context)


def _render_page(
    request: HtmxRequest, listing: ContactList, status: int = 200, **context: Any
) -> HttpResponse:
    contact: Contact | None = context.get("contact")
    context = {"page_title": "Contacts"} | context
    context |= {"listing": listing, "shown_id": contact.pk if contact else None}
    return render(request, "messaging/contacts/page.html", context, status=status)
