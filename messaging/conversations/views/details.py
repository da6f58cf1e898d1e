"""All pictures and files of a conversation, of which Details show the newest."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.details import FILES_ON_PAGE, read_files
from messaging.conversations.forms import HistoryForm
from messaging.conversations.lists import remembered_list
from messaging.conversations.views.panes import render_pane
from threads.access import get_thread


@require_safe
@login_required
def list_all_files(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """List the pictures and files of the thread, the newest first."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place among the files.")
    before = form.cleaned_data["before"]
    return render_pane(
        request,
        "messaging/details/_all_files.html",
        listing=remembered_list(agent, thread.inbox),
        title=f"Pictures and files of {thread.contact.display}",
        thread=thread,
        part=read_files(thread.pk, thread.inbox.seq, before=before, limit=FILES_ON_PAGE),
    )
