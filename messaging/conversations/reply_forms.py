"""Forms of saved replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from inboxes.integers import IntegerField, read_integer
from inboxes.models import Inbox
from messaging.conversations.forms import KeysField, TextField
from messaging.conversations.start_forms import AddressField
from messaging.models.saved_replies import ONLY_ME
from messaging.replies.names import BadName, clean_name
from threads.folding import is_blank


class OffersForm(forms.Form):
    """Read the recipient of a first text, as far as it is typed, and the words that are sought."""

    to = AddressField(required=False)
    q = forms.CharField(required=False, max_length=200)


class UseForm(forms.Form):
    """Read the thread in whose composer a reply was inserted; none for a first text.

    A scheduled text that is changed takes its words only.
    """

    thread = IntegerField(required=False)
    words_only = forms.BooleanField(required=False)


class ReplySearchForm(forms.Form):
    """Read what the page of saved replies is searched for."""

    q = forms.CharField(required=False, max_length=200)


class NewReplyQuery(forms.Form):
    """Read from the query string whose the new reply is to be."""

    inbox = IntegerField(required=False)


class ReplyForm(forms.Form):
    """Read a saved reply. `inboxes` are those of the agent that can share one.

    `version` is the one that the form was opened with, `removed` names files that go. With
    `has_files` it needs no words.
    """

    MINE = "me"

    name = forms.CharField(
        max_length=200,
        strip=False,
        required=False,
        error_messages={
            "max_length": "Use at most 40 characters for a name.",
            "null_characters_not_allowed": "Use one word: letters, digits, - and _.",
        },
    )
    body = TextField(required=False)
    owner = forms.ChoiceField(
        error_messages={
            "required": "Choose who can use it.",
            "invalid_choice": "You're no longer in this inbox. Choose another one.",
        }
    )
    version = IntegerField(min_value=0, required=False)
    removed = KeysField(required=False)

    def __init__(
        self, *args: Any, inboxes: Sequence[Inbox], has_files: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.inboxes, self.has_files = {inbox.pk: inbox for inbox in inboxes}, has_files
        choices = [(str(inbox.pk), f"Everyone in {inbox.name}") for inbox in inboxes]
        owner = cast(forms.ChoiceField, self.fields["owner"])
        owner.choices = [*choices, (self.MINE, ONLY_ME)]

    def clean_name(self) -> str:
        try:
            return clean_name(self.cleaned_data["name"])
        except BadName as error:
            raise ValidationError(str(error)) from error

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if not is_blank(body):
            return body
        if not self.has_files:
            raise ValidationError("Write the text, or attach a file.")
        return ""

    @property
    def inbox(self) -> Inbox | None:
        """Return the inbox that is to share it; None for the agent's own."""
        return self.inboxes.get(read_integer(self.cleaned_data["owner"]) or 0)
