"""The page of a scheduled text: change it, send it now, delete it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import no_content_or_redirect, unprocessable_text
from messaging.conversations.lists import remembered_list
from messaging.conversations.questions import Question, Unasked, ask
from messaging.conversations.schedule_forms import ChangeScheduledForm, SendNowForm
from messaging.conversations.views.all_scheduled import (
    FROM_LIST,
    came_from_list,
    render_outcome,
)
from messaging.conversations.views.panes import render_pane
from messaging.models import ScheduledText
from messaging.outbound.scheduling import (
    AlreadyEnded,
    ChangedMeanwhile,
    change_scheduled_text,
    delete_scheduled_text,
    send_scheduled_text_now,
)
from messaging.outbound.sending import SendingRefused, TooLong
from messaging.stream.access import get_scheduled_text
from messaging.stream.refusals import find_standing

ENDED = "This text has already been sent or deleted."
CHANGED = (
    "A colleague changed this while you were editing. Here's their version; saving replaces it "
    "with yours."
)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_scheduled(request: HtmxRequest, text_id: int) -> HttpResponse:
    """Show or save the words and the time."""
    agent = signed_in_agent(request)
    text = get_scheduled_text(agent, text_id)
    if not text.is_pending:
        return _refuse_ended(request, text)
    if request.method != "POST":
        return _render_form(
            request,
            agent,
            text,
            ChangeScheduledForm(initial=_initial_values(text), scheduled_for=text.send_at),
        )
    form = ChangeScheduledForm(request.POST, scheduled_for=text.send_at)
    if not form.is_valid():
        return _render_form(request, agent, text, form)
    try:
        change_scheduled_text(
            text=text,
            agent=agent,
            body=form.cleaned_data["body"],
            send_at=form.cleaned_data["send_at"],
            is_regardless=form.cleaned_data["regardless"],
            known_seq=form.cleaned_data["known"],
            files=form.cleaned_data["attachment"],
            has_read_placeholders=form.cleaned_data["has_read_placeholders"],
            is_quiet_ok=form.cleaned_data["quiet_ok"],
        )
    except Unasked as error:
        question = replace(ask(error, request.POST), button="Save anyway")
        return _ask(request, agent, text, form, question)
    except AlreadyEnded:
        return _refuse_ended(request, text)
    except ChangedMeanwhile as error:
        return _render_form(request, agent, error.text, form, is_changed=True)
    except SendingRefused as error:
        form.add_error("body", str(error))
        return _render_form(request, agent, text, form)
    if came_from_list(request):
        return redirect("messaging:all_scheduled")
    return redirect("messaging:conversation", text.thread_id)


@require_POST
@login_required
def send_scheduled_now(request: HtmxRequest, text_id: int) -> HttpResponse:
    """Send the text without waiting: unchanged, or with the words from its page."""
    agent = signed_in_agent(request)
    text = get_scheduled_text(agent, text_id)
    form = SendNowForm(request.POST) if "body" in request.POST else None
    if form is not None and not form.is_valid():
        return _render_form(
            request, agent, text, ChangeScheduledForm(request.POST, scheduled_for=text.send_at)
        )
    words = (form.cleaned_data["body"], form.cleaned_data["known"]) if form else None
    files = form.cleaned_data["attachment"] if form else None
    try:
        send_scheduled_text_now(
            text=text,
            agent=agent,
            words=words,
            files=files,
            has_read_placeholders=form is None or form.cleaned_data["has_read_placeholders"],
            is_quiet_ok=form is not None and form.cleaned_data["quiet_ok"],
        )
    except Unasked as error:
        return _ask_before_sending(request, agent, text, ask(error, request.POST))
    except AlreadyEnded:
        return _refuse_ended(request, text)
    except ChangedMeanwhile as error:
        form_again = ChangeScheduledForm(request.POST, scheduled_for=error.text.send_at)
        return _render_form(request, agent, error.text, form_again, is_changed=True)
    except SendingRefused as error:
        if form is not None and isinstance(error, TooLong):
            return _refuse_too_long(request, agent, text, error)
        if request.htmx:
            return unprocessable_text(str(error))
        toasts.error(request, str(error))
        if came_from_list(request):
            return render_outcome(request, text)
    if came_from_list(request):
        return render_outcome(request, text, "Text sent.")
    return no_content_or_redirect(request, "messaging:conversation", text.thread_id)


@require_POST
@login_required
def delete_scheduled(request: HtmxRequest, text_id: int) -> HttpResponse:
    text = get_scheduled_text(signed_in_agent(request), text_id)
    try:
        delete_scheduled_text(text=text)
    except AlreadyEnded:
        return _refuse_ended(request, text)
    if came_from_list(request):
        return render_outcome(request, text, "Scheduled text deleted.")
    return no_content_or_redirect(request, "messaging:conversation", text.thread_id)


def _refuse_ended(request: HtmxRequest, text: ScheduledText) -> HttpResponse:
    if came_from_list(request):
        return render_outcome(request, text, ENDED)
    if request.htmx and request.method == "POST":
        return unprocessable_text(ENDED)
    toasts.error(request, ENDED)
    return redirect("messaging:conversation", text.thread_id)


def _refuse_too_long(
    request: HtmxRequest, agent: Agent, text: ScheduledText, error: TooLong
) -> HttpResponse:
    """Render the page again, with the words that could not be sent."""
    form = ChangeScheduledForm(request.POST, scheduled_for=text.send_at)
    form.full_clean()
    form.add_error("body", str(error))
    return _render_form(request, agent, text, form)


def _ask_before_sending(
    request: HtmxRequest, agent: Agent, text: ScheduledText, question: Question
) -> HttpResponse:
    if "body" not in request.POST:
        return _lead_to_question(request, text, question)
    form = ChangeScheduledForm(request.POST, scheduled_for=text.send_at)
    here = reverse("messaging:send_scheduled", args=[text.pk])
    return _ask(request, agent, text, form, replace(question, action=here))


def _lead_to_question(
    request: HtmxRequest, text: ScheduledText, question: Question
) -> HttpResponse:
    """Lead to the text's page, which can ask; its buttons elsewhere send it as it is."""
    sentence = f"{question.title}. Choose Edit, then Send now, to send it anyway."
    if request.htmx:
        return unprocessable_text(sentence)
    toasts.warning(request, sentence)
    return redirect("messaging:scheduled", text.pk)


