"""Checking passwords, within our limits, and fetching the agent of a session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from inboxes.models import Agent
from inboxes.sign_in import demand, throttle

# What a session names that somebody has signed in to.
SIGN_IN_BACKEND = "inboxes.sign_in.backends.PasswordBackend"


class PasswordBackend(ModelBackend):
    """Django's backend with a limit for guesses. It has the last word on every password.

    An unknown name takes as long as a known one: Django hashes its password too.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        if username is None or password is None:
            return None
        check = super().authenticate
        found = throttle.check_guess(
            lambda: check(request, username=username, password=password),
            request=request,
            of=throttle.password_of(username),
        )
        if found is None:
            raise PermissionDenied  # so that Django asks no other backend
        return found

    def get_user(self, user_id: int) -> Agent | None:
        """Return the agent with what decides whether they need a second step, in one query."""
        agent = demand.with_demand(Agent.objects.all()).filter(pk=user_id).first()
        return agent if agent is not None and self.user_can_authenticate(agent) else None
