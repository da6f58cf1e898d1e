"""Answers that differ for htmx and for a browser without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from inboxes.requests import HtmxRequest


def fragment_or_redirect(
    request: HtmxRequest, template: str, context: Mapping[str, Any], to: str, *args: Any
) -> HttpResponse:
    """Render the template for htmx, else redirect to the address or URL name `to`."""
    if request.htmx:
        return render(request, template, context)
    return redirect(to, *args)


def no_content_or_redirect(request: HtmxRequest, to: str, *args: Any) -> HttpResponse:
    """Answer 204 to htmx, whose page needs nothing more, else redirect to `to`."""
    if request.htmx:
        return HttpResponse(status=204)
    return redirect(to, *args)


def unprocessable_text(sentence: str) -> HttpResponse:
    """Answer 422 with a sentence that a script shows to the agent as it is."""
    return HttpResponse(sentence, status=422, content_type="text/plain")
