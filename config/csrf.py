"""Answer a form whose protection against forged requests does not hold any more.

Signing in renews it, so a form that was opened before is refused. Nearly always that is a second
tab of the same person.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect, render
from django.urls import reverse

from config.addresses import safe_next

LONGEST_KEPT = 20_000  # Characters of all fields together that are offered again
# A field whose name has one of these in it is never written into a page
NEVER_KEPT = ("csrfmiddlewaretoken", "password", "secret", "credential", "code", "token")


def refuse_outdated_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Lead a sign-in on to where it was going; offer any other form once more."""
    sign_in_pages = {reverse("account_login"), reverse("mfa_authenticate")}
    if request.path in sign_in_pages and reason != REASON_NO_CSRF_COOKIE:
        target = safe_next(request)
        if request.user.is_authenticated:
            return redirect(target)
        return redirect(f"{request.path}?{urlencode({'next': target})}")
    context = {
        "has_no_cookie": reason == REASON_NO_CSRF_COOKIE,
        "fields": _kept_fields(request),
        "has_files": bool(request.FILES),
        "is_sign_out": request.path == reverse("account_logout"),
    }
    return render(request, "403_csrf.html", context, status=403)


def is_own_form(request: HttpRequest) -> bool:
    """Return True if the browser says that the form was one of our own pages."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def _kept_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was typed, if the form was one of our own pages and somebody is signed in."""
    if not is_own_form(request) or not request.user.is_authenticated:
        return []
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if not any(secret in name for secret in NEVER_KEPT)
    ]
    return fields if sum(len(value) for _, value in fields) <= LONGEST_KEPT else []
