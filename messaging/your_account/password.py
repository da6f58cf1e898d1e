"""The page on which agents change their own password."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from inboxes.actions import change_password
from inboxes.requests import signed_in_agent
from inboxes.sign_in import throttle
from inboxes.sign_in.confirming import require_confirmation
from inboxes.sign_in.forms import FirstPasswordForm, NewPasswordForm
from messaging.your_account.views import to_account


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_own_password(request: HttpRequest) -> HttpResponse:
    """Show or take the form for a new password. This session stays; the agent's others end.

    Whoever has no password yet confirms in another way that it is them.
    """
    agent = signed_in_agent(request)
    has_password = agent.has_usable_password()
    if not has_password:
        require_confirmation(request, to="set a password")
    form = NewPasswordForm(agent, request) if has_password else FirstPasswordForm(agent, request)
    if form.is_valid():
        change_password(
            agent=agent, password=form.cleaned_data["new_password1"], session=request.session
        )
        throttle.forget_codes(agent.pk)
        done = "changed" if has_password else "set"
        toasts.success(request, f"Password {done}. You're signed out everywhere else.")
        return to_account("password")
    return render(
        request,
        "messaging/your_account/password.html",
        {"form": form, "page_title": "Change password" if has_password else "Set a password"},
        status=422 if form.is_bound else 200,
    )
