"""Record that a contact agreed to get texts, end that, and show how each consent came about."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.consent_forms import ConsentForm
from messaging.contacts.consents import end_consent, list_consents, record_consent
from messaging.conversations.lists import remembered_list
from messaging.conversations.views.contact_panes import lead_back, way_back
from messaging.conversations.views.panes import render_pane
from threads.access import get_contact
from threads.models import Consent, Contact


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def record_consent_of_contact(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Show the contact's consents, or record one more."""
    agent = signed_in_agent(request)
    contact = get_contact(agent, contact_id)
    if request.method != "POST":
        form = ConsentForm(initial={"given_on": timezone.localdate().isoformat()})
        return _render_form(request, agent, contact, form)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _render_form(request, agent, contact, form)
    record_consent(
        contact=contact,
        how=Consent.How(form.cleaned_data["how"]),
        words=form.cleaned_data["words"],
        given_on=form.cleaned_data["given_on"],
        by=agent,
    )
    toasts.success(request, f"Consent recorded for {contact.display}.")
    return lead_back(contact)


@require_POST
@login_required
def end_one_consent(request: HtmxRequest, consent_id: int) -> HttpResponse:
    """Note that a consent counts no more; show what is left."""
    agent = signed_in_agent(request)
    consent = Consent.objects.filter(pk=consent_id).first()
    if consent is None:
        raise Http404("No such consent.")
    contact = get_contact(agent, consent.contact_id)
    consent.contact = contact
    if end_consent(consent=consent, by=agent):
        toasts.success(request, f"Consent ended for {contact.display}.")
    return redirect("messaging:consents", contact.pk)


def _render_form(
    request: HtmxRequest, agent: Agent, contact: Contact, form: ConsentForm
) -> HttpResponse:
    return render_pane(
        request,
        "messaging/contacts/_consents.html",
        listing=remembered_list(agent, contact.inbox),
        title=f"Consent of {contact.display}",
        status=422 if form.is_bound else 200,
        contact=contact,
        form=form,
        first=next(iter(form.errors), "how"),
        today=timezone.localdate().isoformat(),
        lines=list_consents(contact),
        back=way_back(contact),
    )
