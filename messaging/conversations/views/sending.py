"""Send the text of a composer, now or later, or send a message again."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from inboxes.forms import first_error
from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import fragment_or_redirect, unprocessable_text
from messaging.conversations.drafts import draft_seq
from messaging.conversations.entries import Entry, prefetch_details
from messaging.conversations.forms import SendForm
from messaging.conversations.history import open_conversation
from messaging.conversations.opening import page_around
from messaging.conversations.questions import Question, Unasked, ask_about_retry
from messaging.conversations.schedule_forms import RetryForm, ScheduleForm
from messaging.conversations.views.conversation import render_conversation
from messaging.conversations.views.refusals import (
    render_question,
    render_refusal,
    render_send_guard,
)
from messaging.conversations.views.uploads import add_uploads
from messaging.models import Message, ScheduledText
from messaging.outbound.quiet_hours import InQuietHours
from messaging.outbound.retrying import schedule_retry
from messaging.outbound.scheduling import schedule_text
from messaging.outbound.sending import (
    NotRetriable,
    Overtaken,
    SendingRefused,
    retry_message,
)
from messaging.outbound.undo_send import write_or_hold
from messaging.stream.access import get_message
from threads.access import get_thread
from threads.models import Thread

KEPT_OPEN = "Sent. A new text just arrived, so the conversation stays open."


@require_POST
@login_required
def send_text(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Send the text in the composer, or schedule it if a button of *Send later* was pressed.

    Both share one address: htmx uses the form's own, whatever a button's `formaction` says.
    """
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    response = _schedule_text if "later" in request.POST else _send_now
    return response(request, agent, thread)


def _send_now(request: HtmxRequest, agent: Agent, thread: Thread) -> HttpResponse:
    uploads = add_uploads(request, thread, agent)
    form = SendForm(uploads.merge_into(request.POST))
    if uploads.error and form.is_valid():
        form.add_error(None, uploads.error)
    if not form.is_valid():
        return render_refusal(request, agent, thread, first_error(form), form)
    try:
        written = write_or_hold(
            thread=thread,
            author=agent,
            body=form.cleaned_data["body"],
            form_key=form.cleaned_data["form_key"],
            is_internal=form.cleaned_data["is_internal"],
            seen=form.guard_from,
            files=form.cleaned_data["attachment"],
            marks_done=form.cleaned_data["done"],
            shown=form.newest_shown,
            has_read_placeholders=form.cleaned_data["has_read_placeholders"],
            is_quiet_ok=form.cleaned_data["quiet_ok"],
        )
    except Overtaken as error:
        return render_send_guard(request, agent, thread, error, form)
    except Unasked as error:
        return render_question(request, agent, thread, error, form)
    except SendingRefused as error:
        return render_refusal(request, agent, thread, error, form)
    uploads.remove_unsent()
    context = _new_form_context(thread, agent)
    if isinstance(written, ScheduledText):
        template = "messaging/scheduled/_held.html"
        context["text"] = written
    else:
        template = "messaging/conversation/_sent.html"
        is_kept_open = form.cleaned_data["done"] and thread.status != Thread.Status.DONE
        if is_kept_open and not request.htmx:
            toasts.info(request, KEPT_OPEN)
        toast = KEPT_OPEN if is_kept_open else ""
        context |= {"entry": Entry.for_agent(written, agent), "toast": toast}
    return fragment_or_redirect(request, template, context, "messaging:conversation", thread.pk)


def _schedule_text(request: HtmxRequest, agent: Agent, thread: Thread) -> HttpResponse:
    uploads = add_uploads(request, thread, agent)
    form = ScheduleForm(uploads.merge_into(request.POST))
    if uploads.error and form.is_valid():
        form.add_error(None, uploads.error)
    if not form.is_valid():
        return render_refusal(request, agent, thread, first_error(form), form)
    try:
        text = schedule_text(
            thread=thread,
            author=agent,
            body=form.cleaned_data["body"],
            send_at=form.cleaned_data["send_at"],
            form_key=form.cleaned_data["form_key"],
            is_regardless=form.cleaned_data["regardless"],
            files=form.cleaned_data["attachment"],
            has_read_placeholders=form.cleaned_data["has_read_placeholders"],
            is_quiet_ok=form.cleaned_data["quiet_ok"],
        )
    except Unasked as error:
        return render_question(request, agent, thread, error, form)
    except SendingRefused as error:
        return render_refusal(request, agent, thread, error, form)
    uploads.remove_unsent()
    context = {"text": text} | _new_form_context(thread, agent)
    template = "messaging/scheduled/_scheduled.html"
    return fragment_or_redirect(request, template, context, "messaging:conversation", thread.pk)


def _new_form_context(thread: Thread, agent: Agent) -> dict[str, object]:
    """Return what the composer needs for the next text."""
    return {"form_key": uuid.uuid4(), "draft_seq": draft_seq(thread, agent)}


@require_POST
@login_required
def retry_text(request: HtmxRequest, message_id: int) -> HttpResponse:
    """Send a failed or unknown message again; an outdated page gets the current state."""
    agent = signed_in_agent(request)
    message = get_message(agent, message_id)
    form = RetryForm(request.POST)
    text: ScheduledText | None = None
    try:
        text = _retry(form, message, agent)
    except InQuietHours as error:
        return _ask_before_retry(request, agent, message, ask_about_retry(error))
    except SendingRefused as error:
        if request.htmx:
            return unprocessable_text(str(error))
        toasts.error(request, str(error))
    except NotRetriable:
        pass
    [message] = prefetch_details([get_message(agent, message_id)])
    return fragment_or_redirect(
        request,
        "messaging/conversation/_retried.html",
        {"entry": Entry.for_agent(message, agent), "text": text},
        "messaging:conversation",
        message.thread_id,
    )


def _retry(form: RetryForm, message: Message, agent: Agent) -> ScheduledText | None:
    """Send it again now, or schedule it for the moment that the question offered."""
    if not form.is_valid():
        raise SendingRefused(first_error(form))
    later = form.cleaned_data["later"]
    if later is not None:
        return schedule_retry(message=message, by=agent, send_at=later)
    retry_message(message=message, is_quiet_ok=form.cleaned_data["quiet_ok"])
    return None


def _ask_before_retry(
    request: HtmxRequest, agent: Agent, message: Message, question: Question
) -> HttpResponse:
    """Put the question into the message: in the open page, or without scripts in a new one."""
    if request.htmx:
        entry = replace(Entry.for_agent(message, agent), question=question)
        return render(request, "messaging/conversation/_message.html", {"entry": entry})
    thread = get_thread(agent, message.thread_id)
    page = page_around(thread, agent, message.pk).with_question(message.pk, question)
    shown = open_conversation(thread, agent, page=page)
    return render_conversation(request, agent, shown, status=409)
