"""Put a label on a conversation and take it off, for the whole team."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import unprocessable_text
from messaging.conversations.forms import LabelForm
from messaging.conversations.views.tools import answer_with_tools
from messaging.work.labels import label_threads
from threads.access import get_thread
from threads.labels import NoSuchLabel


@require_POST
@login_required
def label_thread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Put a label on the thread, or take it off; open pages show it live."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = LabelForm(request.POST)
    if not form.is_valid():
        raise Http404("No such label.")
    try:
        label_threads(
            inbox_id=thread.inbox_id,
            thread_ids=[thread.pk],
            label_id=form.cleaned_data["label"],
            is_on=form.cleaned_data["on"] == LabelForm.ON,
            by=agent,
        )
    except NoSuchLabel as error:
        if request.htmx:
            return unprocessable_text(str(error))
        toasts.error(request, str(error))
        return redirect("messaging:conversation", thread.pk)
    return answer_with_tools(request, agent, thread.pk)
