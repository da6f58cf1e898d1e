"""The page of saved replies: those of each inbox, and the agent's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inboxes.models import Agent, Inbox
from messaging.models import SavedReply
from messaging.models.saved_replies import ONLY_ME
from messaging.replies.placeholders import PATTERN
from threads.words import split_words


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold some words of a reply, or one placeholder."""

    words: str
    is_placeholder: bool


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """Hold a saved reply as the page shows it."""

    reply: SavedReply
    file_count: int

    @property
    def pieces(self) -> list[Piece]:
        return split_pieces(self.reply.body)

    @property
    def use_words(self) -> str:
        count = self.reply.use_count
        if count == 0:
            return "Not used yet"
        return "Used once" if count == 1 else f"Used {count} times"


@dataclass(frozen=True, slots=True)
class ReplyGroup:
    """Hold the replies of one owner: an inbox, or without one the agent."""

    inbox: Inbox | None
    rows: Sequence[ReplyRow]

    @property
    def title(self) -> str:
        return self.inbox.name if self.inbox else ONLY_ME

    @property
    def for_words(self) -> str:
        return self.inbox.name if self.inbox else "only me"

    @property
    def about_words(self) -> str:
        """Say who can use what is saved here."""
        if self.inbox is None:
            return "Only you can use your own, in all your conversations."
        return f"Everyone in {self.inbox.name} can use what you save here."

    @property
    def key(self) -> str:
        """Return what the page's addresses call it."""
        return f"inbox-{self.inbox.pk}" if self.inbox else "only-me"

    @property
    def new_query(self) -> str:
        return f"?inbox={self.inbox.pk}" if self.inbox else ""


def split_pieces(body: str) -> list[Piece]:
    """Return the body's words and placeholders, in their order."""
    pieces, end = [], 0
    for found in PATTERN.finditer(body):
        pieces += [Piece(body[end : found.start()], False), Piece(found[0], True)]
        end = found.end()
    return [piece for piece in [*pieces, Piece(body[end:], False)] if piece.words]


def shareable_inboxes(agent: Agent) -> list[Inbox]:
    """Return the agent's shared inboxes, by name."""
    return list(Inbox.objects.shared().visible_to(agent).order_by("name", "pk"))


def list_groups(agent: Agent, asked: str) -> list[ReplyGroup]:
    """Return a group for each inbox and one for the agent, each with the most used reply first.

    A search finds the beginnings of words in names and texts, and leaves out empty groups.
    """
    inboxes: list[Inbox | None] = [*shareable_inboxes(agent), None]
    replies = SavedReply.objects.visible_to(agent).by_use().prefetch_related("files")
    words = split_words(asked)
    rows = [
        ReplyRow(reply, len(reply.files.all()))
        for reply in replies
        if not asked or (words and _matches(reply, words))
    ]
    groups = [
        ReplyGroup(inbox, [row for row in rows if row.reply.inbox_id == (inbox and inbox.pk)])
        for inbox in inboxes
    ]
    return [group for group in groups if group.rows] if asked else groups


def _matches(reply: SavedReply, words: Sequence[str]) -> bool:
    found = split_words(f"{reply.name.replace('_', ' ')} {reply.body}")
    return all(any(word.startswith(asked) for word in found) for asked in words)
