"""Carry links to the one page that shows them, once.

Their addresses wait in the administrator's session for that page, encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from inboxes.encryption import UndecryptableError, decrypt_text, encrypt_text
from inboxes.invitations.tokens import NewLink
from inboxes.models import OneTimeLink

_KEY = "new_links"


def keep_to_show(request: HttpRequest, made: Iterable[NewLink]) -> None:
    urls = {str(new.link.pk): new.url for new in made}
    request.session[_KEY] = encrypt_text(json.dumps(urls))


def take_shown(request: HttpRequest) -> list[NewLink]:
    """Return the links that were made last and not yet shown, and forget their addresses."""
    try:
        urls: dict[str, Any] = json.loads(decrypt_text(request.session.pop(_KEY)))
    except (KeyError, UndecryptableError):
        return []
    links = OneTimeLink.objects.select_related("agent").filter(pk__in=urls).order_by("pk")
    return [NewLink(link, urls[str(link.pk)]) for link in links]
