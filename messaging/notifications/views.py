from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import no_content_or_redirect
from messaging.models import Notification
from messaging.notifications.forms import NotificationListForm
from messaging.notifications.lists import list_notifications
from messaging.stream.notifying import mark_notifications_read


@require_safe
@login_required
def show_notifications(request: HtmxRequest) -> HttpResponse:
    """Show the agent's notifications beside the conversation, or the next rows of them."""
    agent = signed_in_agent(request)
    form = NotificationListForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    shown = list_notifications(agent, form.cleaned_data["after"])
    template = "messaging/notifications/page.html"
    if request.htmx:
        wants_rows = request.GET.get("after") or "rows" in request.GET
        template = (
            "messaging/notifications/_rows.html"
            if wants_rows
            else "messaging/notifications/_panes.html"
        )
    context = {"notices": shown, "rows": shown.rows, "next_url": shown.next_url}
    return render(request, template, context)


@require_POST
@login_required
def mark_notification_read(request: HtmxRequest, notification_id: int) -> HttpResponse:
    agent = signed_in_agent(request)
    mine = Notification.objects.visible_to(agent)
    notification = get_object_or_404(mine, pk=notification_id)
    mark_notifications_read(agent=agent, notification_id=notification.pk)
    return no_content_or_redirect(request, "messaging:notifications")


@require_POST
@login_required
def mark_all_read(request: HtmxRequest) -> HttpResponse:
    mark_notifications_read(agent=signed_in_agent(request))
    return no_content_or_redirect(request, "messaging:notifications")
