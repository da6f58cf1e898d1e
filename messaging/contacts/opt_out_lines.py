"""Say how opt-outs came about and how they ended, as the members of one inbox may read it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from inboxes.models import Agent
from messaging.models import DeliveryState, Message, OptOut
from threads.models import Contact, Thread


@dataclass(frozen=True, slots=True)
class OptOutLine:
    """Hold what the page of a contact's opt-outs, and their details, tell of one.

    Who recorded or ended it, and why, is told in the inbox where they did.
    """

    opt_out: OptOut
    contact: Contact
    thread: Thread | None

    @property
    def how(self) -> str:
        return self._how("They texted it")

    @property
    def how_texted(self) -> str:
        """Return the same, with the words of their text if it is this inbox's to read."""
        message = self._readable(self.opt_out.message)
        words = " ".join(message.body.split())[:80] if message else ""
        return self._how(f"They texted “{words}”" if words else "They texted it")

    def _how(self, texted: str) -> str:
        is_ours = self.opt_out.recorded_in_id == self.contact.inbox_id
        return _sentence(
            OptOut.Source(self.opt_out.source),
            texted=texted,
            by=self.opt_out.recorded_by if is_ours else None,
            verb="Recorded",
            reason=self.opt_out.reason if is_ours else "",
        )

    @property
    def ended_how(self) -> str:
        if not self.opt_out.ended_how:
            return ""
        is_ours = self.opt_out.ended_in_id == self.contact.inbox_id
        return _sentence(
            OptOut.Source(self.opt_out.ended_how),
            texted="They texted START",
            by=self.opt_out.ended_by if is_ours else None,
            verb="Ended",
            reason=self.opt_out.end_reason if is_ours else "",
        )

    @property
    def text_url(self) -> str:
        return self._url_of(self.opt_out.message)

    @property
    def end_text_url(self) -> str:
        return self._url_of(self.opt_out.end_message)

    @property
    def confirmation(self) -> Message | None:
        """Return the one text that followed, if it is this inbox's to read."""
        return self._readable(self.opt_out.confirmation)

    @property
    def confirmation_words(self) -> str:
        """Return what became of it, before its time; empty if there was none."""
        message = self.confirmation
        if message is None:
            return ""
        if message.has_failed:
            return "The confirmation wasn't delivered"
        is_waiting = message.state in {DeliveryState.QUEUED, DeliveryState.SENDING}
        return f"The one confirmation {'is on its way' if is_waiting else 'went out'}"

    def _readable(self, message: Message | None) -> Message | None:
        """Return a text of this thread; others may not be this agent's to see."""
        if message is None or self.thread is None or message.thread_id != self.thread.pk:
            return None
        return message

    def _url_of(self, message: Message | None) -> str:
        readable = self._readable(message)
        if readable is None:
            return ""
        return f"{reverse('messaging:conversation', args=[readable.thread_id])}?at={readable.pk}"


RELATED = ("recorded_by", "ended_by", "message", "end_message", "confirmation")


def list_opt_outs(contact: Contact, thread: Thread | None, our_address: str) -> list[OptOutLine]:
    """Return the opt-outs of a contact from one of our numbers or from all, newest first."""
    rows = OptOut.objects.between(our_address, contact.address).select_related(*RELATED)
    return [OptOutLine(row, contact, thread) for row in rows.order_by("-since", "-pk")]


def _sentence(
    source: OptOut.Source, *, texted: str, by: Agent | None, verb: str, reason: str
) -> str:
    match source:
        case OptOut.Source.KEYWORD:
            return texted
        case OptOut.Source.CARRIER | OptOut.Source.IMPORT:
            return source.label
        case OptOut.Source.MEMBER:
            who = str(by or "a colleague")
        case _:
            who = f"{by}, an administrator" if by else "an administrator"
    return f"{verb} by {who}{f': {reason}' if reason else ''}"
