"""The page *Your account*, the agent's name, and their sessions."""

from __future__ import annotations

from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from inboxes.actions import rename_agent, set_undo_seconds
from inboxes.forms import first_error
from inboxes.models import Agent
from inboxes.requests import signed_in_agent
from inboxes.responses import unprocessable_text
from inboxes.sign_in.sessions import end_other_sessions
from inboxes.sign_in.wrong_codes import count_wrong_codes
from messaging.your_account.forms import NameForm, UndoForm
from messaging.your_account.rows import TwoStep, list_sessions


@require_safe
@login_required
def show_account(request: HttpRequest) -> HttpResponse:
    agent = signed_in_agent(request)
    return _render_account(request, agent, NameForm(instance=agent))


@require_POST
@login_required
def save_own_name(request: HttpRequest) -> HttpResponse:
    """Give the agent the name that they typed. Their username stays."""
    agent = signed_in_agent(request)
    form = NameForm(request.POST, instance=Agent(pk=agent.pk))
    if not form.is_valid():
        return _render_account(request, agent, form, status=422)
    rename_agent(agent=agent, display_name=form.cleaned_data["display_name"])
    toasts.success(request, "Name saved.")
    return to_account()


@require_POST
@login_required
def save_undo_seconds(request: HttpRequest) -> HttpResponse:
    """Store how long the agent's texts wait before they leave."""
    agent = signed_in_agent(request)
    form = UndoForm(request.POST)
    if not form.is_valid():
        return unprocessable_text(first_error(form))
    set_undo_seconds(agent=agent, seconds=form.cleaned_data["undo_seconds"])
    toasts.success(request, "Saved.")
    return to_account("undo-send")


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign the agent out in one other browser. Its open pages close at once."""
    mine = UserSession.objects.filter(user=signed_in_agent(request))
    session = get_object_or_404(mine, pk=session_id)
    end_sessions(request, [session])
    toasts.success(request, "Signed out there.")
    return to_account("sessions")


@require_POST
@login_required
def end_all_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign the agent out everywhere but here."""
    end_other_sessions(agent=signed_in_agent(request), kept_key=request.session.session_key or "")
    toasts.success(request, "You're signed out everywhere else.")
    return to_account("sessions")


def to_account(section: str = "") -> HttpResponse:
    """Redirect to *Your account*, to one of its sections if that is named."""
    return redirect(reverse("messaging:account") + (f"#{section}" if section else ""))


def _render_account(
    request: HttpRequest, agent: Agent, name_form: NameForm, status: int = 200
) -> HttpResponse:
    context = {
        "page_title": "Your account",
        "name_form": name_form,
        "undo_form": UndoForm(initial={"undo_seconds": agent.undo_seconds}),
        "two_step": TwoStep.of(agent),
        "wrong_codes": count_wrong_codes(agent),
        "sessions": list_sessions(agent, request.session.session_key or ""),
    }
    return render(request, "messaging/your_account/page.html", context, status=status)