def _ask(
    request: HtmxRequest,
    agent: Agent,
    text: ScheduledText,
    form: ChangeScheduledForm,
    question: Question,
) -> HttpResponse:
    """Render the page again with a question, and nothing that is wrong."""
    form.errors.clear()
    return _render_form(request, agent, text, form, question=question)


def _initial_values(text: ScheduledText) -> dict[str, Any]:
    return {
        "body": text.body,
        "at": f"{timezone.localtime(text.send_at):%Y-%m-%dT%H:%M}",
        "regardless": text.is_regardless,
    }


def _render_form(
    request: HtmxRequest,
    agent: Agent,
    text: ScheduledText,
    form: ChangeScheduledForm,
    *,
    is_changed: bool = False,
    question: Question | None = None,
) -> HttpResponse:
    number = find_standing(text.thread).number
    kept = form["attachment"].value() if form.is_bound else None
    return render_pane(
        request,
        "messaging/scheduled/_change.html",
        listing=remembered_list(agent, text.inbox),
        title=f"Scheduled text to {text.thread.contact.display}",
        status=409 if question else 422 if form.is_bound else 200,
        form=form,
        question=question,
        text=text,
        files=[
            (file, kept is None or str(file.pk) in kept)
            for file in text.attachments.order_by("pk")
        ],
        is_from_list=FROM_LIST in request.GET or came_from_list(request),
        changed=CHANGED if is_changed else "",
        limit=number.longest_text if number else settings.MESSAGE_LIMIT,
    )
