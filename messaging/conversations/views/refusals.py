"""Render the composer again after a text was refused, with the reason and the text in it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from inboxes.models import Agent
from inboxes.requests import HtmxRequest
from messaging.conversations.entries import Entry
from messaging.conversations.forms import SendForm
from messaging.conversations.history import open_conversation
from messaging.conversations.questions import ask, ask_in_composer
from messaging.conversations.views.conversation import render_conversation
from messaging.outbound.sending import FormAlreadyUsed, Overtaken, SendingRefused
from threads.models import Thread


def render_refusal(
    request: HtmxRequest, agent: Agent, thread: Thread, why: str | SendingRefused, form: SendForm
) -> HttpResponse:
    """Answer 422 with the reason beside the field."""
    shown = open_conversation(thread, agent)
    sentence = str(why)
    key = None if isinstance(why, FormAlreadyUsed) else form.cleaned_data.get("form_key")
    shown = replace(
        shown,
        form_key=key or shown.form_key,
        error="" if sentence == shown.refusal else sentence,
        body=request.POST.get("body", ""),
        is_draft_internal=form.cleaned_data["is_internal"],
    )
    if request.htmx:
        context = {"conversation": shown}
        return render(request, "messaging/composer/_composer.html", context, status=422)
    return render_conversation(request, agent, shown, status=422)


def render_send_guard(
    request: HtmxRequest, agent: Agent, thread: Thread, error: Overtaken, form: SendForm
) -> HttpResponse:
    """Answer 409 with what others wrote meanwhile; the agent may send anyway."""
    newer_entries = [Entry.for_agent(message, agent) for message in error.messages]
    marks_done = form.cleaned_data["done"]
    if request.htmx:
        context = {"newer_entries": newer_entries, "is_live": True, "marks_done": marks_done}
        return render(request, "messaging/composer/_guard.html", context, status=409)
    shown = replace(
        open_conversation(thread, agent),
        form_key=form.cleaned_data["form_key"],
        newer_entries=newer_entries,
        marks_done=marks_done,
        body=form.cleaned_data["body"],
        is_draft_internal=False,
    )
    return render_conversation(request, agent, shown, status=409)


def render_question(
    request: HtmxRequest, agent: Agent, thread: Thread, error: Exception, form: SendForm
) -> HttpResponse:
    """Answer 409 with a question: in the open page, or without scripts in a form of its own.

    `error` is one of `Unasked`.
    """
    posted = cast(QueryDict, form.data)
    question = ask_in_composer(ask(error, posted), posted, is_whole=not request.htmx)
    if request.htmx:
        context = {"question": question, "is_live": True}
        return render(request, "messaging/composer/_question.html", context, status=409)
    shown = replace(
        open_conversation(thread, agent),
        form_key=form.cleaned_data["form_key"],
        question=question,
        body=form.cleaned_data["body"],
        is_draft_internal=False,
    )
    return render_conversation(request, agent, shown, status=409)
