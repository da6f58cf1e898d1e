from __future__ import annotations

import uuid
from dataclasses import replace

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from inboxes.models import Agent
from inboxes.requests import signed_in
from messaging.attachments.drafts import BadFile, add_file, remove_file
from messaging.conversations.drafts import draft_seq
from messaging.conversations.forms import HistoryForm, ReadForm, SendForm
from messaging.conversations.history import Conversation, Entry, history_page, open_conversation
from messaging.conversations.lists import list_beside, listing_context
from messaging.conversations.opening import page_at
from messaging.conversations.schedule_forms import LaterForm
from messaging.conversations.views.lists import targets_panes
from messaging.models import Attachment, Message
from messaging.outbound.scheduling import schedule_text
from messaging.outbound.sending import (
    AlreadyMade,
    NotRetriable,
    Overtaken,
    SendingRefused,
    retry_message,
    write_message,
)
from messaging.stream.access import get_message
from messaging.stream.notifying import mark_notifications_read
from threads.access import get_thread
from threads.actions import mark_read
from threads.models import Thread


@require_GET
@login_required
def conversation(request: HttpRequest, thread_id: int) -> HttpResponse:
    """A conversation beside its list, or an older page of its history."""
    agent = signed_in(request)
    thread = get_thread(agent, thread_id)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the history.")
    choice = form.cleaned_data["only"]
    if form.cleaned_data["before"]:
        page = history_page(thread, agent, form.cleaned_data["before"])
        page = page.with_new(form.cleaned_data["new"])
        if _is_htmx(request):
            context = {"entries": page.entries, "older_url": page.older_url}
            return render(request, "messaging/conversation/_history_page.html", context)
        shown = open_conversation(thread, agent, page=page, choice=choice)
    else:
        at = form.cleaned_data["at"]
        around = page_at(thread, agent, at) if at else None
        shown = open_conversation(thread, agent, page=around, choice=choice)
        if shown.page.newest is not None:
            _note_read(thread, agent, shown.page.newest, is_opening=True)
    if _is_htmx(request) and not targets_panes(request):
        return render(
            request, "messaging/conversation/_conversation.html", {"conversation": shown}
        )
    return _whole_page(request, agent, shown)


@require_POST
@login_required
def send(request: HttpRequest, thread_id: int) -> HttpResponse:
    agent = signed_in(request)
    thread = get_thread(agent, thread_id)
    if "later" in request.POST:
        return _send_later(request, agent, thread)
    kept, bad_file = _keep_files(request, agent, thread)
    form = SendForm(_with_files(request.POST, kept))
    if bad_file and form.is_valid():
        form.add_error(None, bad_file)
    if not form.is_valid():
        sentence = str(next(iter(form.errors.values()))[0])
        return _refused(request, agent, thread, sentence, form)
    try:
        message = write_message(
            thread=thread,
            author=agent,
            body=form.cleaned_data["body"],
            form_key=form.cleaned_data["form_key"],
            is_internal=form.cleaned_data["is_internal"],
            seen=form.guard_from,
            files=form.cleaned_data["attachment"],
        )
    except Overtaken as error:
        return _overtaken(request, agent, thread, error, form)
    except SendingRefused as error:
        return _refused(request, agent, thread, error, form)
    for one in kept:
        remove_file(attachment=one)  # the form had made its message before, with its own copy
    if not _is_htmx(request):
        return redirect("messaging:conversation", thread.pk)
    context = {
        "entry": Entry.of(message, agent),
        "form_key": uuid.uuid4(),
        "draft_seq": draft_seq(thread, agent),
    }
    return render(request, "messaging/conversation/_sent.html", context)


def _keep_files(
    request: HttpRequest, agent: Agent, thread: Thread
) -> tuple[list[Attachment], str]:
    """Files that came with the form, where no script had sent them ahead: they stand in the
    composer before anything else is looked at. And what was wrong with one."""
    kept: list[Attachment] = []
    try:
        for upload in request.FILES.getlist("files"):
            one = add_file(thread=thread, agent=agent, upload=upload)
            kept.append(one)
    except BadFile as error:
        return kept, str(error)
    return kept, ""


def _with_files(posted: QueryDict, kept: list[Attachment]) -> QueryDict:
    if not kept:
        return posted
    data = posted.copy()
    data.setlist("attachment", [*posted.getlist("attachment"), *(str(one.pk) for one in kept)])
    return data


