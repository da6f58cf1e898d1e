"""Deeds on many threads at once: begin one, see how far it is, and take it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from inboxes.access import get_shared_inbox
from inboxes.forms import first_error
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.conversations.bulk_forms import BulkForm, Incomplete, SelectionForm, read_details
from messaging.conversations.bulk_menus import read_assignees, read_labels
from messaging.conversations.lists import list_url
from messaging.conversations.work_menus import snooze_choices
from messaging.models import BulkAction
from messaging.work import bulk, bulk_words
from messaging.work.bulk_deeds import Deed
from messaging.work.whole_views import WholeView
from threads.filters import ThreadFilter

_QUESTIONS = {
    Deed.ASSIGN: "Assign",
    Deed.SNOOZE: "Snooze",
    Deed.LABEL: "Label",
    Deed.UNLABEL: "Label",
}

NOT_UNDONE = "This can't be undone any more."


@require_safe
@login_required
def show_tools(request: HtmxRequest) -> HttpResponse:
    """Show how many threads the list has in all, and what can be chosen for them."""
    agent = signed_in_agent(request)
    form = SelectionForm(request.GET)
    if not form.is_valid():
        raise Http404("No such list.")
    inbox = _get_inbox(agent, form.cleaned_data["inbox"])
    view = WholeView.seen_now(agent, inbox, form.cleaned_data["filter"])
    context = {
        "size": view.count(agent),
        "newest": json.dumps(view.newest),
        **_menus(agent, inbox),
    }
    return render(request, "messaging/list/_bulk_menus.html", context)


@require_POST
@login_required
def act_on_many(request: HtmxRequest) -> HttpResponse:
    """Do a deed with the selected threads; answer with what was done and an offer to undo it."""
    agent = signed_in_agent(request)
    form = BulkForm(request.POST)
    form.is_valid()
    if form.errors.keys() - {"thread", "newest"}:
        raise Http404("No such deed, or no such list.")
    inbox, shown = _get_inbox(agent, form.cleaned_data["inbox"]), form.cleaned_data["filter"]
    if not form.is_valid():
        return _refuse(request, _list_url(inbox, shown), first_error(form))
    deed = Deed(form.cleaned_data["deed"])
    try:
        details = read_details(deed, request.POST, agent)
    except Incomplete:
        return _ask(request, form, agent, inbox)
    except ValidationError as error:
        return _refuse(request, _list_url(inbox, shown), error.messages[0])
    action = _begin(form, deed, details, agent, inbox)
    return _tell(request, action, _list_url(inbox, shown))


def _begin(
    form: BulkForm, deed: Deed, details: dict[str, object], agent: Agent, inbox: Inbox | None
) -> BulkAction:
    newest, threads = form.cleaned_data["newest"], form.cleaned_data["thread"]
    if newest:
        view = WholeView(inbox.pk if inbox else None, form.cleaned_data["filter"], newest)
        return bulk.begin_with_view(agent=agent, deed=deed, view=view, details=details)
    return bulk.begin(agent=agent, deed=deed, shown=threads, details=details, inbox=inbox)


@require_POST
@login_required
def undo_on_many(request: HtmxRequest, action_id: int) -> HttpResponse:
    """Take an action of the agent's own back."""
    action = _get_action(signed_in_agent(request), action_id)
    try:
        action = bulk.undo(action=action)
    except bulk.CannotUndo:
        return _refuse(request, list_url(action.inbox), NOT_UNDONE)
    return _tell(request, action, list_url(action.inbox))


@require_safe
@login_required
def show_progress(request: HtmxRequest, action_id: int) -> HttpResponse:
    """Tell how far an action of the agent's own is."""
    action = _get_action(signed_in_agent(request), action_id)
    context = _outcome_context(action)
    if request.htmx:
        return render(request, "messaging/list/_bulk_outcome.html", context)
    return render(request, "messaging/bulk_progress.html", context)


def _get_inbox(agent: Agent, inbox_id: int | None) -> Inbox | None:
    """Return the inbox of the list; None for the list over all. Raises Http404."""
    return None if inbox_id is None else get_shared_inbox(agent, inbox_id)


def _get_action(agent: Agent, action_id: int) -> BulkAction:
    """Return an action of the agent's own. Raises Http404 for any other."""
    actions = BulkAction.objects.select_related("inbox").filter(agent=agent, pk=action_id)
    action = actions.first()
    if action is None:
        raise Http404("No such action.")
    return action


def _list_url(inbox: Inbox | None, shown: ThreadFilter) -> str:
    return f"{list_url(inbox)}?{shown.explicit_query}"


def _menus(agent: Agent, inbox: Inbox | None) -> dict[str, object]:
    inboxes: Sequence[Inbox] = [inbox] if inbox else list(Inbox.objects.visible_to(agent))
    return {
        "assignees": read_assignees(agent, inboxes),
        "labels": read_labels(inboxes),
        "snoozes": snooze_choices(timezone.now()),
        "first_day": timezone.localdate() + timedelta(days=1),
    }


def _ask(request: HtmxRequest, form: BulkForm, agent: Agent, inbox: Inbox | None) -> HttpResponse:
    """Ask on a page what the deed needs besides the threads; pages with scripts have a menu."""
    deed = Deed(form.cleaned_data["deed"])
    which = bulk_words.count_conversations(len(form.cleaned_data["thread"]))
    context = {
        "fields": [
            (name, value)
            for name in ("inbox", "only", "label", "thread", "newest")
            for value in request.POST.getlist(name)
        ],
        "deed": deed,
        "heading": f"{_QUESTIONS[deed]} {which}",
        "back": _list_url(inbox, form.cleaned_data["filter"]),
        **_menus(agent, inbox),
    }
    return render(request, "messaging/bulk_choice.html", context)


def _tell(request: HtmxRequest, action: BulkAction, back: str) -> HttpResponse:
    context = _outcome_context(action)
    if request.htmx:
        return render(request, "messaging/list/_bulk_outcome.html", context)
    toasts.success(request, render_to_string("messaging/list/_bulk_outcome.html", context))
    return redirect(back)


def _outcome_context(action: BulkAction) -> dict[str, object]:
    return {
        "action": action,
        "words": bulk_words.describe(action),
        "is_going_on": action.state in {BulkAction.State.RUNNING, BulkAction.State.UNDOING},
        "can_be_undone": bulk.can_be_undone(action),
        "back": list_url(action.inbox),
    }


def _refuse(request: HtmxRequest, back: str, sentence: str) -> HttpResponse:
    if request.htmx:
        return unprocessable_text(sentence)
    toasts.error(request, sentence)
    return redirect(back)
