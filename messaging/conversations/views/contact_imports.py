"""The steps of an import of contacts: file, columns, preview, done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from inboxes.forms import first_error
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.imports import failures, importing
from messaging.contacts.imports.columns import FIELDS
from messaging.contacts.imports.csv_files import Unreadable
from messaging.contacts.rows import name_inbox
from messaging.conversations import import_rows
from messaging.conversations.csv_downloads import stream_csv
from messaging.conversations.import_forms import (
    ColumnsForm,
    FileForm,
    InsteadQuery,
    LinesQuery,
    column_name,
)
from messaging.models import ContactImport

State = ContactImport.State

SAMPLES = 3  # lines below the names of the columns
LISTED = 5  # imports that the first step leads back to
ONE_AT_A_TIME = "Another import into this inbox is running. Start this one when it has ended."
CANCELLED = "Import cancelled. Nothing was saved."
STOPPING = "The import stopped. What was saved is taken back…"

_WAITING = {
    State.READING: "Reading the file…",
    State.IMPORTING: "Importing the contacts…",
    State.CANCELLING: "Cancelling. What was saved is taken back…",
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_contacts(request: HtmxRequest) -> HttpResponse:
    """Ask for a file and the inbox that it goes into; a POST takes it in."""
    agent = signed_in_agent(request)
    query = InsteadQuery(request.GET)
    if not query.is_valid():
        raise Http404("No such import.")
    key = query.cleaned_data["instead"]
    instead = _get_import(agent, key) if key else None
    choices = _inbox_choices(agent)
    if request.method != "POST":
        preset = instead.inbox_id if instead else choices[0][0] if len(choices) == 1 else ""
        form = FileForm(inboxes=choices, initial={"inbox": preset})
        return _render_file(request, agent, form)
    form = FileForm(request.POST, request.FILES, inboxes=choices)
    if not form.is_valid():
        return _render_file(request, agent, form)
    inbox = Inbox.objects.visible_to(agent).get(pk=form.cleaned_data["inbox"])
    try:
        one = importing.begin(agent=agent, inbox=inbox, upload=form.cleaned_data["file"])
    except Unreadable as error:
        form.add_error("file", str(error))
        return _render_file(request, agent, form)
    if instead is not None:
        _cancel_unfinished(instead)
    return redirect("messaging:import_columns", one.pk)


def _cancel_unfinished(one: ContactImport) -> None:
    if one.state in importing.CHOOSING:
        importing.go_on_here(importing.cancel(one=one), line_count=0)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def choose_columns(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Show what the columns hold, and read what each becomes."""
    one = _get_import(signed_in_agent(request), import_id)
    if one.state not in importing.CHOOSING:
        return redirect("messaging:import", one.pk)
    if request.method != "POST":
        return _render_columns(
            request, one, ColumnsForm(initial=ColumnsForm.initial_of(one), one=one)
        )
    form = ColumnsForm(request.POST, one=one)
    is_valid = form.is_valid()
    try:
        if "again" in request.POST:
            if form.errors.keys() & {"encoding", "separator"}:
                raise Http404("No such encoding or separator.")
            importing.describe_again(one=one, dialect=form.dialect)
            return redirect("messaging:import_columns", one.pk)
        if not is_valid:
            return _render_columns(request, one, form)
        line_count = importing.estimate_lines(one)
        one = importing.choose_columns(
            one=one, mapping=form.mapping, region=form.cleaned_data["region"]
        )
    except Unreadable as error:
        form.add_error(None, str(error))
        return _render_columns(request, one, form)
    except importing.NotNow:
        return redirect("messaging:import", one.pk)
    importing.go_on_here(one, line_count=line_count)
    return redirect("messaging:import", one.pk)


