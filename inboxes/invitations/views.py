from __future__ import annotations

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from inboxes.emails import sends_email
from inboxes.invitations import actions, tokens
from inboxes.invitations.forms import ChoosePasswordForm, JoinForm, LostPasswordForm
from inboxes.models import Agent, OneTimeLink
from inboxes.sign_in import throttle


@sensitive_post_parameters()
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show or take the form of a one-time link. A GET, which mail scanners make too, changes
    nothing."""
    try:
        link = tokens.find_link(token)
        if request.user.is_authenticated:
            response = _leave_first(request, link)
        elif link.is_invitation:
            response = _join(request, token, link)
        else:
            response = _choose_password(request, token, link)
    except tokens.LinkIsOver:
        # Links that work are not counted, so nobody can lock out whoever holds one.
        throttle.count_attempt(request=request, of=throttle.links())
        response = render(request, "invitations/over.html", status=404)
    return _keep_private(response)


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_link(request: HttpRequest) -> HttpResponse:
    """Take the username or e-mail address of somebody who lost their password.

    The answer is the same whether there is such an agent or not.
    """
    if not sends_email():
        return render(request, "invitations/ask_administrator.html")
    form = LostPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = throttle.lost_password_of(form.cleaned_data["login"])
        throttle.count_attempt(request=request, of=asked)
        actions.request_reset_link(login=form.cleaned_data["login"])
        return redirect(f"{request.path}?sent")
    template = "lost_password_sent" if "sent" in request.GET else "lost_password"
    status = 422 if form.is_bound else 200
    return render(request, f"invitations/{template}.html", {"form": form}, status=status)


def _join(request: HttpRequest, token: str, link: OneTimeLink) -> HttpResponse:
    form = JoinForm(request, link)
    if form.is_valid():
        try:
            agent = actions.accept(token=token, **form.values())
        except actions.UsernameTaken:
            form.add_taken()
        else:
            return _sign_in(request, agent)
    return _render_form(request, "invitations/join.html", form)


def _choose_password(request: HttpRequest, token: str, link: OneTimeLink) -> HttpResponse:
    form = ChoosePasswordForm(request, link)
    if form.is_valid():
        agent = actions.use_reset_link(token=token, password=form.cleaned_data["password"])
        return _sign_in(request, agent)
    return _render_form(request, "invitations/reset.html", form)


def _leave_first(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    """Ask somebody who is signed in to sign out before they use a link, or sign them out."""
    if request.method == "POST" and "leave" in request.POST:
        logout(request)
        return redirect(request.path)
    return render(request, "invitations/leave.html", {"link": link})


def _render_form(request: HttpRequest, template: str, form: ChoosePasswordForm) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, template, {"form": form, "link": form.link}, status=status)


def _sign_in(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Sign in as with the password that was just chosen: a second step is still asked for."""
    credentials = {"username": agent.username}
    signing_in = Login(user=agent, redirect_url="/")
    response: HttpResponse = perform_password_login(request, credentials, signing_in)
    return response


def _keep_private(response: HttpResponse) -> HttpResponse:
    """Keep the link's address out of caches, search engines and the Referer of what it loads.

    The origin is still sent: without one, the form would not pass the check against forgeries.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
