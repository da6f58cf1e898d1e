"""The page of all scheduled texts, and its rows after something was done with them."""

from __future__ import annotations

from django import forms
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from inboxes.integers import IntegerField
from inboxes.models import Inbox
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.scheduled_list import Cursor, for_list, list_scheduled
from messaging.models import ScheduledText

FROM_LIST = "from_list"  # In the form of a button that stands on the page


class AllScheduledForm(forms.Form):
    """Read the query string of the page."""

    inbox = IntegerField(required=False)
    after = forms.CharField(max_length=64, required=False, strip=False)

    def clean_after(self) -> Cursor | None:
        key: str = self.cleaned_data["after"]
        if not key:
            return None
        try:
            return Cursor.from_key(key)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error


@require_safe
@login_required
def list_all_scheduled(request: HtmxRequest) -> HttpResponse:
    """Show the scheduled texts of all the agent's inboxes or of one, or the next rows of them."""
    agent = signed_in_agent(request)
    form = AllScheduledForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    try:
        shown = list_scheduled(agent, form.cleaned_data["inbox"], form.cleaned_data["after"])
    except Inbox.DoesNotExist as error:
        raise Http404("No such inbox.") from error
    context = {
        "page_title": "Scheduled texts",
        "shown": shown,
        "texts": shown.texts,
        "next_url": shown.next_url,
    }
    is_further = request.htmx and form.cleaned_data["after"]
    if is_further:
        return render(request, "messaging/scheduled/_listed_rows.html", context)
    return render(request, "messaging/scheduled/all.html", context)


def came_from_list(request: HttpRequest) -> bool:
    return FROM_LIST in request.POST


def render_outcome(request: HtmxRequest, text: ScheduledText, sentence: str = "") -> HttpResponse:
    """Show on the page what became of a text; `sentence` says it without scripts."""
    if request.htmx:
        now = for_list(ScheduledText.objects.all()).get(pk=text.pk)
        return render(request, "messaging/scheduled/_listed.html", {"text": now})
    if sentence:
        toasts.info(request, sentence)
    return redirect("messaging:all_scheduled")
