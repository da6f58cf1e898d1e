"""Write, change and delete saved replies, and count their uses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.attachments import drafts
from messaging.models import Attachment, SavedReply
from messaging.replies.files import NamedFile, add_files, deleted_on_failure
from threads.folding import fold_case
from threads.models import Thread

MAX_REPLIES = 300  # Of an inbox or an agent


class NameTaken(Exception):
    """The inbox or the agent has a reply of that name. The message is for the agent."""


class TooManyReplies(Exception):
    """The inbox or the agent has as many as the listbox can hold. The message is for the agent."""


class ReplyGone(Exception):
    """A colleague has deleted the reply meanwhile."""


class ChangedMeanwhile(Exception):
    """A colleague has changed the reply since it was read."""

    def __init__(self, reply: SavedReply) -> None:
        super().__init__()
        self.reply = reply


def create_reply(
    *,
    inbox: Inbox | None,
    agent: Agent,
    name: str,
    body: str,
    files: Sequence[NamedFile] = (),
) -> SavedReply:
    """Save a reply of a shared inbox, or without one the agent's own, with its stored files.

    Raises NameTaken, TooManyReplies and FileRefused; the files are then deleted.
    """
    with deleted_on_failure(files), transaction.atomic():
        _check_owner(inbox, agent, name)
        reply = _save(SavedReply(), inbox, agent, name, body)
        add_files(reply, files)
    return reply


def change_reply(
    *,
    reply: SavedReply,
    inbox: Inbox | None,
    agent: Agent,
    name: str,
    body: str,
    version: int,
    files: Sequence[NamedFile] = (),
    removed: Collection[int] = (),
) -> SavedReply:
    """Change a reply that the agent has read at a version; also whose it is, and its files.

    Raises ChangedMeanwhile if there is a newer one, ReplyGone, and what `create_reply` raises.
    """
    with deleted_on_failure(files), transaction.atomic():
        now = SavedReply.objects.select_for_update().filter(pk=reply.pk).first()
        if now is None:
            raise ReplyGone
        if now.version > version:
            raise ChangedMeanwhile(now)
        is_moved = now.inbox_id != (inbox.pk if inbox else None)
        _check_owner(inbox, agent, name, but=now, is_new=is_moved)
        for file in now.files.filter(pk__in=removed):
            file.delete()
        _save(now, inbox, agent, name, body)
        add_files(now, files)
    return now


@transaction.atomic
def delete_reply(*, reply: SavedReply) -> None:
    """Delete a reply and its files. What was sent with them has copies of its own."""
    for one in SavedReply.objects.select_for_update().filter(pk=reply.pk):
        one.delete()


def _check_owner(
    inbox: Inbox | None,
    agent: Agent,
    name: str,
    *,
    but: SavedReply | None = None,
    is_new: bool = True,
) -> None:
    """Raise NameTaken or TooManyReplies if the owner cannot have the reply."""
    whose = {"inbox": inbox} if inbox else {"agent": agent, "inbox": None}
    others = SavedReply.objects.filter(**whose).exclude(pk=but.pk if but else 0)
    names = [fold_case(other) for other in others.values_list("name", flat=True)]
    if fold_case(name) in names:
        raise NameTaken(_taken_sentence(inbox, name))
    if is_new and len(names) >= MAX_REPLIES:
        whose_words = f"{inbox.name} has" if inbox else "You have"
        raise TooManyReplies(f"{whose_words} {MAX_REPLIES} saved replies. Delete one first.")


def _save(
    reply: SavedReply, inbox: Inbox | None, agent: Agent, name: str, body: str
) -> SavedReply:
    reply.inbox, reply.agent = inbox, None if inbox else agent
    reply.name, reply.body, reply.changed_by = name, body, agent
    try:
        with transaction.atomic():
            reply.save()
    except IntegrityError as error:
        # Two colleagues saved the same name at once.
        if "name_is_unique" not in str(error):
            raise
        raise NameTaken(_taken_sentence(inbox, name)) from error
    return reply


def _taken_sentence(inbox: Inbox | None, name: str) -> str:
    whose = f"{inbox.name} already has" if inbox else "You already have"
    return f"{whose} a reply named {name}."


def use_reply(
    *, reply: SavedReply, thread: Thread | None, agent: Agent, has_files: bool = True
) -> list[Attachment]:
    """Put copies of the reply's files into the agent's composer, and count the use.

    Without a thread they wait for a first text. Raises FileRefused.
    """
    originals = list(reply.files.order_by("pk")) if has_files else []
    copies = drafts.add_copies(thread=thread, agent=agent, originals=originals)
    SavedReply.objects.filter(pk=reply.pk).update(
        use_count=F("use_count") + 1, used_at=timezone.now()
    )
    return copies
