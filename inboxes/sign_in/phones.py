"""Sign in a phone whose code was confirmed in another session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    perform_login,
)
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse

from inboxes.models import Agent
from inboxes.sign_in.demand import AUTHENTICATION_USER_SESSION_KEY, second_steps
from inboxes.sign_in.records import PHONE


def sign_in_phone(request: HttpRequest, agent: Agent, desktop: Mapping[str, Any]) -> HttpResponse:
    """Give the phone a session of its own. `desktop` is the data of the session that vouches.

    The phone counts as signed in with two steps only if the desktop does; else it is asked for the
    second one, if the agent has one. Its steps bear no time: it has confirmed nothing lately.
    """
    steps = [step | {"at": 0} for step in second_steps(agent, desktop)]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": PHONE, "at": 0}, *steps]
    request.session[AUTHENTICATION_USER_SESSION_KEY] = str(agent.pk)
    login = Login(user=agent, redirect_url="/")
    response: HttpResponse
    if not steps:
        response = perform_login(request, login)
        return response
    adapter = get_adapter(request)
    adapter.login(request, agent)
    response = adapter.post_login(
        request,
        agent,
        email_verification=login.email_verification,
        redirect_url=login.redirect_url,
        signal_kwargs=login.signal_kwargs,
        signup=login.signup,
        email=login.email,
    )
    return response