@require_safe
@login_required
def show_import(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Show the preview, how far the import is, or what became of it."""
    one = _get_import(signed_in_agent(request), import_id)
    if one.state == State.UPLOADED:
        return redirect("messaging:import_columns", one.pk)
    context = _context(one)
    if one.state in importing.WORKING:
        return render(request, "messaging/import/working.html", context)
    context["errors"] = import_rows.list_errors(one)
    context["further_errors"] = one.error_count - len(context["errors"])
    if one.state == State.READY:
        context["rows"] = import_rows.list_preview(one, context["errors"])
        return render(request, "messaging/import/preview.html", context)
    return render(request, "messaging/import/over.html", context)


@require_safe
@login_required
def show_progress(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Tell a waiting page how far the import is; lead it on when it is there."""
    one = _get_import(signed_in_agent(request), import_id)
    if one.state in importing.WORKING:
        if request.htmx:
            return render(request, "messaging/import/_progress.html", _context(one))
    elif request.htmx:
        return HttpResponseClientRedirect(reverse("messaging:import", args=[one.pk]))
    return redirect("messaging:import", one.pk)


@require_safe
@login_required
def list_lines(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Show all lines of a preview, a page at a time."""
    one = _get_import(signed_in_agent(request), import_id)
    form = LinesQuery(request.GET)
    if not form.is_valid() or one.state not in {State.READY, State.FINISHED}:
        raise Http404("No such lines.")
    after = form.cleaned_data["after"] or 0
    rows, further = import_rows.list_page(one, after)
    context = {**_context(one), "rows": rows, "further": further, "after": after}
    return render(request, "messaging/import/lines.html", context)


@require_safe
@login_required
def download_errors(request: HtmxRequest, import_id: int) -> HttpResponseBase:
    """Serve the lines that are left out, with the reasons."""
    one = _get_import(signed_in_agent(request), import_id)
    if not one.error_count:
        raise Http404("There are none.")
    return stream_csv(request, import_rows.write_errors(one), "lines-left-out.csv")


@require_POST
@login_required
def start_import(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Import what the preview shows."""
    one = _get_import(signed_in_agent(request), import_id)
    try:
        importing.go_on_here(importing.start(one=one), line_count=one.line_count)
    except importing.NotNow:
        toasts.info(request, "This was started or cancelled already.")
    except importing.NotYet:
        toasts.info(request, ONE_AT_A_TIME)
    return redirect("messaging:import", one.pk)


@require_POST
@login_required
def cancel_import(request: HtmxRequest, import_id: int) -> HttpResponse:
    """Stop an import, and take back what it wrote."""
    one = _get_import(signed_in_agent(request), import_id)
    try:
        line_count = one.done_count if one.state == State.IMPORTING else 0
        one = importing.go_on_here(importing.cancel(one=one), line_count=line_count)
    except importing.NotNow:
        toasts.info(request, "This import is over already.")
        return redirect("messaging:import", one.pk)
    if one.state == State.CANCELLED:
        toasts.success(request, CANCELLED)
        return redirect("messaging:import_contacts")
    return redirect("messaging:import", one.pk)


def _get_import(agent: Agent, import_id: int) -> ContactImport:
    """Return an import of the agent's own, into an inbox that is still theirs. Raises Http404."""
    visible = ContactImport.objects.visible_to(agent).select_related("inbox", "agent")
    one = visible.filter(pk=import_id).first()
    if one is None:
        raise Http404("No such import.")
    return one


def _inbox_choices(agent: Agent) -> list[tuple[int, str]]:
    inboxes = Inbox.objects.visible_to(agent).order_by("owner", "name")
    return [(one.pk, name_inbox(one, agent)) for one in inboxes]


def _context(one: ContactImport) -> dict[str, Any]:
    has_stopped = one.reason in {failures.STOPPED, failures.NOT_TAKEN_BACK}
    total = one.line_count - (one.error_count if one.state != State.READING else 0)
    return {
        "page_title": "Import contacts",
        "one": one,
        "inbox_name": name_inbox(one.inbox, one.agent),
        "waiting": STOPPING if has_stopped else _WAITING.get(State(one.state), ""),
        "has_stopped": has_stopped,
        "total": total if one.state == State.IMPORTING else 0,
        "step": _STEPS.get(State(one.state), 3),
        "is_done": one.state == State.FINISHED,
        "has_lines": bool(one.stored_name),
    }


_STEPS = {
    State.UPLOADED: 2,
    State.READING: 3,
    State.READY: 3,
    State.IMPORTING: 4,
    State.FINISHED: 4,
}


def _render_file(request: HtmxRequest, agent: Agent, form: FileForm) -> HttpResponse:
    earlier = ContactImport.objects.visible_to(agent).exclude(state=State.CANCELLED)
    context = {
        "page_title": "Import contacts",
        "step": 1,
        "form": form,
        "earlier": earlier.select_related("inbox").order_by("-pk")[:LISTED],
    }
    status = 422 if form.is_bound else 200
    return render(request, "messaging/import/file.html", context, status=status)


def _render_columns(request: HtmxRequest, one: ContactImport, form: ColumnsForm) -> HttpResponse:
    try:
        samples = importing.read_samples(one, SAMPLES)
        problem = ""
    except Unreadable as error:
        samples, problem = [], str(error)
    columns = [
        {
            "name": name,
            "field": form[column_name(index)],
            "samples": [row[index] for row in samples if index < len(row) and row[index].strip()],
        }
        for index, name in enumerate(one.headers)
    ]
    context = {
        **_context(one),
        "step": 2,
        "form": form,
        "columns": columns,
        "fields": FIELDS,
        "error": problem or (first_error(form) if form.errors else ""),
    }
    status = 422 if form.is_bound else 200
    return render(request, "messaging/import/columns.html", context, status=status)
