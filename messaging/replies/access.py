"""Access to saved replies and their files; anything else is a 404."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from messaging.models import SavedReply, SavedReplyFile


def get_reply(agent: Agent, reply_id: int) -> SavedReply:
    """Return the reply if it is the agent's, or of an inbox of theirs. Raises Http404."""
    visible = SavedReply.objects.visible_to(agent).select_related("inbox", "changed_by")
    reply = visible.filter(pk=reply_id).first()
    if reply is None:
        raise Http404("No such reply.")
    return reply


def get_reply_file(agent: Agent, file_id: int) -> SavedReplyFile:
    """Return the file of a reply that the agent may see. Raises Http404."""
    file = SavedReplyFile.objects.visible_to(agent).filter(pk=file_id).first()
    if file is None:
        raise Http404("No such file.")
    return file
