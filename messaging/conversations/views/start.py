from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inboxes import times
from inboxes.access import get_shared_inbox
from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.attachments.drafts import MAX_FILES, FileRefused, add_file, remove_file
from messaging.attachments.fetching import MAX_FILE_SIZE
from messaging.conversations.closed_notes import read_closed_note
from messaging.conversations.lists import list_url, remembered_list
from messaging.conversations.questions import Question, Unasked, ask
from messaging.conversations.start import (
    InboxChoices,
    NumberInfo,
    describe_number,
    inbox_choices_for,
)
from messaging.conversations.start_forms import RecipientForm, StartForm, StartQuery
from messaging.conversations.views.panes import render_pane
from messaging.conversations.views.uploads import add_uploads
from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound.sending import (
    FilesRefused,
    FormAlreadyUsed,
    SendingRefused,
    TooLong,
)
from messaging.outbound.starting import (
    MentionRefused,
    NumberRefused,
    schedule_first_text,
    start_or_hold,
)
from messaging.replies.filled import SaysOthersValues, find_stale
from messaging.replies.values import read_values
from messaging.stream.segments import count_segments
from threads import addresses
from threads.models import Contact

Text = Message | ScheduledText


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def compose_first_text(request: HtmxRequest) -> HttpResponse:
    """Show or send the form of a first text, beside the list that it was opened from."""
    agent = signed_in_agent(request)
    query = StartQuery(request.GET)
    if not query.is_valid():
        raise Http404("No such inbox.")
    inbox_id = query.cleaned_data["inbox"]
    opened_from = get_shared_inbox(agent, inbox_id) if inbox_id else None
    inbox_choices = inbox_choices_for(agent)
    if request.method != "POST":
        preset = opened_from.pk if opened_from else inbox_choices.default_id
        given = {"inbox": preset, "to": addresses.format_address(query.cleaned_data["to"])}
        form = StartForm(initial=given, inbox_choices=inbox_choices.choices)
        return _render_form(request, agent, inbox_choices, form, opened_from)
    uploads = add_uploads(request, None, agent)
    form = StartForm(uploads.merge_into(request.POST), inbox_choices=inbox_choices.choices)
    if uploads.error and form.is_valid():
        form.add_error("body", uploads.error)
    is_removing = _remove_file(request, agent)
    text, question = None, None
    if form.is_valid() and not is_removing:
        try:
            text = _start_or_add_error(form, inbox_choices, agent)
        except Unasked as error:
            question = ask(error, request.POST)
    if text is None:
        return _render_form(
            request,
            agent,
            inbox_choices,
            form,
            opened_from,
            is_told=not is_removing,
            question=question,
        )
    uploads.remove_unsent()
    _add_toasts(request, form, inbox_choices, text)
    return redirect("messaging:conversation", text.thread_id)


@require_POST
@login_required
def add_first_file(request: HtmxRequest) -> HttpResponse:
    """Keep a file for the first text whose form it stands in."""
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        return unprocessable_text("Choose a file.")
    try:
        file = add_file(thread=None, agent=signed_in_agent(request), upload=upload)
    except FileRefused as error:
        return unprocessable_text(str(error))
    context = {"file": file, "is_first": True}
    return render(request, "messaging/composer/_draft_file.html", context, status=201)


def _remove_file(request: HtmxRequest, agent: Agent) -> bool:
    """Remove a file whose button was pressed without scripts; return True if one was."""
    key = read_integer(request.POST.get("remove", ""))
    if key is None:
        return False
    for file in Attachment.objects.drafted(None, agent).filter(pk=key):
        remove_file(attachment=file)
    return True


@require_safe
@login_required
def describe_recipient(request: HtmxRequest) -> HttpResponse:
    """Show what is known of the number that is being typed, and which contacts match."""
    inbox_choices = inbox_choices_for(signed_in_agent(request))
    form = RecipientForm(request.GET)
    typed = form.cleaned_data["to"] if form.is_valid() else ""
    inbox = inbox_choices.find(form.cleaned_data.get("inbox"))
    known = describe_number(inbox_choices, inbox, typed) if typed else NumberInfo()
    context = {"about": known, "hours": read_closed_note(inbox) if inbox else None}
    return render(request, "messaging/start/_about_number.html", context)


