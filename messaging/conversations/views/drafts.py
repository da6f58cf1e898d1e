from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inboxes.requests import signed_in_agent
from messaging.conversations.drafts import FormWasSent, draft_seq, update_draft
from messaging.conversations.forms import DraftForm
from threads.access import get_thread


@require_POST
@login_required
def save_composer(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Store the composer's text and mode; without scripts, `toggle` switches the mode."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    is_toggled = form.cleaned_data["toggle"]
    mode = form.cleaned_data["is_internal"] != is_toggled and not thread.is_personal
    response: dict[str, object] = {}
    try:
        response["seq"] = update_draft(
            thread=thread,
            agent=agent,
            body=form.cleaned_data["body"],
            is_internal=mode,
            form_key=form.cleaned_data["form_key"],
        )
    except FormWasSent as error:
        response["seq"] = draft_seq(thread, agent)
        response["sent"] = {"body": error.body, "form_key": str(uuid.uuid4())}
    if is_toggled:
        return redirect("messaging:conversation", thread.pk)
    return JsonResponse(response)
