"""Access to inboxes, and to pages that exist for some people only.

What a person may not see is a 404, as if it did not exist.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from inboxes.models import Agent, Inbox


def get_inbox(agent: Agent, inbox_id: int) -> Inbox:
    """Return a shared inbox of the agent's, or their own line. Raises Http404 for any other."""
    inbox = Inbox.objects.visible_to(agent).filter(pk=inbox_id).first()
    if inbox is None:
        raise Http404("No such inbox.")
    return inbox


def get_shared_inbox(agent: Agent, inbox_id: int) -> Inbox:
    """Return a shared inbox of the agent's. Raises Http404 for any other."""
    inbox = Inbox.objects.shared().visible_to(agent).filter(pk=inbox_id).first()
    if inbox is None:
        raise Http404("No such inbox.")
    return inbox


View = Callable[..., HttpResponseBase]


def hide_unless(may_see: Callable[[HttpRequest], bool]) -> Callable[[View], View]:
    """Answer 404 to everybody for whom `may_see` is False.

    The middleware reads `may_see` too, and asks it before a method or a CSRF token is looked at:
    their refusals would tell that there is a page.
    """

    def hide(view: View) -> View:
        @functools.wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may_see(request):
                raise Http404("Not for this person.")
            return view(request, *args, **kwargs)

        shown.may_see = may_see  # type: ignore[attr-defined]  # a function takes any
        return shown

    return hide
