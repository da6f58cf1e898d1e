"""Deactivate an agent, after saying what that means for what is theirs."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html

from inboxes import actions
from inboxes.models import Agent, Inbox
from inboxes.requests import signed_in_agent
from messaging.models import ScheduledText
from threads.models import Thread

PAGE = "admin:inboxes_agent_change"


def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; a POST does it."""
    agent = _get_agent(request, pk)
    if not agent.is_active:
        return redirect(PAGE, agent.pk)
    by = signed_in_agent(request)
    if request.method == "POST" and agent != by:
        try:
            actions.deactivate_agent(agent=agent, changed_by=by)
        except actions.LastAdministrator:
            messages.error(request, actions.LAST_ADMINISTRATOR)
            return redirect(PAGE, agent.pk)
        _log(request, agent, "Deactivated.")
        words = format_html("{} is deactivated and signed out.", agent.display_name)
        messages.success(request, words)
        return redirect(PAGE, agent.pk)
    context = {
        **admin.site.each_context(request),
        "opts": Agent._meta,
        "title": f"Deactivate {agent}?",
        "agent": agent,
        "is_oneself": agent == by,
        "line": Inbox.objects.filter(owner=agent).select_related("number").first(),
        "scheduled_count": ScheduledText.objects.filter(
            author=agent, state=ScheduledText.State.WAITING
        ).count(),
        "assigned_count": Thread.objects.filter(assignee=agent).count(),
        "left_alone": _left_alone(agent),
    }
    return TemplateResponse(request, "admin/inboxes/agent/deactivate.html", context)


def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let them sign in again; only by POST."""
    agent = _get_agent(request, pk)
    if request.method == "POST" and not agent.is_active:
        actions.reactivate_agent(agent=agent)
        _log(request, agent, "Reactivated.")
        messages.success(request, format_html("{} may sign in again.", agent.display_name))
    return redirect(PAGE, agent.pk)


def _get_agent(request: HttpRequest, pk: int) -> Agent:
    model_admin = admin.site.get_model_admin(Agent)
    agent = get_object_or_404(Agent, pk=pk)
    if not model_admin.has_change_permission(request, agent):
        raise PermissionDenied
    return agent


def _left_alone(agent: Agent) -> list[Inbox]:
    """Return the shared inboxes of which nobody else is a member who may sign in."""
    theirs = Inbox.objects.filter(memberships__agent=agent).prefetch_related("members")
    return [
        inbox
        for inbox in theirs.order_by("name", "pk")
        if not any(member.is_active and member != agent for member in inbox.members.all())
    ]


def _log(request: HttpRequest, agent: Agent, words: str) -> None:
    admin.site.get_model_admin(Agent).log_change(request, agent, words)
