"""Administer the labels of an inbox, on the inbox's own page."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from inboxes import counters
from inboxes.admin import InboxAdmin
from inboxes.models import Inbox
from messaging.work.label_definitions import MOST_LABELS, define_labels
from threads.folding import is_blank
from threads.models import Label

LONGEST_NAME = 40


class LabelForm(forms.ModelForm[Label]):
    class Meta:
        model = Label
        fields = ("name", "colour")
        labels: ClassVar = {"colour": "Color"}
        error_messages: ClassVar = {
            "name": {
                "required": "Enter a name.",
                "max_length": f"A name has at most {LONGEST_NAME} characters.",
            }
        }

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if is_blank(name):
            raise forms.ValidationError("Enter a name.")
        return name

    def validate_constraints(self) -> None:
        """Leave the names to the formset, which knows all of them."""


class LabelFormSet(BaseInlineFormSet[Label, Inbox, forms.ModelForm[Label]]):
    """Read all labels of an inbox, and write them at once."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the fields, and the box that deletes a label by the label's name."""
        super().add_fields(form, index)
        for name, words in (("name", "Name"), ("colour", "Color")):
            form.fields[name].widget.attrs["aria-label"] = words
        if "DELETE" in form.fields:
            words = f"Remove {form.instance.name}".strip()
            form.fields["DELETE"].widget.attrs["aria-label"] = words

    def clean(self) -> None:
        """Refuse a name twice, and too many labels.

        The inbox's counter is taken, so that both still hold when they are written.
        """
        super().clean()
        if not self.has_changed() or any(self.errors):
            return
        if self.instance.pk:
            counters.next_inbox_seq(self.instance.pk)
        names = self._names()
        folded = [name.casefold() for name in names]
        twice = [name for name in names if folded.count(name.casefold()) > 1]
        if twice:
            raise forms.ValidationError(f"There can be only one label “{twice[-1]}” in an inbox.")
        if len(names) > MOST_LABELS:
            raise forms.ValidationError(f"An inbox can have at most {MOST_LABELS} labels.")

    def _names(self) -> list[str]:
        """Return the names that the inbox's labels will have, as they are written."""
        given = [form.cleaned_data for form in self.forms if form not in self.deleted_forms]
        mine = [form.instance.pk for form in self.initial_forms]
        others = Label.objects.filter(inbox=self.instance.pk, deleted_at=None)
        kept = others.exclude(pk__in=mine).values_list("name", flat=True)
        return [*kept, *(data["name"] for data in given if data.get("name"))]

    def save(self, commit: bool = True) -> list[Label]:
        """Write what was changed by the action that tells open pages."""
        written = super().save(commit=False)
        changed = [label for label, _ in self.changed_objects]
        define_labels(
            inbox=self.instance,
            added=self.new_objects,
            changed=changed,
            deleted=self.deleted_objects,
        )
        return written


class LabelInline(admin.TabularInline[Label, Inbox]):
    model = Label
    form = LabelForm
    formset = LabelFormSet
    extra = 1
    fields = ("name", "colour")
    verbose_name = "label"
    verbose_name_plural = "labels"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever may change the inbox define its labels; so do the others below."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        return super().get_queryset(request).filter(deleted_at=None).order_by(Lower("name"))


InboxAdmin.inlines_of_others.append(LabelInline)
