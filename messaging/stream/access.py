"""Get messages, scheduled texts and files that an agent may see; anything else is a 404."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from messaging.models import Attachment, Message, ScheduledText


def get_message(agent: Agent, message_id: int) -> Message:
    """Return the message if the agent may see it. Raises Http404."""
    message = (
        Message.objects.visible_to(agent)
        .select_related("thread", "thread__inbox", "author")
        .filter(pk=message_id)
        .first()
    )
    if message is None:
        raise Http404("No such message.")
    return message


def get_scheduled_text(agent: Agent, text_id: int) -> ScheduledText:
    """Return the text if the agent may see it, even if it has ended. Raises Http404."""
    text = (
        ScheduledText.objects.visible_to(agent)
        .select_related("thread__contact", "inbox", "author")
        .filter(pk=text_id)
        .first()
    )
    if text is None:
        raise Http404("No such text.")
    return text


def get_attachment(agent: Agent, attachment_id: int) -> Attachment:
    """Return the attachment if the agent may see it. Raises Http404."""
    attachment = (
        Attachment.objects.visible_to(agent)
        .select_related("thread", "thread__inbox", "message")
        .filter(pk=attachment_id)
        .first()
    )
    if attachment is None:
        raise Http404("No such file.")
    return attachment
