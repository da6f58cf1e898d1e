"""Open the set-up: with the key, and later where it goes on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_safe

from inboxes.access import hide_unless
from inboxes.requests import signed_in_agent
from inboxes.sign_in import demand
from messaging.setup import access, key, pages
from messaging.setup.checklist import read_checklist


@demand.sets_up_second_step
@hide_unless(access.may_open)
@require_safe
def open_setup(request: HttpRequest) -> HttpResponse:
    """Take the key out of the address, and lead to the step at which the set-up goes on."""
    if access.gave_key(request):
        access.keep_key(request)
        response = redirect("messaging:setup")
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "private, no-store"
        return response
    if access.is_administrator(request):
        agent = signed_in_agent(request)
        if demand.lacking(agent, request.session) is demand.Lack.FACTOR:
            return redirect("messaging:setup_second_step")
        step = read_checklist().next_step
        return redirect(step.url if step is not None else "messaging:setup_done")
    if key.is_empty():
        return redirect("messaging:setup_administrator")
    return say_already_set_up(request)


def say_already_set_up(request: HttpRequest) -> HttpResponse:
    """Tell whoever has the right key, but comes late, to sign in."""
    context = {"sign_in": resolve_url(settings.LOGIN_URL)}
    return pages.keep_private(render(request, "setup/already.html", context, status=409))
