"""Record an opt-out that a member learned of, end one, and show how each came about."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.lists import remembered_list
from messaging.conversations.opt_outs import EndForm, RecordForm, list_opt_outs
from messaging.conversations.views.panes import render_pane
from messaging.models import Message, OptOut
from messaging.outbound.opt_outs import end_opt_outs_of_thread, record_opt_out
from messaging.stream.refusals import find_opt_outs
from threads.access import get_thread
from threads.models import Thread


@require_http_methods(["GET", "POST"])
@login_required
def record_thread_opt_out(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the contact's opt-outs, or record that they asked for no more texts."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    if request.method == "GET":
        asked_in = _text_of(thread, request.GET.get("message", ""))
        initial = {"how": "text", "message": asked_in.pk} if asked_in else {}
        return _render_pane(request, agent, thread, RecordForm(initial=initial))
    form = RecordForm(request.POST)
    if not form.is_valid():
        return _render_pane(request, agent, thread, form)
    how, message_id = form.cleaned_data["how"], form.cleaned_data["message"]
    record_opt_out(
        our_address=thread.our_address,
        address=thread.contact.address,
        source=OptOut.Source.MEMBER,
        by=agent,
        inbox_id=thread.inbox_id,
        reason=form.reason,
        message=_text_of(thread, str(message_id)) if how == "text" else None,
    )
    toasts.success(request, f"Opt-out recorded for {thread.contact.display}.")
    return redirect("messaging:conversation", thread.pk)


@require_http_methods(["GET", "POST"])
@login_required
def end_thread_opt_out(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the contact's opt-outs, or end those that keep texts of the thread back."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    if request.method == "GET":
        return redirect("messaging:opt_out", thread.pk)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _render_pane(request, agent, thread, form)
    if end_opt_outs_of_thread(thread=thread, by=agent, reason=form.cleaned_data["reason"]):
        toasts.success(request, f"You can text {thread.contact.display} again.")
    return redirect("messaging:conversation", thread.pk)


def _text_of(thread: Thread, key: str) -> Message | None:
    """Return an inbound text of the thread; None for anything else."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    texts = Message.objects.filter(thread=thread, kind=Message.Kind.INBOUND)
    return texts.filter(pk=int(key)).first()


def _render_pane(
    request: HtmxRequest, agent: Agent, thread: Thread, form: RecordForm | EndForm
) -> HttpResponse:
    current = find_opt_outs([thread]).get(thread.pk)
    is_ending = isinstance(form, EndForm)
    return render_pane(
        request,
        "messaging/conversation/_opt_out.html",
        listing=remembered_list(agent, thread.inbox),
        title=f"Opt-out of {thread.contact.display}",
        status=422 if form.is_bound else 200,
        thread=thread,
        current=current,
        record_form=RecordForm() if is_ending else form,
        end_form=form if is_ending else EndForm(),
        lines=list_opt_outs(thread),
    )
