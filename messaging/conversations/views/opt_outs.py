"""Record an opt-out that a member learned of, end one, and show how each came about."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.opt_out_lines import list_opt_outs
from messaging.conversations.lists import remembered_list
from messaging.conversations.opt_outs import EndForm, RecordForm
from messaging.conversations.views.contact_panes import lead_back, way_back
from messaging.conversations.views.panes import render_pane
from messaging.models import Message, Number, OptOut
from messaging.outbound.opt_outs import end_opt_outs, end_opt_outs_of_thread, record_opt_out
from threads.access import get_contact, get_thread
from threads.models import Contact, Thread


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold a contact, and the number of ours whose texts they may not want.

    `thread` is None for a contact that has never been texted.
    """

    contact: Contact
    our_address: str
    thread: Thread | None = None

    @classmethod
    def of_thread(cls, thread: Thread) -> Pair:
        return cls(thread.contact, thread.our_address, thread)

    @classmethod
    def of_contact(cls, contact: Contact) -> Pair:
        """Return the pair of a contact with or without a thread. Raises Http404."""
        thread = Thread.objects.for_rows().filter(contact=contact).first()
        if thread is not None:
            return cls.of_thread(thread)
        number = Number.objects.filter(inbox=contact.inbox_id).first()
        if number is None:
            raise Http404("No number of ours that they could opt out of.")
        return cls(contact, number.address)

    def end(self, *, by: Agent, reason: str) -> bool:
        """End what keeps texts from the contact; return False if nothing does."""
        if self.thread is not None:
            return end_opt_outs_of_thread(thread=self.thread, by=by, reason=reason)
        return end_opt_outs(
            our_address=self.our_address,
            address=self.contact.address,
            inbox_id=self.contact.inbox_id,
            by=by,
            reason=reason,
        )

    @property
    def record_url(self) -> str:
        if self.thread is not None:
            return reverse("messaging:opt_out", args=[self.thread.pk])
        return reverse("messaging:contact_opt_out", args=[self.contact.pk])

    @property
    def end_url(self) -> str:
        if self.thread is not None:
            return reverse("messaging:end_opt_out", args=[self.thread.pk])
        return reverse("messaging:end_contact_opt_out", args=[self.contact.pk])


@require_http_methods(["GET", "POST"])
@login_required
def record_thread_opt_out(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the opt-outs of a thread's contact, or record that they asked for no more texts."""
    agent = signed_in_agent(request)
    return _record(request, agent, Pair.of_thread(get_thread(agent, thread_id)))


@require_http_methods(["GET", "POST"])
@login_required
def record_contact_opt_out(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Do the same for a contact who may have no thread."""
    agent = signed_in_agent(request)
    return _record(request, agent, Pair.of_contact(get_contact(agent, contact_id)))


@require_http_methods(["GET", "POST"])
@login_required
def end_thread_opt_out(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the contact's opt-outs, or end those that keep texts of the thread back."""
    agent = signed_in_agent(request)
    return _end(request, agent, Pair.of_thread(get_thread(agent, thread_id)))


@require_http_methods(["GET", "POST"])
@login_required
def end_contact_opt_out(request: HtmxRequest, contact_id: int) -> HttpResponse:
    """Do the same for a contact who may have no thread."""
    agent = signed_in_agent(request)
    return _end(request, agent, Pair.of_contact(get_contact(agent, contact_id)))


def _record(request: HtmxRequest, agent: Agent, pair: Pair) -> HttpResponse:
    if request.method == "GET":
        asked_in = _text_of(pair.thread, request.GET.get("message", ""))
        initial = {"how": "text", "message": asked_in.pk} if asked_in else {}
        return _render_pane(request, agent, pair, RecordForm(initial=initial))
    form = RecordForm(request.POST)
    if not form.is_valid():
        return _render_pane(request, agent, pair, form)
    how, message_id = form.cleaned_data["how"], form.cleaned_data["message"]
    record_opt_out(
        our_address=pair.our_address,
        address=pair.contact.address,
        source=OptOut.Source.MEMBER,
        by=agent,
        inbox_id=pair.contact.inbox_id,
        reason=form.reason,
        message=_text_of(pair.thread, str(message_id)) if how == "text" else None,
    )
    toasts.success(request, f"Opt-out recorded for {pair.contact.display}.")
    return lead_back(pair.contact)


def _end(request: HtmxRequest, agent: Agent, pair: Pair) -> HttpResponse:
    if request.method == "GET":
        return redirect(pair.record_url)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _render_pane(request, agent, pair, form)
    if pair.end(by=agent, reason=form.cleaned_data["reason"]):
        toasts.success(request, f"You can text {pair.contact.display} again.")
    return lead_back(pair.contact)


def _text_of(thread: Thread | None, key: str) -> Message | None:
    """Return an inbound text of the thread; None for anything else."""
    if thread is None or not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    texts = Message.objects.filter(thread=thread, kind=Message.Kind.INBOUND)
    return texts.filter(pk=int(key)).first()


def _render_pane(
    request: HtmxRequest, agent: Agent, pair: Pair, form: RecordForm | EndForm
) -> HttpResponse:
    current = OptOut.objects.current().between(pair.our_address, pair.contact.address)
    is_ending = isinstance(form, EndForm)
    return render_pane(
        request,
        "messaging/conversation/_opt_out.html",
        listing=remembered_list(agent, pair.contact.inbox),
        title=f"Opt-out of {pair.contact.display}",
        status=422 if form.is_bound else 200,
        pair=pair,
        contact=pair.contact,
        back=way_back(pair.contact),
        current=current.order_by("-is_for_all").first(),
        record_form=RecordForm() if is_ending else form,
        end_form=form if is_ending else EndForm(),
        lines=list_opt_outs(pair.contact, pair.thread, pair.our_address),
    )
