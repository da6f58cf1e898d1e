"""Forms for a deed on many threads: which ones, what, and to whom, until when or which label."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from inboxes.forms import first_error
from inboxes.integers import IntegerField, read_integer
from inboxes.models import Agent, Inbox
from messaging.conversations.list_forms import FilterForm
from messaging.conversations.work_forms import AssignForm, SnoozeForm
from messaging.work.bulk_deeds import Deed
from threads.models import Label

MOST = 2_000  # threads that a form may name one by one

NOTHING_SELECTED = "Select conversations first."
UNREADABLE = "These conversations can't be read. Reload the page."


class ShownField(forms.Field):
    """Read threads, each with the newest message that the page showed of it, as in `12-345`.

    Several may stand in one value, with spaces between them.
    """

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> dict[int, int]:
        given = value if isinstance(value, list) else []
        pairs = [word.partition("-")[::2] for one in given for word in str(one).split()]
        if len(pairs) > MOST:
            raise ValidationError(f"Select at most {MOST:,} conversations one by one.")
        shown = [(read_integer(key), read_integer(newest)) for key, newest in pairs]
        known = {key: newest for key, newest in shown if key is not None and newest is not None}
        if len(known) < len({key for key, _ in pairs}):
            raise ValidationError(UNREADABLE)
        return known


class NewestField(forms.Field):
    """Read the newest message of each inbox at the time when all of a view was selected."""

    widget = forms.HiddenInput

    def to_python(self, value: object) -> dict[int, int]:
        try:
            data = json.loads(str(value or "{}"))
        except (ValueError, RecursionError) as error:
            raise ValidationError(UNREADABLE) from error
        if not isinstance(data, dict):
            raise ValidationError(UNREADABLE)
        pairs = [(read_integer(key), read_integer(str(last))) for key, last in data.items()]
        newest = {key: last for key, last in pairs if key is not None and last is not None}
        if len(newest) < len(pairs):
            raise ValidationError(UNREADABLE)
        return newest


class SelectionForm(FilterForm):
    """Read in which list threads are selected; without an inbox, in the one over all."""

    inbox = IntegerField(required=False)


class BulkForm(SelectionForm):
    """Read what to do with which threads. With `newest` all of the list are meant."""

    deed = forms.ChoiceField(choices=Deed.choices)
    thread = ShownField(required=False)
    newest = NewestField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        is_empty = not cleaned.get("thread") and not cleaned.get("newest")
        if is_empty and not {"thread", "newest"} & self.errors.keys():
            self.add_error("thread", NOTHING_SELECTED)
        return cleaned


class Incomplete(Exception):
    """The deed needs to be told more: to whom, until when, or which label."""


def read_details(deed: Deed, data: QueryDict, agent: Agent) -> dict[str, Any]:
    """Return what the deed needs besides the threads, as JSON.

    Raises Incomplete if the form does not say so at all, and ValidationError if it says it wrong.
    """
    match deed:
        case Deed.ASSIGN:
            return _read_assignee(data, agent)
        case Deed.SNOOZE:
            return _read_until(data)
        case Deed.LABEL | Deed.UNLABEL:
            return _read_label(data, agent)
        case _:
            return {}


def _read_assignee(data: QueryDict, agent: Agent) -> dict[str, Any]:
    if "assignee" not in data:
        raise Incomplete
    form = AssignForm(data, agent=agent)
    if not form.is_valid():
        raise ValidationError(first_error(form))
    return {"assignee": form.cleaned_data["assignee"]}


def _read_until(data: QueryDict) -> dict[str, Any]:
    if "when" not in data:
        raise Incomplete
    form = SnoozeForm(data)
    if not form.is_valid():
        raise ValidationError(first_error(form))
    return {"until": form.cleaned_data["until"].isoformat()}


def _read_label(data: QueryDict, agent: Agent) -> dict[str, Any]:
    """Name the label: in other inboxes the one of the same name is meant."""
    if "use" not in data:
        raise Incomplete
    visible = Label.objects.filter(inbox__in=Inbox.objects.visible_to(agent), deleted_at=None)
    key = read_integer(data["use"])
    label = None if key is None else visible.filter(pk=key).first()
    if label is None:
        raise ValidationError("This label was deleted.")
    return {"name": label.name}
