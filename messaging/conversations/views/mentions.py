from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from inboxes.requests import signed_in_agent
from messaging.conversations.forms import MentionForm
from messaging.stream.mentions import match_agents, mentionable_agents, search_words
from threads.access import get_thread


@require_safe
@login_required
def list_mentionable_agents(request: HttpRequest, thread_id: int) -> HttpResponse:
    """List the other members, whom the agent may mention, narrowed by `q`."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = MentionForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    people = match_agents(mentionable_agents(thread.inbox, agent), form.cleaned_data["q"])
    members = [
        {
            "handle": person.username,
            "name": person.display_name,
            "words": search_words(person),
        }
        for person in people
    ]
    return JsonResponse({"me": agent.username, "members": members})
