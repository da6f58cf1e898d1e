from __future__ import annotations

from django.http import HttpRequest

from inboxes.models import Agent


def signed_in(request: HttpRequest) -> Agent:
    """The agent behind a request that `login_required` let through."""
    if not isinstance(request.user, Agent):
        raise TypeError("The view lets anonymous people through.")
    return request.user
