"""The pages of company sign-in that are neither ours nor the company's."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refuse(request: HttpRequest, sentence: str, status: int = 403) -> HttpResponse:
    """Say why somebody isn't signed in."""
    context = {"sentence": sentence, "name": settings.OIDC_NAME}
    return render(request, "socialaccount/authentication_error.html", context, status=status)


def leave_for(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser to another site.

    A redirect would not do in answer to a form: Chromium applies `form-action 'self'` to it too.
    """
    context = {"address": address, "name": settings.OIDC_NAME}
    answer = render(request, "socialaccount/leaving.html", context)
    answer.headers["Refresh"] = f"0; url={address}"
    return answer
