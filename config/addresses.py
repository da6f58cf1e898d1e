"""Addresses of ours to which a browser is sent on."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme


def safe_next(request: HttpRequest, otherwise: str = "/") -> str:
    """Return the address in `next` if it is a path of this site, else `otherwise`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_ours and is_path else otherwise


def owning_page(path: str) -> str:
    """Return the address of the page that a form's address belongs to: the nearest one above it.

    So `/threads/5/messages/` leads to `/threads/5/`, and `/notifications/7/read/` to
    `/notifications/`.
    """
    parts = path.strip("/").split("/")[:-1]
    while parts:
        above = f"/{'/'.join(parts)}/"
        try:
            resolve(above)
        except Resolver404:
            parts.pop()
        else:
            return above
    return "/"
