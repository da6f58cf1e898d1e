"""Responses that hold a file, of which nothing can run.

The type is ours, the browser may not guess another, and a page made of the file would be allowed
nothing.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def inert_response(data: bytes, content_type: str, *, save_as: str = "") -> HttpResponse:
    """Return a response that is saved, not shown in a page, if `save_as` names a file."""
    response = HttpResponse(data, content_type=content_type)
    disposition = content_disposition_header(bool(save_as), save_as)
    response["Content-Disposition"] = disposition or "inline"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
