"""Step 1: the administrator, and their second factor."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from inboxes.access import hide_unless
from inboxes.models import Agent
from inboxes.sign_in.backends import SIGN_IN_BACKEND
from messaging.setup import access, actions, key, pages
from messaging.setup.forms import AdministratorForm
from messaging.setup.views.opening import say_already_set_up


@hide_unless(access.may_see)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create_administrator(request: HttpRequest) -> HttpResponse:
    """Show or take the form that makes the first administrator, and sign them in."""
    if access.is_administrator(request):
        return redirect("messaging:setup")
    if not key.is_empty():
        return say_already_set_up(request)
    form = AdministratorForm(request)
    if form.is_valid():
        try:
            agent = actions.create_administrator(**form.values())
        except key.AlreadySetUp:
            return say_already_set_up(request)
        return _sign_in(request, agent)
    status = 422 if form.is_bound else 200
    return pages.show_page(
        request, "setup/administrator.html", "administrator", {"form": form}, status=status
    )


def _sign_in(request: HttpRequest, agent: Agent) -> HttpResponse:
    access.forget_key(request)
    login(request, agent, backend=SIGN_IN_BACKEND)
    # They have just chosen their password: it isn't asked for again at the second factor.
    record_authentication(request, agent, "password", username=agent.username)
    return redirect("messaging:setup_second_step")