def _start_or_add_error(form: StartForm, inbox_choices: InboxChoices, agent: Agent) -> Text | None:
    """Start the conversation; on a refusal return None, with the reason at its field.

    Raises one of `Unasked`.
    """
    inbox = inbox_choices.find(form.cleaned_data["inbox"])
    if inbox is None:
        raise Http404("No such inbox.")
    try:
        return _start_or_schedule(form.cleaned_data, inbox, agent)
    except NumberRefused as error:
        form.add_error("inbox", str(error))
    except FormAlreadyUsed as error:
        form.add_error("body", str(error))
        form.cleaned_data["form_key"] = None
    except (MentionRefused, TooLong, FilesRefused) as error:
        form.add_error("body", str(error))
    except SendingRefused as error:
        form.add_error("to", str(error))
    return None


def _check_filled(given: Mapping[str, Any], inbox: Inbox, agent: Agent) -> None:
    """Raise SaysOthersValues for what replies put in before *From* or *To* was changed."""
    if given["has_read_values"] or not given["filled"]:
        return
    contact = Contact.objects.filter(inbox=inbox, address=given["to"]).first()
    current = read_values(inbox, agent, contact).values()
    stale = find_stale(given["body"], given["filled"], current)
    if stale:
        raise SaysOthersValues(stale)


def _start_or_schedule(given: Mapping[str, Any], inbox: Inbox, agent: Agent) -> Text:
    _check_filled(given, inbox, agent)
    text: dict[str, Any] = {
        "inbox": inbox,
        "author": agent,
        "address": given["to"],
        "body": given["body"],
        "form_key": given["form_key"],
        "files": given["attachment"],
        "has_read_placeholders": given["has_read_placeholders"],
    }
    if given["later"] is not None:
        return schedule_first_text(**text, send_at=given["later"], is_quiet_ok=given["quiet_ok"])
    return start_or_hold(**text, is_quiet_ok=given["quiet_ok"])


def _add_toasts(
    request: HtmxRequest,
    form: StartForm,
    inbox_choices: InboxChoices,
    text: Text,
) -> None:
    """Say for when the text is scheduled, and what the page would have said beside *To* with
    scripts, or with more time."""
    if isinstance(text, ScheduledText) and text.is_pending and not text.is_undoable:
        at = times.time_element(text.send_at, "inline")
        toasts.success(request, format_html("Scheduled for {}.", at))
    address = form.cleaned_data["to"]
    if form.cleaned_data["checked"] == address:
        return
    known = describe_number(inbox_choices, inbox_choices.find(text.inbox_id), address)
    if known.is_landline:
        toasts.warning(request, "This looks like a landline; it probably can't receive texts.")
    for other in known.others:
        if not other.is_joined:
            toasts.info(request, f"{other.inbox_label} also texts with this number.")


def _render_form(
    request: HtmxRequest,
    agent: Agent,
    inbox_choices: InboxChoices,
    form: StartForm,
    inbox: Inbox | None,
    *,
    is_told: bool = True,
    question: Question | None = None,
) -> HttpResponse:
    """Render the form; `is_told` shows what is wrong with it."""
    selected = str(form["inbox"].value() or "")
    chosen = read_integer(selected)
    if not is_told:
        form.errors.clear()
    bad = next((name for name in ("inbox", "to", "body") if name in form.errors), "")
    named = [key for key in map(read_integer, form["attachment"].value() or ()) if key]
    typed = str(form["to"].value() or "")
    is_preset = bool(typed) and not form.is_bound
    limits = inbox_choices.limits
    chosen_inbox = inbox_choices.find(chosen)
    return render_pane(
        request,
        "messaging/start/_start.html",
        listing=remembered_list(agent, inbox),
        title="Start a conversation",
        status=409 if question else 422 if form.is_bound else 200,
        form=form,
        question=question,
        form_key=form.key,
        files=Attachment.objects.drafted(None, agent).filter(pk__in=named) if named else (),
        most_files=MAX_FILES,
        largest_file=MAX_FILE_SIZE,
        largest_mb=MAX_FILE_SIZE // 2**20,
        segments=count_segments(str(form["body"].value() or "")),
        choices=[
            (str(pk), label, limits.get(pk, settings.MESSAGE_LIMIT), str(pk) == selected)
            for pk, label in inbox_choices.choices
        ],
        first=bad or _first_field(selected, body=question is not None or is_preset),
        about=describe_number(inbox_choices, chosen_inbox, typed)
        if (bad or is_preset or question) and chosen is not None
        else None,
        hours=read_closed_note(chosen_inbox) if chosen_inbox else None,
        inbox=inbox,
        back_url=list_url(inbox),
    )


def _first_field(inbox: str, *, body: bool) -> str:
    """Return the field to begin with: where `body` is asked for, all before it is there."""
    if not inbox:
        return "inbox"
    return "body" if body else "to"