def _send_later(request: HttpRequest, agent: Agent, thread: Thread) -> HttpResponse:
    form = LaterForm(request.POST, request.FILES)
    if not form.is_valid():
        sentence = str(next(iter(form.errors.values()))[0])
        return _refused(request, agent, thread, sentence, form)
    try:
        text = schedule_text(
            thread=thread,
            author=agent,
            body=form.cleaned_data["body"],
            send_at=form.cleaned_data["send_at"],
            form_key=form.cleaned_data["form_key"],
            is_regardless=form.cleaned_data["regardless"],
        )
    except SendingRefused as error:
        return _refused(request, agent, thread, error, form)
    if not _is_htmx(request):
        return redirect("messaging:conversation", thread.pk)
    context = {
        "text": text,
        "form_key": uuid.uuid4(),
        "draft_seq": draft_seq(thread, agent),
    }
    return render(request, "messaging/scheduled/_scheduled.html", context)


@require_GET
@login_required
def composer(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The composer alone, when it became another one on an open page."""
    agent = signed_in(request)
    shown = open_conversation(get_thread(agent, thread_id), agent)
    return render(request, "messaging/composer/_composer.html", {"conversation": shown})


@require_POST
@login_required
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Try a failed or unknown message again; a stale page is simply shown what is."""
    agent = signed_in(request)
    message = get_message(agent, message_id)
    try:
        message = retry_message(message=message)
    except SendingRefused as error:
        if _is_htmx(request):
            return HttpResponse(str(error), status=422, content_type="text/plain")
        notices.error(request, str(error))
    except NotRetriable:
        message = get_message(agent, message_id)
    if _is_htmx(request):
        context = {"entry": Entry.of(message, agent)}
        return render(request, "messaging/conversation/_message.html", context)
    return redirect("messaging:conversation", message.thread_id)


@require_POST
@login_required
def read(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The page has shown the thread up to a message."""
    agent = signed_in(request)
    thread = get_thread(agent, thread_id)
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise Http404("No such message.")
    newest = Message.objects.shown_upto(thread, form.cleaned_data["message"])
    if newest is not None:
        _note_read(thread, agent, newest)
    return HttpResponse(status=204)


def _note_read(thread: Thread, agent: Agent, newest: Message, *, is_opening: bool = False) -> None:
    """What was shown is read, and so are its notifications."""
    mark_read(
        thread=thread,
        agent=agent,
        message_id=newest.pk,
        position=newest.position,
        is_opening=is_opening,
    )
    mark_notifications_read(agent=agent, thread=thread, upto=newest.pk)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _whole_page(
    request: HttpRequest, agent: Agent, shown: Conversation, status: int = 200
) -> HttpResponse:
    listing = list_beside(agent, shown.inbox, shown.choice, request.GET)
    context = {
        **listing_context(listing),
        "conversation": shown,
        "page_title": str(shown.thread.contact),
    }
    template = "messaging/_panes.html" if _is_htmx(request) else "messaging/page.html"
    return render(request, template, context, status=status)


def _overtaken(
    request: HttpRequest, agent: Agent, thread: Thread, error: Overtaken, form: SendForm
) -> HttpResponse:
    """What came meanwhile, and the question whether to send all the same."""
    came = [Entry.of(message, agent) for message in error.messages]
    if _is_htmx(request):
        return render(
            request, "messaging/composer/_guard.html", {"came": came, "is_live": True}, status=409
        )
    shown = open_conversation(thread, agent)
    shown = replace(shown, form_key=form.cleaned_data["form_key"], came=came)
    shown = replace(shown, body=form.cleaned_data["body"], is_draft_internal=False)
    return _whole_page(request, agent, shown, status=409)


def _refused(
    request: HttpRequest,
    agent: Agent,
    thread: Thread,
    why: str | SendingRefused,
    form: SendForm,
) -> HttpResponse:
    """The composer again, with the reason beside the field and the text still in it."""
    shown = open_conversation(thread, agent)
    sentence = str(why)
    key = None if isinstance(why, AlreadyMade) else form.cleaned_data.get("form_key")
    shown = replace(
        shown,
        form_key=key or shown.form_key,
        error="" if sentence == shown.refusal else sentence,
        body=request.POST.get("body", ""),
        is_draft_internal=form.cleaned_data["is_internal"],
    )
    if _is_htmx(request):
        context = {"conversation": shown}
        return render(request, "messaging/composer/_composer.html", context, status=422)
    return _whole_page(request, agent, shown, status=422)
