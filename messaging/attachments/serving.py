"""Answers that hold a file. Whatever its bytes are, nothing of them runs: the type is ours, the
browser may not guess another, and a page made of it would be allowed nothing."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def inert_response(data: bytes, content_type: str, *, save_as: str = "") -> HttpResponse:
    """With a name to save it as, it is never shown in a page."""
    response = HttpResponse(data, content_type=content_type)
    disposition = content_disposition_header(bool(save_as), save_as)
    response["Content-Disposition"] = disposition or "inline"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
