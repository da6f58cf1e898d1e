from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from inboxes.models import Agent


class HtmxRequest(HttpRequest):
    """A request as HtmxMiddleware leaves it."""

    htmx: HtmxDetails


def target_id(request: HtmxRequest) -> str:
    """Return the id of the element that htmx fills, which it names like `section#conversation`."""
    return (request.htmx.target or "").rpartition("#")[2]


def signed_in(request: HttpRequest) -> Agent:
    """The agent behind a request that `login_required` let through."""
    if not isinstance(request.user, Agent):
        raise TypeError("The view lets anonymous people through.")
    return request.user
