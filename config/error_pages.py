"""Show what a person reads when we fail: after a form, with the text that it held."""

from __future__ import annotations

import sys

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string

from config.csrf import is_own_form


def show_failure(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is unavailable, else 500.

    The page asks the database nothing. It cannot know how far a form got, and browsers do not
    always keep what was typed on the page before, so it shows the form's text.
    """
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    status = 503 if is_away else 500
    context = {"is_form": request.method == "POST", "words": _read_text(request)}
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)


def _read_text(request: HttpRequest) -> str:
    """Return the text of a form of ours; nothing if the form cannot be read."""
    try:
        return request.POST.get("body", "") if is_own_form(request) else ""
    except (OSError, SuspiciousOperation, MultiPartParserError):
        return ""
