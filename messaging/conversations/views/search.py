from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from inboxes.access import get_shared_inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.lists import remembered_list
from messaging.conversations.message_search import TOP, HitCursor, hit_list
from messaging.conversations.views.lists import render_list
from threads.lists import Listing
from threads.search import parse_search


class HitPageForm(forms.Form):
    """Read the hits after which a page begins."""

    after = forms.CharField(max_length=64, required=False, strip=False)

    def clean_after(self) -> HitCursor:
        key: str = self.cleaned_data["after"]
        try:
            return HitCursor.from_key(key) if key else TOP
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error


@require_safe
@login_required
def search_messages(request: HtmxRequest, inbox_id: int | None = None) -> HttpResponse:
    """Search all messages, from the messages view or an inbox; without a search, show the list."""
    agent = signed_in_agent(request)
    inbox = None if inbox_id is None else get_shared_inbox(agent, inbox_id)
    form = HitPageForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    wanted = parse_search(request.GET, everywhere=True)
    listing: Listing
    if wanted is not None:
        listing = hit_list(agent, inbox, wanted, form.cleaned_data["after"])
    else:
        listing = remembered_list(agent, inbox)
    return render_list(request, listing, inbox.name if inbox else "Messages")
