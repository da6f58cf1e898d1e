from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inboxes.actions import remember_locale
from inboxes.forms import LocaleForm, first_error
from inboxes.requests import signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.models import PushSubscription
from messaging.notifications import webpush
from messaging.notifications.forms import SettingsForm, SubscriptionForm
from messaging.notifications.missed import choose_emails
from messaging.stream.jobs import defer_push_test
from messaging.stream.notifying import set_preference, set_sound, subscribe_push, unsubscribe_push


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_settings(request: HttpRequest) -> HttpResponse:
    """Show or save what an agent is notified of, and how."""
    agent = signed_in_agent(request)
    form = SettingsForm(request.POST or None, agent=agent)
    if form.is_valid():
        set_sound(agent=agent, has_sound=form.cleaned_data["has_sound"])
        if "email_after" in form.cleaned_data:
            choose_emails(agent=agent, minutes=form.cleaned_data["email_after"])
        for inbox_id, level in form.chosen_levels().items():
            set_preference(agent=agent, inbox_id=inbox_id, level=level)
        toasts.success(request, "Settings saved.")
        return redirect("messaging:settings")
    context = {
        "page_title": "Notification settings",
        "form": form,
        "subscriptions": agent.push_subscriptions.order_by("-created_at", "-pk"),
        "application_server_key": webpush.application_server_key(),
    }
    return render(
        request,
        "messaging/notifications/settings.html",
        context,
        status=422 if form.is_bound else 200,
    )


@require_POST
@login_required
def report_locale(request: HttpRequest) -> HttpResponse:
    """Store the language and the time zone of the browser, for what the server words itself."""
    form = LocaleForm(request.POST)
    if not form.is_valid():
        return unprocessable_text(first_error(form))
    remember_locale(agent=signed_in_agent(request), **form.cleaned_data)
    return HttpResponse(status=204)


@require_POST
@login_required
def send_test_push(request: HttpRequest) -> HttpResponse:
    """Send a test to the agent's browsers; the page's script shows one itself."""
    agent = signed_in_agent(request)
    if agent.push_subscriptions.exists():
        defer_push_test(agent.pk)
        toasts.success(request, "Test sent to your devices.")
    else:
        toasts.info(request, "Push isn't set up on any device yet.")
    return redirect("messaging:settings")


@require_POST
@login_required
def subscribe_browser(request: HttpRequest) -> HttpResponse:
    """Store the push subscription of one of the agent's browsers."""
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        return unprocessable_text(first_error(form))
    subscribe_push(
        agent=signed_in_agent(request),
        session_key=request.session.session_key or "",
        **form.cleaned_data,
    )
    return HttpResponse(status=204)


@require_POST
@login_required
def unsubscribe_browser(request: HttpRequest, subscription_id: int) -> HttpResponse:
    agent = signed_in_agent(request)
    subscription = get_object_or_404(PushSubscription, agent=agent, pk=subscription_id)
    unsubscribe_push(agent=agent, subscription_id=subscription.pk)
    toasts.success(request, "Push is off for that device.")
    return redirect("messaging:settings")


@require_safe
def serve_service_worker(request: HttpRequest) -> HttpResponse:
    """Serve the script from the root, so that it may control the whole site. It holds no data."""
    path = finders.find("js/service-worker.js")
    if not isinstance(path, str):
        raise Http404("No service worker.")
    with open(path, encoding="utf-8") as file:
        response = HttpResponse(file.read(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/"
    return response
