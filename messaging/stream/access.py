"""May this agent touch that message or file? A no is the same 404 as one that does not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from messaging.models import Attachment, Message, ScheduledText


def get_message(agent: Agent, message_id: int) -> Message:
    """Raises Http404."""
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
    """Also one that was sent or deleted meanwhile. Raises Http404."""
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
    """Raises Http404."""
    attachment = (
        Attachment.objects.visible_to(agent)
        .select_related("thread", "thread__inbox", "message")
        .filter(pk=attachment_id)
        .first()
    )
    if attachment is None:
        raise Http404("No such file.")
    return attachment
