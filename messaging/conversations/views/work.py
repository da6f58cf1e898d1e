"""Assign a conversation, mark it as done, reopen it and snooze it, for the whole team."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inboxes.forms import first_error
from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.conversations.forms import ReadForm
from messaging.conversations.views.tools import answer_with_tools
from messaging.conversations.work_forms import AssignForm, SnoozeForm
from messaging.work import deeds
from threads.access import get_thread
from threads.assignment import STRANGER, NotAMember
from threads.models import Thread

BLOCKED = "This contact is blocked. Unblock them first."
KEPT_OPEN = "A new text just arrived, so the conversation stays open."


@require_POST
@login_required
def assign_thread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Assign the thread to a member of its inbox, or to nobody."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = AssignForm(request.POST, agent=agent)
    if not form.is_valid():
        raise Http404("No such agent.")
    key = form.cleaned_data["assignee"]
    assignee = Agent.objects.filter(pk=key).first() if key is not None else None
    if key is not None and assignee is None:
        return _refuse(request, thread, STRANGER)
    try:
        deeds.assign_threads(
            inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=assignee, by=agent
        )
    except NotAMember as error:
        return _refuse(request, thread, str(error))
    return answer_with_tools(request, agent, thread.pk)


@require_POST
@login_required
def mark_thread_done(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Mark the thread as done, unless a text came in that the page did not show."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise Http404("No such message.")
    shown = {thread.pk: form.cleaned_data["message"]}
    if deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=agent).kept_open:
        return _refuse(request, thread, KEPT_OPEN)
    return _answer(request, agent, thread)


@require_POST
@login_required
def reopen_thread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Open a thread that is done or snoozed."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    deeds.reopen(inbox_id=thread.inbox_id, thread_ids=[thread.pk], by=agent)
    return _answer(request, agent, thread)


@require_POST
@login_required
def snooze_thread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Snooze the thread, unless a text came in that the page did not show."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = SnoozeForm(request.POST)
    if "message" in form.errors:
        raise Http404("No such message.")
    if not form.is_valid():
        return _refuse(request, thread, first_error(form))
    snoozed = deeds.snooze(
        inbox_id=thread.inbox_id,
        shown={thread.pk: form.shown_upto},
        until=form.cleaned_data["until"],
        by=agent,
    )
    if snoozed.kept_open:
        return _refuse(request, thread, KEPT_OPEN)
    return _answer(request, agent, thread)


def _answer(request: HtmxRequest, agent: Agent, thread: Thread) -> HttpResponse:
    """Answer a deed on the status, which leaves a blocked thread as it is."""
    blocked = Thread.objects.filter(pk=thread.pk, status=Thread.Status.BLOCKED)
    if blocked.exists():
        return _refuse(request, thread, BLOCKED)
    return answer_with_tools(request, agent, thread.pk)


def _refuse(request: HtmxRequest, thread: Thread, sentence: str) -> HttpResponse:
    if request.htmx:
        return unprocessable_text(sentence)
    toasts.error(request, sentence)
    return redirect("messaging:conversation", thread.pk)
