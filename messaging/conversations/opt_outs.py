"""A contact's opt-outs as members see them, and the forms that record and end one."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from inboxes.models import Agent
from messaging.models import Message, OptOut
from threads.folding import is_blank
from threads.models import Thread

HOW_THEY_ASKED = [
    ("phone", "By phone"),
    ("person", "In person"),
    ("email", "By email"),
    ("text", "In a text"),
    ("other", "Another way"),
]
DETAILS_LIMIT = 200
TOO_LONG = "Write at most %(limit_value)d characters; this has %(show_value)d."
UNKEPT = "This contains a character that can't be saved."


class RecordForm(forms.Form):
    """Read how the contact asked for no more texts, and in which text if it was one."""

    how = forms.ChoiceField(
        choices=HOW_THEY_ASKED,
        error_messages={
            "required": "Choose how they asked.",
            "invalid_choice": "Choose how they asked.",
        },
    )
    details = forms.CharField(
        required=False,
        max_length=DETAILS_LIMIT,
        error_messages={"max_length": TOO_LONG, "null_characters_not_allowed": UNKEPT},
    )
    message = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or self.cleaned_data
        details = given.get("details")
        if given.get("how") == "other" and details is not None and is_blank(str(details)):
            self.add_error("details", "Say how they asked.")
        return given

    @property
    def reason(self) -> str:
        """Return what is kept: how they asked, and the details."""
        how, details = self.cleaned_data["how"], self.cleaned_data["details"].strip()
        if how == "other":
            return str(details)
        label = f"Asked {dict(HOW_THEY_ASKED)[how].lower()}"
        return f"{label}: {details}" if details else label


class EndForm(forms.Form):
    """Read why texts may be sent again."""

    reason = forms.CharField(
        max_length=DETAILS_LIMIT,
        error_messages={
            "required": "Say why you can text them again.",
            "max_length": TOO_LONG,
            "null_characters_not_allowed": UNKEPT,
        },
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if is_blank(reason):
            raise ValidationError("Say why you can text them again.")
        return reason


@dataclass(frozen=True, slots=True)
class OptOutLine:
    """Hold what `messaging/conversation/_opt_out.html` tells of one opt-out.

    Who recorded or ended it, and why, is told in the inbox where they did.
    """

    opt_out: OptOut
    thread: Thread

    @property
    def how(self) -> str:
        is_ours = self.opt_out.recorded_in_id == self.thread.inbox_id
        return _sentence(
            OptOut.Source(self.opt_out.source),
            texted="They texted it",
            by=self.opt_out.recorded_by if is_ours else None,
            verb="Recorded",
            reason=self.opt_out.reason if is_ours else "",
        )

    @property
    def ended_how(self) -> str:
        if not self.opt_out.ended_how:
            return ""
        is_ours = self.opt_out.ended_in_id == self.thread.inbox_id
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

    def _url_of(self, message: Message | None) -> str:
        """Return the address of a text of this thread; others may not be this agent's to see."""
        if message is None or message.thread_id != self.thread.pk:
            return ""
        return f"{reverse('messaging:conversation', args=[self.thread.pk])}?at={message.pk}"


def list_opt_outs(thread: Thread) -> list[OptOutLine]:
    """Return the opt-outs between the thread's number and its contact, newest first."""
    rows = OptOut.objects.between(thread.our_address, thread.contact.address)
    related = ("recorded_by", "ended_by", "message", "end_message")
    return [
        OptOutLine(row, thread) for row in rows.select_related(*related).order_by("-since", "-pk")
    ]


def _sentence(
    source: OptOut.Source, *, texted: str, by: Agent | None, verb: str, reason: str
) -> str:
    match source:
        case OptOut.Source.KEYWORD:
            return texted
        case OptOut.Source.CARRIER:
            return source.label
        case OptOut.Source.MEMBER:
            who = str(by or "a colleague")
        case _:
            who = f"{by}, an administrator" if by else "an administrator"
    return f"{verb} by {who}{f': {reason}' if reason else ''}"
