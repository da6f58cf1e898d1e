from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from messaging.notifications import missed


@csrf_exempt
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def stop_emails(request: HttpRequest, token: str) -> HttpResponse:
    """Turn off the e-mails about what was missed, for whoever holds the link of one.

    Mailboxes send the form themselves (RFC 8058), signed out. A GET changes nothing.
    """
    agent = missed.agent_of_stop_token(token)
    if agent is None:
        raise Http404("No such link.")
    if request.method == "POST":
        missed.choose_emails(agent=agent, minutes=None)
    context = {"is_stopped": request.method == "POST"}
    response = render(request, "messaging/notifications/stop_emails.html", context)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
