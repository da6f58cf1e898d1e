"""Take a text back in the seconds before it leaves."""

from __future__ import annotations

from django import forms
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inboxes.requests import signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.conversations.drafts import draft_seq
from messaging.conversations.forms import DraftField
from messaging.models import Attachment
from messaging.outbound.scheduled_texts import AlreadyEnded
from messaging.outbound.undo_send import Draft, take_back
from messaging.stream.access import get_scheduled_text

LEFT = "Too late to undo: this text has left."


class TypedForm(forms.Form):
    """Read what is in the box now. Without scripts nothing comes, and the saved draft counts."""

    is_live = forms.BooleanField(required=False)
    has_box = forms.BooleanField(required=False)
    body = DraftField()
    is_internal = forms.BooleanField(required=False)

    @property
    def typed(self) -> Draft | None:
        if not self.is_valid() or not self.cleaned_data["has_box"]:
            return None
        return Draft(self.cleaned_data["body"], self.cleaned_data["is_internal"])


@require_POST
@login_required
def take_back_text(request: HttpRequest, text_id: int) -> HttpResponse:
    """Put the text back into the box, above what was typed since."""
    agent = signed_in_agent(request)
    text = get_scheduled_text(agent, text_id)
    form = TypedForm(request.POST)
    is_live = "is_live" in request.POST
    try:
        draft = take_back(text=text, agent=agent, typed=form.typed)
    except AlreadyEnded:
        if is_live:
            return unprocessable_text(LEFT)
        toasts.error(request, LEFT)
        return redirect("messaging:conversation", text.thread_id)
    if not is_live:
        return redirect("messaging:conversation", text.thread_id)
    files = Attachment.objects.drafted(text.thread, agent)
    return JsonResponse(
        {
            "body": draft.body,
            "returned": text.body,
            "is_internal": draft.is_internal,
            "files": list(files.values_list("pk", flat=True)),
            "seq": draft_seq(text.thread, agent),
        }
    )
