from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from inboxes.models import Agent


class HtmxRequest(HttpRequest):
    """A request that has passed HtmxMiddleware."""

    htmx: HtmxDetails


def target_id(request: HtmxRequest) -> str:
    """Return the id of the element that htmx fills, which it names like `section#conversation`."""
    return (request.htmx.target or "").rpartition("#")[2]


def signed_in_agent(request: HttpRequest) -> Agent:
    """Return the agent of a request to a view with `login_required`."""
    if not isinstance(request.user, Agent):
        raise TypeError("The view lacks login_required.")
    return request.user
