"""A message as one agent sees it in the history, and what only few messages have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import prefetch_related_objects
from django.urls import reverse

from inboxes.models import Agent
from messaging.conversations.questions import Question
from messaging.models import Attachment, Attempt, Message, OptOut
from messaging.stream.tapbacks import describe_sign
from threads.direction import isolate_direction

FOLDED_ABOVE = 2_000
# A body of more characters than the first is cut to the second, with *Show all*. An agent's own
# text is never that long, but an inbound one may be.
FOLDED_TO = 1_500


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold what `messaging/conversation/_message.html` draws."""

    message: Message
    is_mine: bool = False
    mentioned_agent_id: int | None = None  # The viewing agent, if the message mentions them
    # True for the first message that was unread when the agent opened the thread.
    is_first_new: bool = False
    is_whole: bool = False  # True if a long body is shown to its end
    question: Question | None = None  # What is asked before it is sent again
    carrier_words: str = ""  # What the carrier says of a failure, for administrators alone

    @classmethod
    def for_agent(cls, message: Message, agent: Agent) -> Entry:
        """Return the message as this agent sees it."""
        mentions_viewer = message.mentions_agent(agent.pk)
        return cls(
            message,
            message.author_id == agent.pk,
            agent.pk if mentions_viewer else None,
            carrier_words=message.carrier_words if agent.is_staff else "",
        )

    @property
    def history_order(self) -> tuple[int, int, int]:
        return self.message.history_order

    def unfolded(self) -> Entry:
        return replace(self, is_whole=True)

    @property
    def is_folded(self) -> bool:
        return not self.is_whole and len(self.message.body) > FOLDED_ABOVE

    @property
    def mentions_viewer(self) -> bool:
        return self.mentioned_agent_id is not None

    @property
    def has_failed(self) -> bool:
        return self.message.has_failed

    @property
    def can_retry(self) -> bool:
        return self.message.can_be_retried

    @property
    def has_deeds(self) -> bool:
        """Return True if something can be done about its failure."""
        return self.can_retry or bool(self.message.unseen_failure)

    @property
    def is_seen_failure(self) -> bool:
        """Return True if somebody marked it as seen after it failed or became unknown."""
        return self.can_retry and self.message.failure_seen_by_id is not None

    @property
    def classes(self) -> str:
        """Return the CSS classes; those for its neighbours come from `arranged`."""
        message = self.message
        marks = [
            f"is-{message.state}" if message.state else "",
            "is-late" if message.is_late else "",
            "tapback" if message.is_shown_reaction else "",
            "has-reaction" if message.reacted_with else "",
        ]
        return " ".join(filter(None, ["message", str(message.kind), *marks]))

    @property
    def label(self) -> str:
        """Return the accessible name: the kind of message and its author."""
        message = self.message
        if message.is_shown_reaction:
            return self.tapback_words
        if message.is_inbound:
            kind = "Received, group text" if message.is_to_group else "Received"
            return f"{kind}, arrived late" if message.is_late else kind
        author = isolate_direction(message.author.display_name if message.author else "Partyline")
        if message.is_internal:
            return (
                f"Internal message by {author}{', mentions you' if self.mentions_viewer else ''}"
            )
        return "Automatic reply" if message.is_automatic else f"Sent by {author}"

    @property
    def reaction_label(self) -> str:
        """Return the accessible text of the sign that the contact has put on the message."""
        return f"Reaction: {describe_sign(self.message.reacted_with)}, by the contact"

    @property
    def has_named_sign(self) -> bool:
        """Return True if the words of a tapback name its sign instead of showing it."""
        sign = self.message.reaction
        return describe_sign(sign) != sign and not self.message.is_reaction_removed

    @property
    def tapback_words(self) -> str:
        """Return in a few words what a tapback does."""
        sign = self.message.reaction
        if self.message.is_reaction_removed:
            return f"Took {sign} back"
        if self.has_named_sign:
            return f"{describe_sign(sign)} a message"
        return f"Reacted {sign} to a message"

    @property
    def quoted_url(self) -> str:
        """Return the address of the thread, opened at the message that a tapback quotes."""
        thread = reverse("messaging:conversation", args=[self.message.thread_id])
        quoted = self.message.reaction_to_id
        return f"{thread}?at={quoted}#message-{quoted}"

    @property
    def author_name(self) -> str:
        """Return the short name of the author on our side."""
        return self.message.author.short_name if self.message.author else "Automatic"

    @property
    def sender(self) -> str:
        """Return the author on either side, and whether the message was internal."""
        if self.message.is_inbound:
            return str(self.message.thread.contact)
        return f"{self.author_name}{', internally' if self.message.is_internal else ''}"

    @property
    def attachments(self) -> list[Attachment]:
        """Return the attachments in order, without a query for a message that has none."""
        if not self.message.has_attachments:
            return []
        return sorted(self.message.attachments.all(), key=lambda one: one.pk)


def prefetch_details(messages: Iterable[Message]) -> list[Message]:
    """Return the messages as a list, with what only few of them have: attachments, who saw their
    failure, what the carrier says of it, and whether they confirm an opt-out. Each is read in one
    query, and in none where no message has it."""
    found = list(messages)
    prefetch_related_objects([one for one in found if one.has_attachments], "attachments")
    prefetch_related_objects([one for one in found if one.failure_seen_by_id], "failure_seen_by")
    failed = [one for one in found if one.has_failed]
    _read_confirmations(failed)
    _read_carrier_words(failed)
    return found


def _read_confirmations(failed: list[Message]) -> None:
    """Put on each message whether it confirms an opt-out."""
    confirmed = OptOut.objects.confirmed_by(failed)
    confirming = set(confirmed.values_list("confirmation", flat=True))
    for message in failed:
        message.is_confirmation = message.pk in confirming


def _read_carrier_words(failed: list[Message]) -> None:
    """Put on each message what the carrier says of its last attempt."""
    if not failed:
        return
    attempts = Attempt.objects.filter(message__in=failed).order_by("message", "-ordinal")
    last = attempts.distinct("message").values_list("message", "carrier_words")
    words = dict(last)
    for message in failed:
        message.carrier_words = words.get(message.pk, "")
