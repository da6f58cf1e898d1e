"""The draft in an agent's composer, kept until it is sent."""

from __future__ import annotations

import uuid

from django.db import transaction

from inboxes.models import Agent
from messaging.models import Message, ScheduledText
from threads.actions import save_draft
from threads.models import Thread, ThreadState


class FormWasSent(Exception):
    """Raised when the form has already made its message or scheduled text.

    What is left of the form must not come back as a draft.
    """

    def __init__(self, body: str) -> None:
        super().__init__()
        self.body = body


@transaction.atomic
def update_draft(
    *, thread: Thread, agent: Agent, body: str, is_internal: bool, form_key: uuid.UUID
) -> int:
    """Store the draft and its mode; return the agent's counter after it.

    Raises FormWasSent. Sending takes the agent's counter last, with its message already in, so
    under this lock a draft is either before the sending, which clears it, or sees the message.
    """
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    for made in (Message.objects, ScheduledText.objects):
        sent = made.filter(author=agent, form_key=form_key).first()
        if sent is not None:
            raise FormWasSent(sent.body)
    state = ThreadState.objects.filter(agent=agent, thread=thread).first()
    kept = (state.draft_body, state.draft_is_internal) if state else ("", False)
    if kept != (body, is_internal):
        save_draft(thread=thread, agent=agent, body=body, is_internal=is_internal)
    return draft_seq(thread, agent)


def draft_seq(thread: Thread, agent: Agent) -> int:
    """Return the agent's counter at the last change of their state in the thread."""
    states = ThreadState.objects.filter(agent=agent, thread=thread)
    return states.values_list("seq", flat=True).first() or 0
