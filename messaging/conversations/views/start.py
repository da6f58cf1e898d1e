from __future__ import annotations

from django.conf import settings
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from inboxes.access import get_shared_inbox
from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.lists import list_url
from messaging.conversations.start import (
    InboxChoices,
    NumberInfo,
    describe_number,
    inbox_choices_for,
)
from messaging.conversations.start_forms import RecipientForm, StartForm, StartQuery
from messaging.conversations.views.panes import render_pane
from messaging.models import Message
from messaging.outbound.sending import SendingRefused, TooLong
from messaging.outbound.starting import MentionRefused, NumberRefused, start_conversation
from messaging.stream.segments import count_segments
from threads.lists import inbox_list, top_list


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
        form = StartForm(initial={"inbox": preset}, inbox_choices=inbox_choices.choices)
        return _render_form(request, agent, inbox_choices, form, opened_from)
    form = StartForm(request.POST, inbox_choices=inbox_choices.choices)
    message = _start_or_add_error(form, inbox_choices, agent) if form.is_valid() else None
    if message is None:
        return _render_form(request, agent, inbox_choices, form, opened_from)
    _add_toasts(request, form, inbox_choices, message)
    return redirect("messaging:conversation", message.thread_id)


@require_safe
@login_required
def describe_recipient(request: HtmxRequest) -> HttpResponse:
    """Show what is known of the number that is being typed, and which contacts match."""
    inbox_choices = inbox_choices_for(signed_in_agent(request))
    form = RecipientForm(request.GET)
    typed = form.cleaned_data["to"] if form.is_valid() else ""
    inbox = inbox_choices.find(form.cleaned_data.get("inbox"))
    known = describe_number(inbox_choices, inbox, typed) if typed else NumberInfo()
    return render(request, "messaging/start/_about_number.html", {"about": known})


def _start_or_add_error(
    form: StartForm, inbox_choices: InboxChoices, agent: Agent
) -> Message | None:
    """Start the conversation; on a refusal return None, with the reason at its field."""
    inbox = inbox_choices.find(form.cleaned_data["inbox"])
    if inbox is None:
        raise Http404("No such inbox.")
    try:
        return start_conversation(
            inbox=inbox,
            author=agent,
            address=form.cleaned_data["to"],
            body=form.cleaned_data["body"],
            form_key=form.cleaned_data["form_key"],
        )
    except NumberRefused as error:
        form.add_error("inbox", str(error))
    except (MentionRefused, TooLong) as error:
        form.add_error("body", str(error))
    except SendingRefused as error:
        form.add_error("to", str(error))
    return None


def _add_toasts(
    request: HtmxRequest, form: StartForm, inbox_choices: InboxChoices, message: Message
) -> None:
    """Say what the page would have said beside *To* with scripts, or with more time."""
    address = form.cleaned_data["to"]
    if form.cleaned_data["checked"] == address:
        return
    known = describe_number(inbox_choices, inbox_choices.find(message.inbox_id), address)
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
) -> HttpResponse:
    selected = str(form["inbox"].value() or "")
    chosen = read_integer(selected)
    bad = next((name for name in ("inbox", "to", "body") if name in form.errors), "")
    typed = str(form["to"].value() or "")
    limits = inbox_choices.limits
    return render_pane(
        request,
        "messaging/start/_start.html",
        listing=inbox_list(agent, inbox) if inbox else top_list(agent),
        title="Start a conversation",
        status=422 if form.is_bound else 200,
        form=form,
        form_key=form.key,
        segments=count_segments(str(form["body"].value() or "")),
        choices=[
            (str(pk), label, limits.get(pk, settings.MESSAGE_LIMIT), str(pk) == selected)
            for pk, label in inbox_choices.choices
        ],
        first=bad or ("to" if selected else "inbox"),
        about=describe_number(inbox_choices, inbox_choices.find(chosen), typed)
        if bad and chosen is not None
        else None,
        inbox=inbox,
        back_url=list_url(inbox),
    )
